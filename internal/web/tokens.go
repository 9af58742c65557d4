package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// refreshAhead is how long before its end a token is made anew, so that what is called
// with it still takes it.
const refreshAhead = time.Minute

// tokenSource gives the provider's tokens of one request's session. The session itself is
// the application's to read in any goroutine, and is left as it is.
type tokenSource struct {
	ctx    context.Context
	server *Server
	who    *session.Session
	client netip.Addr
	stale  error // why the tokens in a cookie were not made anew
	tokens atomic.Pointer[session.ProviderTokens]
}

// TokenSource has the provider's tokens of whoever sent the request that ctx belongs to.
func TokenSource(ctx context.Context) (oauth2.TokenSource, bool) {
	v := asking(ctx)
	if v == nil || !v.hasTokens() {
		return nil, false
	}
	t := &tokenSource{ctx: ctx, server: v.owner, who: v.session, client: v.client, stale: v.stale}
	if v.given {
		t.server = nowhere
	}
	t.tokens.Store(v.session.ProviderTokens)
	return t, true
}

// hasTokens reports whether the session has a provider's tokens. What the backend has put
// into one of its own is the backend's; and an ID token alone is for signing out.
func (v *visit) hasTokens() bool {
	return v.session != nil && v.session.ProviderTokens != nil && v.session.ProviderTokens.AccessToken != "" && !v.foreign
}

// Token implements [oauth2.TokenSource].
func (t *tokenSource) Token() (*oauth2.Token, error) {
	s, tokens := t.server, t.tokens.Load()
	if !s.tokensInCookie && s.due(t.who, tokens) {
		next, err := s.refreshed(t.ctx, t.who, t.client)
		switch {
		case err == nil:
			tokens = next
			t.tokens.Store(next)
		case errors.Is(err, session.ErrEnded):
			return nil, fmt.Errorf("%w: %w", fault.ErrSignInAgain, err)
		case s.expired(tokens):
			return nil, err
		}
	}
	switch {
	case !s.expired(tokens):
	case t.stale != nil:
		return nil, t.stale
	default:
		return nil, fmt.Errorf("%w: the access token, and there is nothing to have another one with", fault.ErrExpired)
	}
	token := &oauth2.Token{AccessToken: tokens.AccessToken, TokenType: tokens.TokenType, Expiry: tokens.ExpiresAt}
	return token.WithExtra(map[string]any{"id_token": tokens.IDToken, "scope": tokens.Scope}), nil
}

func (s *Server) expired(t *session.ProviderTokens) bool {
	return !t.ExpiresAt.IsZero() && !s.now().Before(t.ExpiresAt)
}

// due reports whether t, which are the tokens of who, are to be made anew, and can be.
func (s *Server) due(who *session.Session, t *session.ProviderTokens) bool {
	way := s.ways[who.Provider]
	return way != nil && way.Refresh != nil && t.RefreshToken != "" && !t.ExpiresAt.IsZero() && !s.now().Add(refreshAhead).Before(t.ExpiresAt)
}

// refreshed are tokens of who that are not due. client is where the request came from.
func (s *Server) refreshed(ctx context.Context, who *session.Session, client netip.Addr) (*session.ProviderTokens, error) {
	own := *who // the application's to change, and this may outlive the request
	due := func(t *session.ProviderTokens) bool { return s.due(&own, t) }
	return s.sessions.RefreshTokens(ctx, &own, due, func(ctx context.Context, old *session.ProviderTokens) (*session.ProviderTokens, error) {
		next, err := s.ways[own.Provider].Refresh(ctx, old)
		switch {
		case errors.Is(err, fault.ErrSignInAgain):
			e := eventOf(Refused, &own)
			code, _ := fault.Of(err)
			e.Client, e.Reason, e.RequestID, e.Err = client, string(code), requestID(), err
			s.publish(ctx, e)
			return nil, fmt.Errorf("%w: %w", session.ErrEnded, err)
		case err != nil:
			s.log.WarnContext(ctx, "auth: a provider's tokens could not be made anew; the session goes on",
				"provider", own.Provider, "subject", own.Subject, "cause", err.Error())
			return nil, err
		}
		return next, nil
	})
}

// refreshInCookie makes tokens in a cookie anew that are due. Whose provider refuses is
// nobody, and endGone sees to it that they stay so. What is no request to be answered with
// a cookie, or not one of the person's own, changes nothing.
func (s *Server) refreshInCookie(r *http.Request, v *visit) {
	if !v.hasTokens() {
		return
	}
	who := v.session
	v.client = s.Client(r)
	if !s.tokensInCookie || v.unsure || v.given || who.ReadOnly() || isUpgrade(r) || !s.due(who, who.ProviderTokens) {
		return
	}
	next, err := s.refreshed(r.Context(), who, v.client)
	switch {
	case err == nil:
		who.ProviderTokens, v.changed = next, true
	case errors.Is(err, session.ErrEnded):
		v.session, v.gone = nil, true
	default:
		v.stale = err
	}
}

// tellOfTokens tells the operator that the session of who, which had tokens before it was
// written, has no room for them.
func (s *Server) tellOfTokens(r *http.Request, who *session.Session, before *session.ProviderTokens) {
	if before != nil && before.AccessToken != "" && who.ProviderTokens == nil {
		s.log.ErrorContext(r.Context(), "auth: the provider's tokens do not fit into a session in a cookie, and are not kept: keep sessions in a Session.Store, or say by Session.MaxSetCookieBytes that your proxies pass more",
			"provider", who.Provider, "subject", who.Subject)
	}
}
