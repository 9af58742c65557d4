// Package attempt keeps attempts to sign in, from the redirect to the identity
// provider until the callback, each sealed in a cookie of its own in the browser
// that makes it.
//
//	POST /signin/github   New, Begin   -> cookie __Host-authjs.txn.<hash of state>, sealed
//	     identity provider
//	GET /callback/github  Find, Use    <- the attempt that the state names; its cookie is deleted
//
// Several tabs can sign in at once, on any node, with no memory on a server. What
// a cookie cannot promise, that a state is taken once, each process sees to for
// itself, and the identity provider by refusing a code's second use.
package attempt

import (
	"crypto/rand"
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

const (
	// Life is how long a person has at the identity provider.
	Life = 10 * time.Minute

	// restartMark begins the state of an attempt that a failed one began, so that
	// a browser that keeps no cookies does not go round in circles.
	restartMark = "r."
)

// Attempt is one attempt to sign in. It has the fields of the root's
// Transaction, which documents them, and converts to it.
type Attempt struct {
	Provider    string
	State       string
	Nonce       string
	Verifier    string
	RedirectURI string
	ReturnTo    string
	Params      url.Values
	Restarted   bool
	Begun       time.Time
	Expires     time.Time
}

// New makes an attempt with secrets of its own: state and nonce of 128 bits, and
// the code verifier of RFC 7636 4.1 with 256. restarted says that an earlier one
// failed and this one is made in its place.
func (k *Keeper) New(provider, redirectURI, returnTo string, params url.Values, restarted bool) Attempt {
	state := randomText()
	if restarted {
		state = restartMark + state
	}
	now := k.now()
	return Attempt{
		Provider:    provider,
		State:       state,
		Nonce:       randomText(),
		Verifier:    oauth2.GenerateVerifier(),
		RedirectURI: redirectURI,
		ReturnTo:    returnTo,
		Params:      params,
		Restarted:   restarted,
		Begun:       now,
		Expires:     now.Add(Life),
	}
}

// Restarted reports whether state is one of an attempt that was made in the place
// of a failed one. It holds for a state of which no cookie came back, too.
func Restarted(state string) bool { return strings.HasPrefix(state, restartMark) }

func randomText() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}
