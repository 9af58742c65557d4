package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/internal/web"
	"github.com/sallyport/auth/session"
)

// A TokenVerifier is a [Provider] whose access tokens an API takes beside sessions, where
// its configuration says so.
type TokenVerifier interface {
	// TakesTokens returns the issuer, as its metadata spells it, what tokens call this API,
	// and whether tokens count that do not say whose they are. Without audiences, no tokens
	// are taken, and VerifyToken is not called.
	TakesTokens() (issuer string, audiences []string, opaque bool)

	// VerifyToken says whose a token is, which anybody may have sent. The result is nil
	// without an error for one of another issuer. An error wraps [ErrInvalidToken], or
	// [ErrNotAllowed], or else means that nobody can tell.
	VerifyToken(ctx context.Context, token string) (*AccessToken, error)
}

// AccessToken is what the issuer of an access token says of it.
type AccessToken struct {
	Identity *Identity // by whose leave it was issued, or the client, if Machine
	Scopes   []string  // what it is for
	Machine  bool      // a client has it for itself
	Expires  time.Time // zero where the issuer does not say
}

// scopeClaim says in a session for what an access token was issued.
const scopeClaim = "scope"

// bearer has the requests taken that bring access tokens of p.
func (ad admission) bearer(w *web.Way, p Provider, v TokenVerifier) {
	w.TakesTokens = v.TakesTokens
	w.Bearer = func(ctx context.Context, token string) (*session.Session, error) {
		t, err := v.VerifyToken(ctx, token)
		if err != nil || t == nil {
			return nil, err
		}
		admitted, err := ad.admit(ctx, p.Name(), t.Identity, t)
		if err != nil {
			return nil, err
		}
		s := admitted.Session
		if w.VouchesFor != nil && !w.VouchesFor(s.Issuer) {
			return nil, fmt.Errorf("%w: the token's issuer %q is none of provider %q", ErrMisconfigured, s.Issuer, p.Name())
		}
		s.Machine, s.AuthTime, s.ExpiresAt = t.Machine, t.Identity.AuthTime, t.Expires
		return s, nil
	}
}

// write has s say what t is for.
func (t *AccessToken) write(s *session.Session) error {
	s.Machine = t.Machine
	return s.SetClaim(scopeClaim, strings.Join(t.Scopes, " "))
}

// RequireScope is a [Rule] that wants an access token for all of scopes. Others get 403
// with the challenge of RFC 6750, which names them. A person who has signed in here has
// given no token, and so is refused, unless Config.Enrich has set the claim "scope": names
// with spaces between them.
//
// It panics without scopes, and where one is no text of visible ASCII without quotation
// marks and backslashes.
func RequireScope(scopes ...string) Rule {
	mustBeNames("RequireScope", scopes)
	wanted := strings.Join(scopes, " ")
	return func(s *session.Session) error {
		var has string
		if _, err := s.Claim(scopeClaim, &has); err != nil || !covers(has, wanted) {
			return &fault.Scope{Wanted: wanted}
		}
		return nil
	}
}

// covers reports whether has, names with spaces between them, has all of wanted.
func covers(has, wanted string) bool {
	for scope := range strings.SplitSeq(wanted, " ") {
		if !strings.Contains(" "+has+" ", " "+scope+" ") {
			return false
		}
	}
	return true
}

// tokenWays reports whether access tokens of some provider are taken. Of the providers that
// are asked about tokens that do not say whose they are, one alone may be there, and no
// backend with tokens of its own: it would learn the others'.
func (c *Config) tokenWays() (takes bool, err error) {
	asked := ""
	for _, p := range c.Providers {
		v, ok := p.(TokenVerifier)
		if !ok {
			continue
		}
		_, audiences, opaque := v.TakesTokens()
		takes = takes || len(audiences) > 0
		if opaque && asked != "" {
			err = errors.Join(err, fmt.Errorf("auth: providers %q and %q are both asked about tokens that do not say whose they are: let one of them", asked, p.Name()))
		}
		if opaque {
			asked = p.Name()
		}
	}
	if asked != "" && c.Backend != nil {
		err = errors.Join(err, fmt.Errorf("auth: provider %q is asked about tokens that do not say whose they are, and may be the Backend's", asked))
	}
	return takes, err
}
