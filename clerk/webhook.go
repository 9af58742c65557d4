package clerk

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// How Clerk signs what it sends, as Standard Webhooks and Svix describe it:
//
//	Svix-Id: msg_1
//	Svix-Timestamp: 1700000000
//	Svix-Signature: v1,<base64> v1,<base64>
//
//	HMAC-SHA256(base64 after whsec_, "msg_1.1700000000." + body)
//
// Any of the signatures may match, any of the secrets: both lists have two while a
// secret is rotated. Each is compared as a whole and in constant time. The signature
// is verified before the time, and the body is parsed after both.
const (
	maxEvent         = 1 << 20         // bytes
	webhookTolerance = 5 * time.Minute // either way
	maxSignatures    = 16              // that are compared
)

// WebhookConfig describes an endpoint for Clerk's webhooks. Secrets and Handle
// are required.
type WebhookConfig struct {
	// Secrets are the endpoint's signing secrets, "whsec_...": while one is
	// rotated, both.
	Secrets []auth.Secret

	// Handle is given each event, several at the same time. Its error goes to the log,
	// and Clerk sends the event again, for about a day. Clerk waits some seconds for
	// the answer: whatever takes longer belongs into a queue.
	Handle func(context.Context, Event) error

	// Store remembers for two days which events were handled, so that one that Clerk
	// sends twice is handled once. Between nodes that is not certain: two that get the
	// same event at the same moment both handle it. If nil, any event may be handled
	// again.
	Store session.Store

	// Logger is told of what is refused and of what fails. If nil, slog.Default.
	Logger *slog.Logger

	// Now is the clock. If nil, time.Now.
	Now func() time.Time
}

// webhook is the http.Handler of an endpoint.
type webhook struct {
	config WebhookConfig
	keys   [][]byte

	mu      sync.Mutex
	running map[string]bool // the events that Handle has
}

// NewWebhook checks c and returns the endpoint, which belongs outside of the
// middleware: Clerk has no session. It verifies Standard Webhooks' signatures under
// Svix's header names, which are Clerk's, and answers
//
//	204   handled, now or before
//	400   not signed by a secret, more than five minutes off, or no event
//	405   not POST
//	413   a body of more than 1 MiB
//	500   Handle failed, Store failed, or the event is being handled
//
// Without a Store, a copy of a signed event is handled again within five minutes. The
// error joins every problem that c has. The handler is safe for concurrent use.
func NewWebhook(c WebhookConfig) (http.Handler, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	h := &webhook{config: c, running: map[string]bool{}}
	var err error
	if c.Handle == nil {
		err = errors.New("clerk: WebhookConfig.Handle is nil")
	}
	if len(c.Secrets) == 0 {
		err = errors.Join(err, errors.New("clerk: WebhookConfig.Secrets is empty: want the signing secret of the endpoint, whsec_<base64>"))
	}
	for i, s := range c.Secrets {
		text, ok := strings.CutPrefix(s.Reveal(), "whsec_")
		key, e := base64.StdEncoding.DecodeString(text)
		if !ok || e != nil || len(key) < 16 {
			err = errors.Join(err, fmt.Errorf("clerk: WebhookConfig.Secrets[%d] is none: want the signing secret of the endpoint, whsec_<base64>", i))
		}
		h.keys = append(h.keys, key)
	}
	if err != nil {
		return nil, err
	}
	return h, nil
}

// ServeHTTP implements [http.Handler].
func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != "POST" {
		w.Header().Set("Allow", "POST")
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	if err != nil {
		var large *http.MaxBytesError
		status := http.StatusBadRequest
		if errors.As(err, &large) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "the body cannot be read", status)
		return
	}
	id, err := h.verify(r.Header, body)
	var e Event
	if err == nil {
		if err = json.Unmarshal(body, &e); err == nil && e.Type == "" {
			err = errors.New("the event has no type")
		}
	}
	if err != nil {
		h.config.Logger.WarnContext(r.Context(), "clerk: webhook refused", "cause", err.Error())
		http.Error(w, "not a signed event", http.StatusBadRequest)
		return
	}
	e.ID = id
	if err := h.once(r.Context(), e); err != nil {
		h.config.Logger.ErrorContext(r.Context(), "clerk: webhook failed", "event", e.ID, "type", e.Type, "cause", err.Error())
		http.Error(w, "the event could not be handled", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// once handles e unless it was handled before. Clerk sends an event again where
// the answer takes long, so the first may be under way.
func (h *webhook) once(ctx context.Context, e Event) error {
	if h.config.Store == nil {
		return h.config.Handle(ctx, e)
	}
	if !h.begin(e.ID) {
		return errors.New("the event is being handled")
	}
	defer h.end(e.ID)
	sum := sha256.Sum256([]byte(e.ID))
	key := "clerk-webhook-" + base64.RawURLEncoding.EncodeToString(sum[:])
	if _, found, err := h.config.Store.Find(ctx, key); err != nil || found {
		return err
	}
	if err := h.config.Handle(ctx, e); err != nil {
		return err
	}
	// Clerk's retries go on for about a day.
	return h.config.Store.Commit(ctx, key, []byte("1"), h.config.Now().Add(48*time.Hour))
}

// begin reports whether nobody in this process is handling the event.
func (h *webhook) begin(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running[id] {
		return false
	}
	h.running[id] = true
	return true
}

// end is the end of what begin began.
func (h *webhook) end(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.running, id)
}

// verify checks the signature and then the time, and returns the message's id. The
// error is for the log. A header that stands twice is refused: which one was signed?
func (h *webhook) verify(header http.Header, body []byte) (id string, err error) {
	one := func(name string) string {
		if values := header.Values(name); len(values) == 1 {
			return values[0]
		}
		return ""
	}
	id, stamp, signatures := one("Svix-Id"), one("Svix-Timestamp"), one("Svix-Signature")
	if id == "" || len(id) > 256 || stamp == "" || signatures == "" {
		return "", errors.New("svix-id, svix-timestamp or svix-signature is missing or stands twice")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != stamp {
		return "", errors.New("svix-timestamp is no number")
	}
	if !h.signed(id+"."+stamp+".", body, signatures) {
		return "", errors.New("no signature matches: is CLERK_WEBHOOK_SECRET this endpoint's?")
	}
	if age := h.config.Now().Sub(time.Unix(seconds, 0)); age > webhookTolerance || age < -webhookTolerance {
		return "", errors.New("svix-timestamp is more than five minutes off")
	}
	return id, nil
}

// signed reports whether one of signatures, "v1,<base64>" with spaces between, is of
// prefix and body by one of the keys. All are compared, so that the time that it
// takes says nothing.
func (h *webhook) signed(prefix string, body []byte, signatures string) bool {
	list := strings.Fields(signatures)
	ok := false
	for _, key := range h.keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(prefix))
		mac.Write(body)
		want := mac.Sum(nil)
		for _, s := range list[:min(len(list), maxSignatures)] {
			text, v1 := strings.CutPrefix(s, "v1,")
			got, err := base64.StdEncoding.DecodeString(text)
			ok = ok || v1 && err == nil && hmac.Equal(got, want)
		}
	}
	return ok
}
