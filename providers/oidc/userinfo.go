package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// protected are the claims that only the ID token speaks of.
var protected = []string{"iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "acr", "amr", "auth_time", "tid", "oid", "sid"}

// completeFromUserinfo adds the claims that the ID token lacks. What it says
// itself, userinfo cannot change.
func (p *Provider) completeFromUserinfo(ctx context.Context, m *metadata, t *codegrant.Tokens, c Claims) (Claims, error) {
	lacking := !c.Has("email") && !c.Has("name")
	if m.userinfo == "" || !p.config.AlwaysUserinfo && !lacking {
		return c, nil
	}
	info, err := p.userinfo(ctx, m.userinfo, t.Token.AccessToken)
	if err != nil {
		if !p.config.AlwaysUserinfo && errors.Is(err, auth.ErrUnavailable) {
			return c, nil // who it is, the ID token says
		}
		return c, err
	}
	sub, _ := info.String("sub")
	if subtle.ConstantTimeCompare([]byte(sub), []byte(c.String("sub"))) != 1 {
		return c, codegrant.Invalid("sub is another one than the ID token's") // Core 5.3.2
	}
	for _, name := range protected {
		delete(info, name)
	}
	if c.Has("email") {
		delete(info, "email_verified") // said of another address
	}
	all := maps.Clone(info)
	maps.Copy(all, c.object)
	return Claims{all}, nil
}

func (p *Provider) userinfo(ctx context.Context, endpoint, token string) (strictjson.Object, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", endpoint, nil)
	if err != nil {
		return nil, err
	}
	req.Header = http.Header{"Authorization": {"Bearer " + token}, "Accept": {"application/json"}, "User-Agent": {codegrant.UserAgent}}
	resp, err := p.client.Do(req, codegrant.MaxDocument)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
	}
	if resp.Status != http.StatusOK {
		return nil, codegrant.BadStatus(resp.Status)
	}
	o, err := strictjson.Parse(resp.Body)
	if err != nil {
		return nil, codegrant.Invalid("the answer is no JSON object")
	}
	return o, nil
}
