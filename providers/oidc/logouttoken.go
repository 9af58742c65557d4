package oidc

import (
	"context"
	"slices"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

const (
	// logoutEvent is what makes a JWT a logout token: Back-Channel Logout 2.4.
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

	maxLogoutAge = 5 * time.Minute // of a logout token
	maxTokenID   = 255             // bytes of its jti
)

// VerifyLogout implements [auth.LogoutVerifier]: OpenID Connect Back-Channel Logout 1.0,
// section 2.6. What holds for ID tokens holds for logout tokens: the form, the algorithms, the keys
// and how often they are fetched, the issuer, the audiences. The algorithm is that of the
// last ID token, where one has come: a client is registered for one (2.6). Beyond that, exp and jti are
// required, it was issued in the last five minutes, and it has no nonce, so that an ID token
// is none. "typ" may be logout+jwt, JWT or missing: many issuers send none.
//
// Whether the token has been used, the caller finds out. The error wraps one of package
// auth's.
func (p *Provider) VerifyLogout(ctx context.Context, token string) (*auth.Logout, error) {
	l, err := p.verifyLogoutToken(ctx, token)
	if err != nil {
		return nil, p.fail("logout token", err)
	}
	return l, nil
}

func (p *Provider) verifyLogoutToken(ctx context.Context, token string) (*auth.Logout, error) {
	t, err := readJWS(token, "logout+jwt", "JWT")
	if err != nil {
		return nil, err
	}
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(m.algorithms, t.algorithm) {
		return nil, otherAlgorithm(t.algorithm, m.algorithms)
	}
	if used, ok := p.signed.Load().(string); ok && used != t.algorithm {
		return nil, otherAlgorithm(t.algorithm, []string{used})
	}
	o, key, err := p.keys.verify(ctx, t)
	if err != nil {
		return nil, err
	}
	p.nameIssuer(m, o)
	if err := checkIssuer(m.issuer, o, key); err != nil {
		return nil, err
	}
	if err := p.checkAudience(o); err != nil {
		return nil, err
	}
	l, err := readLogout(o)
	if err != nil {
		return nil, err
	}
	now := p.config.Now()
	if err := checkTimes(o, now); err != nil {
		return nil, err
	}
	if now.Sub(l.IssuedAt) > maxLogoutAge+clockSkew {
		return nil, clockError("it was issued more than five minutes ago", now)
	}
	if p.mapped && l.SessionID != "" {
		// Config.Map may have given the person another subject. What the token is about is
		// the session (2.7).
		l.Subject = ""
	}
	return l, nil
}

// readLogout reads what makes claims those of a logout token, but for whose and when.
func readLogout(o strictjson.Object) (*auth.Logout, error) {
	events, err := strictjson.Parse(o["events"])
	if err != nil {
		return nil, codegrant.Invalid("events is no JSON object")
	}
	if _, err := strictjson.Parse(events[logoutEvent]); err != nil {
		return nil, codegrant.Invalid("events has no member %s that is an object", logoutEvent)
	}
	if _, there := o["nonce"]; there {
		return nil, codegrant.Invalid("it has a nonce, as an ID token has")
	}
	var l auth.Logout
	for _, claim := range []struct {
		name     string
		to       *string
		max      int
		required bool
	}{{"iss", &l.Issuer, maxJWT, true}, {"jti", &l.TokenID, maxTokenID, true}, {"sub", &l.Subject, maxSubject, false}, {"sid", &l.SessionID, maxSubject, false}} {
		if _, there := o[claim.name]; !there && !claim.required {
			continue
		}
		var ok bool
		if *claim.to, ok = o.String(claim.name); !ok || *claim.to == "" || len(*claim.to) > claim.max {
			return nil, codegrant.Invalid("%s is not a string of 1 to %d bytes", claim.name, claim.max)
		}
	}
	if l.Subject == "" && l.SessionID == "" {
		return nil, codegrant.Invalid("it has neither sub nor sid")
	}
	if iat := date(o, "iat"); iat != nil {
		l.IssuedAt = time.Unix(*iat, 0)
	}
	return &l, nil
}
