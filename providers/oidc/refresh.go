package oidc

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// Refresh implements [auth.Refresher]: OpenID Connect Core 12. An ID token in the answer is
// held to what holds for one at a sign-in, but for the nonce, and to being about the same
// sign-in as old's. One that is not ends the session: the issuer vouches for somebody
// else, or for nobody. Its other claims count for nothing. The error wraps one of package
// auth's.
func (p *Provider) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return nil, p.fail("discovery", err)
	}
	t, err := p.tokenRequest(m).Refresh(ctx, p.client, old.RefreshToken)
	if err != nil {
		return nil, p.fail("token endpoint", err)
	}
	if idToken(t) == "" { // which Core 12.2 leaves to the issuer
		return t, nil
	}
	_, err = p.verifyIDToken(ctx, m, t, p.ofRefresh(m, idToken(old)))
	switch {
	case err == nil:
		return t, nil
	case !errors.Is(err, auth.ErrUnavailable) && !errors.Is(err, auth.ErrClock):
		err = fmt.Errorf("%w: %w", auth.ErrSignInAgain, err)
	}
	return nil, p.fail("ID token", err)
}

// ofRefresh has the rules of Core 12.2 for an ID token that comes after before.
func (p *Provider) ofRefresh(m *metadata, before string) func(strictjson.Object, string) error {
	return func(o strictjson.Object, _ string) error {
		first, err := claimsOf(before)
		if err != nil {
			return codegrant.Invalid("there is no ID token of the sign-in to compare it with")
		}
		p.nameIssuer(m, first)
		for _, name := range []string{"iss", "sub"} {
			was, _ := first.String(name)
			if is, _ := o.String(name); is != was {
				return codegrant.Invalid("%s is not that of the sign-in", name)
			}
		}
		if is, was := string(o["azp"]), string(first["azp"]); is != was {
			return codegrant.Invalid("azp is not that of the sign-in")
		}
		for _, name := range []string{"nonce", "auth_time"} {
			if o.Present(name) && first.Present(name) && string(o[name]) != string(first[name]) {
				return codegrant.Invalid("%s is not that of the sign-in", name)
			}
		}
		return nil
	}
}

// claimsOf reads an ID token that was verified before.
func claimsOf(token string) (strictjson.Object, error) {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil, err
	}
	return strictjson.Parse(raw)
}
