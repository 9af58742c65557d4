package oidc

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/session"
)

// maxHint is the longest ID token that goes into an address, in bytes. Servers refuse
// addresses that are much longer, and nobody would be signed out.
const maxHint = 2 << 10

// endSessionEndpoint is where people are signed out at the issuer, or nil. One that no
// browser may be sent to is none: nobody is kept from signing in by it.
func (p *Provider) endSessionEndpoint(o strictjson.Object) *url.URL {
	address, ok := o.String("end_session_endpoint")
	if !ok {
		return nil
	}
	u, err := p.checkEndpoint("end_session_endpoint", address)
	if err != nil {
		return nil
	}
	return u
}

// EndSessionURL implements [auth.SessionEnder]: OpenID Connect RP-Initiated Logout 1.0, 2.
//
// The ID token says whose session it is, if it is kept and has at most 2 KiB. Otherwise
// the name does by which the person signed in, and the issuer may ask them. It may have
// to wait for discovery; ctx bounds that.
func (p *Provider) EndSessionURL(ctx context.Context, s *session.Session, back, state string) (string, error) {
	m, err := p.metadata.Get(ctx)
	switch {
	case err != nil:
		return "", p.fail("discovery", err)
	case m.endSession == nil && p.config.SignOutURL == nil:
		return "", nil
	case m.endSession == nil:
		return p.config.SignOutURL(back + "?" + url.Values{"state": {state}}.Encode()), nil
	}
	target := *m.endSession
	query := target.Query()
	for _, own := range []string{"id_token_hint", "logout_hint"} {
		query.Del(own)
	}
	query.Set("client_id", p.config.ClientID)
	query.Set("post_logout_redirect_uri", back)
	query.Set("state", state)
	hint := cmp.Or(s.Username, s.Email)
	if t := s.ProviderTokens; t != nil && t.IDToken != "" && len(t.IDToken) <= maxHint {
		query.Set("id_token_hint", t.IDToken)
		hint = loginHint(t.IDToken)
	}
	if hint != "" {
		query.Set("logout_hint", hint)
	}
	target.RawQuery, target.ForceQuery = query.Encode(), false
	return target.String(), nil
}

// loginHint is the claim of an ID token by which Entra ID knows an account again: with
// it, it does not ask which one is to be signed out
// (https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc#send-a-sign-out-request).
// The token was verified at the sign-in.
func loginHint(idToken string) string {
	_, rest, _ := strings.Cut(idToken, ".")
	payload, _, _ := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return ""
	}
	claims, err := strictjson.Parse(raw)
	if err != nil {
		return ""
	}
	hint, _ := claims.String("login_hint")
	return hint
}
