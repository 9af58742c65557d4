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

const (
	maxEvent         = 1 << 20
	webhookTolerance = 5 * time.Minute
	maxSignatures    = 16
)

// WebhookConfig describes an endpoint for Clerk's webhooks. Secrets and Handle
// are required.
type WebhookConfig struct {
	// Secrets are the endpoint's signing secrets, "whsec_...": while one is
	// rotated, both.
	Secrets []auth.Secret

	// Handle is given each event. Where it fails, Clerk sends the event again.
	Handle func(context.Context, Event) error

	// Store remembers which events were handled, so that one that Clerk sends
	// twice is handled once. If nil, it may be handled again.
	Store session.Store

	Logger *slog.Logger     // If nil, slog.Default
	Now    func() time.Time // If nil, time.Now
}

// webhook is an http.Handler.
type webhook struct {
	config WebhookConfig
	keys   [][]byte

	mu      sync.Mutex
	running map[string]bool // the events that Handle has
}

// NewWebhook checks c and returns the endpoint. It verifies Standard Webhooks'
// signatures under Svix's header names, which are Clerk's: 400 for what is not
// signed by a secret or is older than five minutes, 413 for a body of more than
// 1 MiB, 500 for an event that Handle fails on.
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

func (h *webhook) begin(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running[id] {
		return false
	}
	h.running[id] = true
	return true
}

func (h *webhook) end(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.running, id)
}

// verify checks the signature and then the time, and returns the message's id.
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
