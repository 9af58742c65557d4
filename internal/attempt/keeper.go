package attempt

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"maps"
	"net/http"
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
	// browser; the oldest are dropped. Servers answer 400 or 431 when Cookie headers
	// grow without bound, nginx from 8 kB on, and a session is in there too.
	maxKept      = 8
	maxKeptBytes = 4600

	// At most so many cookies are deleted in one answer: whoever plants more must
	// not make an answer that a proxy does not pass on. The rest goes next time.
	maxForgotten = 16
)

// Keeper keeps the attempts of one application. It is safe for concurrent use.
type Keeper struct {
	codec *session.Codec
	name  string // what the names of its cookies begin with
	now   func() time.Time
	used  usedStates

	framed bool // cookies count in a frame of another site
}

// NewKeeper seals with the first of secrets and opens with all. Its key is one
// of its own: what is sealed here never opens as a session, nor the other way
// round. The names of its cookies begin with prefix. framed says that they are to count
// in a frame of another site.
func NewKeeper(prefix string, secrets []session.Secret, now func() time.Time, framed bool) *Keeper {
	return &Keeper{codec: session.NewCodec("sallyport.transaction", secrets), name: prefix + ".txn.", now: now, framed: framed}
}

// Begin puts a into a cookie, or two, and drops what has expired or is too much.
// secure says that the public URL is https.
func (k *Keeper) Begin(w http.ResponseWriter, r *http.Request, a Attempt, secure bool) error {
	value, err := k.seal(a)
	if err != nil {
		return err
	}
	k.prune(w, r, secure, len(value))
	name := k.nameFor(a.State, secure)
	for ; len(value) > partSize; name += restMark {
		http.SetCookie(w, hostcookie.New(name, value[:partSize], int(kept/time.Second), secure, k.framed))
		value = value[partSize:]
	}
	http.SetCookie(w, hostcookie.New(name, value, int(kept/time.Second), secure, k.framed))
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
	rest, used := map[string][]*http.Cookie{}, map[string]bool{} // by name; those that a live one needs
	var heads []*http.Cookie
	for _, c := range r.Cookies() {
		switch {
		case !strings.HasPrefix(c.Name, hostcookie.Name(k.name, secure)):
		case strings.HasSuffix(c.Name, restMark):
			rest[c.Name] = append(rest[c.Name], c)
		default:
			heads = append(heads, c)
		}
	}
	forgotten := 0
	drop := func(name string) {
		if forgotten++; forgotten <= maxForgotten {
			k.forget(w, name, secure)
		}
	}
	left := maxJoined
	for _, c := range heads {
		second := rest[c.Name+restMark]
		s, ok := k.read(c.Value, second, &left)
		if !ok || k.nameFor(s.State, secure) != c.Name || s.Expires < k.now().Unix() {
			drop(c.Name)
			continue
		}
		one := open{c.Name, len(c.Name) + len(c.Value), s.Expires}
		for _, part := range second {
			used[part.Name] = true
			one.size += len(part.Name) + len(part.Value)
		}
		live = append(live, one)
	}
	slices.Reverse(live)
	slices.SortStableFunc(live, func(a, b open) int { return cmp.Compare(b.expires, a.expires) })
	total := size
	for i, c := range live {
		total += c.size
		if i+1 >= maxKept || total > maxKeptBytes {
			drop(c.name)
			delete(used, c.name+restMark)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		if !used[name] {
			drop(name)
		}
	}
}

// Find returns the attempt that state names, whether or not it has expired. ok is
// false when this browser began none such.
func (k *Keeper) Find(r *http.Request, state string, secure bool) (a Attempt, ok bool) {
	name, left := k.nameFor(state, secure), maxJoined
	rest := r.CookiesNamed(name + restMark)
	for _, c := range r.CookiesNamed(name) {
		s, ok := k.read(c.Value, rest, &left)
		if !ok || subtle.ConstantTimeCompare([]byte(s.State), []byte(state)) != 1 {
			continue
		}
		if a, ok := s.attempt(); ok {
			return a, true
		}
	}
	return Attempt{}, false
}

// Use uses a up: its cookies, which r brings, are deleted, and this process takes its
// state only once. It reports whether this is that one time.
func (k *Keeper) Use(w http.ResponseWriter, r *http.Request, a Attempt, secure bool) (first bool) {
	name := k.nameFor(a.State, secure)
	k.forget(w, name, secure)
	if len(r.CookiesNamed(name+restMark)) > 0 {
		k.forget(w, name+restMark, secure)
	}
	return k.used.add(a.State, k.now())
}

func (k *Keeper) forget(w http.ResponseWriter, name string, secure bool) {
	http.SetCookie(w, hostcookie.New(name, "", -1, secure, k.framed))
}

// nameFor names the cookie after a hash of the state: the state itself stands in
// URLs, and a name must not depend on what somebody puts there.
func (k *Keeper) nameFor(state string, secure bool) string {
	sum := sha256.Sum256([]byte(state))
	return hostcookie.Name(k.name, secure) + base64.RawURLEncoding.EncodeToString(sum[:9])
}
