package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/sallyport/auth/internal/strictjson"
)

// protected are the claims that only the ID token speaks of.
var protected = []string{"iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "acr", "amr", "auth_time", "tid", "oid", "sid"}

// completeFromUserinfo adds the claims that the ID token lacks. What it says
// itself, userinfo cannot change.
func (p *OIDC) completeFromUserinfo(ctx context.Context, m *metadata, t *tokens, c Claims) (Claims, error) {
	lacking := !c.Has("email") && !c.Has("name")
	if m.userinfo == "" || !p.config.AlwaysUserinfo && !lacking {
		return c, nil
	}
	info, err := p.userinfo(ctx, m.userinfo, t.token.AccessToken)
	if err != nil {
		if !p.config.AlwaysUserinfo && errors.Is(err, ErrUnavailable) {
			return c, nil // who it is, the ID token says
		}
		return c, err
	}
	sub, _ := info.String("sub")
	if subtle.ConstantTimeCompare([]byte(sub), []byte(c.String("sub"))) != 1 {
		return c, invalid("sub is another one than the ID token's") // Core 5.3.2
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

func (p *OIDC) userinfo(ctx context.Context, endpoint, token string) (strictjson.Object, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", endpoint, nil)
	if err != nil {
		return nil, err
	}
	req.Header = http.Header{"Authorization": {"Bearer " + token}, "Accept": {"application/json"}, "User-Agent": {userAgent}}
	resp, err := p.client.Do(req, maxDocument)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if resp.Status != http.StatusOK {
		return nil, statusError(resp.Status)
	}
	o, err := strictjson.Parse(resp.Body)
	if err != nil {
		return nil, invalid("the answer is no JSON object")
	}
	return o, nil
}
