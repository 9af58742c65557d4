package attempt

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/auth/internal/hostcookie"
	"github.com/sallyport/auth/session"
)

const (
	// kept is how long the browser keeps the cookie. It is longer than an attempt
	// lives, so that somebody who comes back late still gets to the page that they
	// wanted.
	kept = time.Hour

	// At most so many attempts, in so many bytes of cookies, are kept in one
	// browser; the oldest are dropped. Servers answer 400 or 431 when Cookie
	// headers grow without bound.
	maxKept      = 8
	maxKeptBytes = 6 << 10

	// At most so many cookies are deleted in one answer: whoever plants more must
	// not make an answer that a proxy does not pass on. The rest goes next time.
	maxForgotten = 16

	cookieName = "authjs.txn."
)

// Keeper keeps the attempts of one application. It is safe for concurrent use.
type Keeper struct {
	codec *session.Codec
	now   func() time.Time
	used  usedStates
}

// NewKeeper seals with the first of secrets and opens with all. Its key is one
// of its own: what is sealed here never opens as a session, nor the other way
// round.
func NewKeeper(secrets []session.Secret, now func() time.Time) *Keeper {
	return &Keeper{codec: session.NewCodec("sallyport.transaction", secrets), now: now}
}

// sealed is the cookie's content. Short names: it has to be small.
type sealed struct {
	Provider    string `json:"p"`
	State       string `json:"s"`
	Nonce       string `json:"n"`
	Verifier    string `json:"v"`
	RedirectURI string `json:"u"`
	ReturnTo    string `json:"r"`
	Params      string `json:"q,omitempty"`
	Expires     int64  `json:"e"`
}

// Begin puts a into a cookie and drops what has expired or is too much. secure
// says that the public URL is https.
func (k *Keeper) Begin(w http.ResponseWriter, r *http.Request, a Attempt, secure bool) error {
	payload, err := json.Marshal(sealed{
		Provider: a.Provider, State: a.State, Nonce: a.Nonce, Verifier: a.Verifier,
		RedirectURI: a.RedirectURI, ReturnTo: a.ReturnTo, Params: a.Params.Encode(), Expires: a.Expires.Unix(),
	})
	if err != nil {
		return err
	}
	value := k.codec.Seal(payload)
	k.prune(w, r, secure, len(value))
	http.SetCookie(w, hostcookie.New(nameFor(a.State, secure), value, int(kept/time.Second), secure))
	return nil
}

// prune deletes the cookies of attempts that are over, and of the oldest ones
// where a new one of size bytes would be too much. Of those that began in the
// same second the later ones in the header are newer: browsers list cookies of
// one path in the order in which they got them (RFC 6265 5.4).
func (k *Keeper) prune(w http.ResponseWriter, r *http.Request, secure bool, size int) {
	type open struct {
		name    string
		size    int
		expires int64
	}
	var live []open
	forgotten := 0
	drop := func(name string) {
		if forgotten++; forgotten <= maxForgotten {
			forget(w, name, secure)
		}
	}
	for _, c := range r.Cookies() {
		if !strings.HasPrefix(c.Name, hostcookie.Name(cookieName, secure)) {
			continue
		}
		s, ok := k.open(c.Value)
		if !ok || nameFor(s.State, secure) != c.Name || s.Expires < k.now().Unix() {
			drop(c.Name)
			continue
		}
		live = append(live, open{c.Name, len(c.Name) + len(c.Value), s.Expires})
	}
	slices.Reverse(live)
	slices.SortStableFunc(live, func(a, b open) int { return cmp.Compare(b.expires, a.expires) })
	total := size
	for i, c := range live {
		total += c.size
		if i+1 >= maxKept || total > maxKeptBytes {
			drop(c.name)
		}
	}
}

// Find returns the attempt that state names, whether or not it has expired. ok is
// false when this browser began none such.
func (k *Keeper) Find(r *http.Request, state string, secure bool) (a Attempt, ok bool) {
	for _, c := range r.CookiesNamed(nameFor(state, secure)) {
		s, ok := k.open(c.Value)
		if !ok || subtle.ConstantTimeCompare([]byte(s.State), []byte(state)) != 1 {
			continue
		}
		params, err := url.ParseQuery(s.Params)
		if err != nil {
			continue
		}
		expires := time.Unix(s.Expires, 0)
		return Attempt{
			Provider: s.Provider, State: s.State, Nonce: s.Nonce, Verifier: s.Verifier,
			RedirectURI: s.RedirectURI, ReturnTo: s.ReturnTo, Params: params,
			Restarted: Restarted(s.State), Begun: expires.Add(-Life), Expires: expires,
		}, true
	}
	return Attempt{}, false
}

// Use uses a up: its cookie is deleted, and this process takes its state only
// once. It reports whether this is that one time.
func (k *Keeper) Use(w http.ResponseWriter, a Attempt, secure bool) (first bool) {
	forget(w, nameFor(a.State, secure), secure)
	return k.used.add(a.State, k.now())
}

func (k *Keeper) open(value string) (s sealed, ok bool) {
	payload, err := k.codec.Open(value)
	if err != nil || json.Unmarshal(payload, &s) != nil || s.State == "" {
		return sealed{}, false
	}
	return s, true
}

func forget(w http.ResponseWriter, name string, secure bool) {
	http.SetCookie(w, hostcookie.New(name, "", -1, secure))
}

// nameFor names the cookie after a hash of the state: the state itself stands in
// URLs, and a name must not depend on what somebody puts there.
func nameFor(state string, secure bool) string {
	sum := sha256.Sum256([]byte(state))
	return hostcookie.Name(cookieName, secure) + base64.RawURLEncoding.EncodeToString(sum[:9])
}
