package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth/session"
)

const (
	// transactionLife is how long a person has at the identity provider.
	transactionLife = 10 * time.Minute

	// transactionKept is how long the browser keeps the cookie. It is longer, so
	// that somebody who comes back late still gets to the page that they wanted.
	transactionKept = time.Hour

	// At most so many attempts, in so many bytes of cookies, are kept in one
	// browser; the oldest are dropped. Servers answer 400 or 431 when Cookie
	// headers grow without bound.
	maxTransactions     = 8
	maxTransactionBytes = 6 << 10

	transactionCookie = "authjs.txn."

	// restartMark begins the state of an attempt that a failed one began, so that
	// a browser that keeps no cookies does not go round in circles.
	restartMark = "r."
)

// transactions keeps the attempts to sign in, each sealed in a cookie of its
// own in the browser that makes it, so that several tabs can sign in at once, on
// any node, with no memory here.
type transactions struct {
	codec *session.Codec
	now   func() time.Time
	used  usedStates
}

func newTransactions(secrets []Secret, now func() time.Time) *transactions {
	// The salt is no cookie name: what is sealed here never opens as a session.
	return &transactions{codec: session.NewCodec("sallyport.transaction", secrets), now: now}
}

// sealedTransaction is the cookie's content. Short names: it has to be small.
type sealedTransaction struct {
	Provider    string `json:"p"`
	State       string `json:"s"`
	Nonce       string `json:"n"`
	Verifier    string `json:"v"`
	RedirectURI string `json:"u"`
	ReturnTo    string `json:"r"`
	Params      string `json:"q,omitempty"`
	Expires     int64  `json:"e"`
}

// new makes an attempt with fresh secrets.
func (t *transactions) new(provider, redirectURI, returnTo string, params url.Values, restarted bool) Transaction {
	state := randomText(16)
	if restarted {
		state = restartMark + state
	}
	return Transaction{
		Provider:    provider,
		State:       state,
		Nonce:       randomText(16),
		Verifier:    oauth2.GenerateVerifier(),
		RedirectURI: redirectURI,
		ReturnTo:    returnTo,
		Params:      params,
		Restarted:   restarted,
		Expires:     t.now().Add(transactionLife),
	}
}

// begin puts tx into a cookie and drops what has expired or is too much.
func (t *transactions) begin(w http.ResponseWriter, r *http.Request, tx Transaction, secure bool) error {
	payload, err := json.Marshal(sealedTransaction{
		Provider: tx.Provider, State: tx.State, Nonce: tx.Nonce, Verifier: tx.Verifier,
		RedirectURI: tx.RedirectURI, ReturnTo: tx.ReturnTo, Params: tx.Params.Encode(), Expires: tx.Expires.Unix(),
	})
	if err != nil {
		return err
	}
	value := t.codec.Seal(payload)
	t.prune(w, r, secure, len(value))
	http.SetCookie(w, transactionHTTPCookie(cookieNameFor(tx.State, secure), value, int(transactionKept/time.Second), secure))
	return nil
}

// prune deletes the cookies of attempts that are over, and of the oldest ones
// where a new one of size bytes would be too much.
func (t *transactions) prune(w http.ResponseWriter, r *http.Request, secure bool, size int) {
	type kept struct {
		name    string
		size    int
		expires int64
	}
	var live []kept
	for _, c := range r.Cookies() {
		if !strings.HasPrefix(c.Name, cookiePrefix(secure)+transactionCookie) {
			continue
		}
		tx, ok := t.open(c.Value)
		if !ok || cookieNameFor(tx.State, secure) != c.Name || tx.Expires < t.now().Unix() {
			t.deleteCookie(w, c.Name, secure)
			continue
		}
		live = append(live, kept{c.Name, len(c.Name) + len(c.Value), tx.Expires})
	}
	slices.SortFunc(live, func(a, b kept) int { return int(b.expires - a.expires) })
	total := size
	for i, c := range live {
		total += c.size
		if i+1 >= maxTransactions || total > maxTransactionBytes {
			t.deleteCookie(w, c.name, secure)
		}
	}
}

// find returns the attempt that state names, whether or not it has expired.
// ok is false when this browser began none such.
func (t *transactions) find(r *http.Request, state string, secure bool) (tx Transaction, ok bool) {
	name := cookieNameFor(state, secure)
	for _, c := range r.CookiesNamed(name) {
		sealed, ok := t.open(c.Value)
		if !ok || subtle.ConstantTimeCompare([]byte(sealed.State), []byte(state)) != 1 {
			continue
		}
		params, err := url.ParseQuery(sealed.Params)
		if err != nil {
			continue
		}
		return Transaction{
			Provider: sealed.Provider, State: sealed.State, Nonce: sealed.Nonce, Verifier: sealed.Verifier,
			RedirectURI: sealed.RedirectURI, ReturnTo: sealed.ReturnTo, Params: params,
			Restarted: strings.HasPrefix(sealed.State, restartMark), Expires: time.Unix(sealed.Expires, 0),
		}, true
	}
	return Transaction{}, false
}

// consume uses tx up: its cookie is deleted, and this process takes its state
// only once. It reports whether this is that one time.
func (t *transactions) consume(w http.ResponseWriter, tx Transaction, secure bool) bool {
	t.deleteCookie(w, cookieNameFor(tx.State, secure), secure)
	return t.used.add(tx.State, t.now())
}

func (t *transactions) open(value string) (sealed sealedTransaction, ok bool) {
	payload, err := t.codec.Open(value)
	if err != nil || json.Unmarshal(payload, &sealed) != nil || sealed.State == "" {
		return sealedTransaction{}, false
	}
	return sealed, true
}

func (t *transactions) deleteCookie(w http.ResponseWriter, name string, secure bool) {
	http.SetCookie(w, transactionHTTPCookie(name, "", -1, secure))
}

func transactionHTTPCookie(name, value string, maxAge int, secure bool) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

// cookieNameFor names the cookie after a hash of the state: the state itself
// stands in URLs, and a name must not depend on what somebody puts there.
func cookieNameFor(state string, secure bool) string {
	sum := sha256.Sum256([]byte(state))
	return cookiePrefix(secure) + transactionCookie + base64.RawURLEncoding.EncodeToString(sum[:9])
}

// cookiePrefix is what keeps other hosts of the domain from planting a cookie:
// RFC 6265bis 4.1.3.2.
func cookiePrefix(secure bool) string {
	if secure {
		return "__Host-"
	}
	return ""
}

func randomText(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// usedStates remembers, for as long as a transaction lives, which states this
// process has taken. Two generations bound it in time; maxUsed in space.
type usedStates struct {
	mu         sync.Mutex
	young, old map[[32]byte]struct{}
	since      time.Time
}

const maxUsed = 1 << 16

// add reports whether state is new.
func (u *usedStates) add(state string, now time.Time) bool {
	key := sha256.Sum256([]byte(state))
	u.mu.Lock()
	defer u.mu.Unlock()
	if age := now.Sub(u.since); u.young == nil || age > transactionLife || age < 0 || len(u.young) >= maxUsed {
		u.old, u.young, u.since = u.young, make(map[[32]byte]struct{}), now
	}
	_, young := u.young[key]
	_, old := u.old[key]
	if young || old {
		return false
	}
	u.young[key] = struct{}{}
	return true
}
