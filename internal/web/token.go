package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

const (
	// tokenKept is how long a token counts without a look at who it is for: a policy, the
	// application, and an issuer that is asked have changed their minds by then.
	tokenKept = time.Minute

	// maxTokenBytes bounds the tokens that are remembered in each half.
	maxTokenBytes = 8 << 20

	maxToken = 16 << 10 // bytes of one that is looked at

	// So many tokens of one client, of which only an issuer can tell that they do not
	// count, may be asked about at once, and then one in so long.
	tokenBurst = 30
	tokenEvery = 2 * time.Second
)

// knownToken is what was found out about a token: whose it is, or why it does not count.
type knownToken struct {
	who   *session.Session
	err   error
	until time.Time
}

// bearerToken is the token of r's Authorization header (RFC 6750 2.1). One in the query or
// in a form is none, and of two headers neither is.
func bearerToken(r *http.Request) (token string, ok bool) {
	lines := r.Header["Authorization"]
	if len(lines) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(lines[0], " ")
	return strings.TrimLeft(token, " "), strings.EqualFold(scheme, "Bearer")
}

// lookAtToken finds out about an access token. The session is for this request alone.
func (s *Server) lookAtToken(r *http.Request, v *visit) {
	token, ok := bearerToken(r)
	if !ok || !s.takesTokens || len(token) > maxToken || strings.Count(token, ".") == 4 {
		return // with four dots it is a session's, which does not count any more
	}
	known, ok := s.tokens.Get(token)
	if !ok || !s.now().Before(known.until) {
		if known, ok = s.askAboutToken(r, token); !ok {
			return
		}
	}
	var person *fault.Person
	switch err := known.err; {
	case err == nil:
		v.session, v.foreign, v.borne, v.token = known.who.AsBearer(), true, true, true
	case errors.Is(err, fault.ErrNotAllowed):
		who := &session.Session{}
		if errors.As(err, &person) {
			who = &session.Session{Issuer: person.Issuer, Subject: person.Subject, Email: person.Email}
		}
		v.refused = &refused{who, err}
	default:
		v.err = err
	}
}

// askAboutToken has each way look at token, until one knows it. ok is false where none
// does, so that it may be the backend's.
func (s *Server) askAboutToken(r *http.Request, token string) (known knownToken, ok bool) {
	client, opaque := s.Client(r), strings.Count(token, ".") != 2
	if wait := s.tokenPace.Wait(client); opaque && wait > 0 {
		return knownToken{err: &fault.Limited{Wait: wait, Err: fault.ErrTooMany}}, true
	}
	for _, way := range s.order {
		if way.Bearer == nil {
			continue
		}
		who, err := way.Bearer(r.Context(), token)
		if who == nil && err == nil {
			continue
		}
		known = knownToken{who, err, s.now().Add(tokenKept)}
		switch {
		case err == nil:
			known.who.IssuedAt = s.now()
			known.who.ExpiresAt = cmp.Or(known.who.ExpiresAt, known.until)
			if known.who.ExpiresAt.Before(known.until) {
				known.until = known.who.ExpiresAt
			}
		case errors.Is(err, fault.ErrInvalidToken):
			s.log.InfoContext(r.Context(), "auth: an access token does not count", "provider", way.Name, "client", client.String(), "cause", err.Error())
			if !opaque {
				return known, true // cheap to look at again, and counts once the issuer's keys are here
			}
			s.tokenPace.Take(client)
		case errors.Is(err, fault.ErrNotAllowed):
		default:
			known.err = fmt.Errorf("%w: %w", fault.ErrUnavailable, err)
			return known, true
		}
		s.tokens.Put(token, known, len(token), maxTokenBytes)
		return known, true
	}
	if s.backend != nil {
		return known, false
	}
	return knownToken{err: fmt.Errorf("%w: no provider of an API knows it", fault.ErrInvalidToken)}, true
}

// tokenChallenge is what a client is told that brings no access token, or none that is
// enough, for which error stands: RFC 6750 3, RFC 9728 5.1.
func (s *Server) tokenChallenge(r *http.Request, v *visit, problem string) string {
	text := `Bearer realm="` + v.origin.Host + `"`
	if problem != "" {
		text += ", " + problem
	}
	if !s.takesTokens {
		return text
	}
	return text + `, resource_metadata="` + s.resourceMetadata(r, v) + `"`
}
