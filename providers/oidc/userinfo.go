package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"maps"
	"net/http"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// protected are the claims that only the ID token speaks of. Userinfo is not signed
// for us: it adds to a person, and says neither who vouches for whom nor when and
// how they signed in.
var protected = []string{"iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "acr", "amr", "auth_time", "tid", "oid", "sid"}

// completeFromUserinfo adds the claims that the ID token lacks. What it says
// itself, userinfo cannot change. Where nobody asked for userinfo, an endpoint that is
// down costs the person a name and an address, and not the sign-in; one that speaks
// of somebody else is an attack, and refused in any case.
func (p *Provider) completeFromUserinfo(ctx context.Context, m *metadata, t *oauth2.Token, c Claims) (Claims, error) {
	lacking := !c.Has("email") && !c.Has("name")
	if m.userinfo == "" || !p.config.AlwaysUserinfo && !lacking {
		return c, nil
	}
	info, claims, err := p.userinfo(ctx, m, t)
	if err != nil {
		if !p.config.AlwaysUserinfo && errors.Is(err, auth.ErrUnavailable) {
			return c, nil // who it is, the ID token says
		}
		return c, err
	}
	if subtle.ConstantTimeCompare([]byte(info.Subject), []byte(c.String("sub"))) != 1 {
		return c, codegrant.Invalid("sub is another one than the ID token's") // Core 5.3.2
	}
	return merge(c, Claims{claims}), nil
}

// merge is what the ID token says, and what userinfo adds. A null says nothing.
// email_verified belongs to the address that it was said of: the ID token's word is
// about the ID token's address, and userinfo's about its own.
func merge(id, info Claims) Claims {
	all := maps.Clone(info.object)
	for _, name := range protected {
		delete(all, name)
	}
	delete(all, "email_verified")
	for name, value := range id.object {
		if id.Has(name) && name != "email_verified" {
			all[name] = value
		}
	}
	verified := info.object["email_verified"]
	if id.Has("email") && (id.Has("email_verified") || info.String("email") != id.String("email")) {
		verified = id.object["email_verified"]
	}
	if verified != nil {
		all["email_verified"] = verified
	}
	return Claims{all}
}

// userinfo is OpenID Connect Core 5.3, by go-oidc, and all that the endpoint said.
func (p *Provider) userinfo(ctx context.Context, m *metadata, t *oauth2.Token) (*gooidc.UserInfo, strictjson.Object, error) {
	var claims strictjson.Object
	gate := p.client.Gate(codegrant.MaxDocument, func(r *upstream.Response) (err error) {
		claims, err = readUserinfo(r)
		return err
	})
	info, err := m.provider.UserInfo(gooidc.ClientContext(ctx, gate.HTTPClient()), oauth2.StaticTokenSource(t))
	if err := gate.Err(); err != nil {
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, codegrant.Invalid("the answer is not understood") // err may quote it
	}
	return info, claims, nil
}

// readUserinfo keeps the claims, and leaves go-oidc those that it reads. The answer
// is JSON, whatever it calls itself: of application/jwt, go-oidc would verify the
// signature alone, and neither issuer nor audience.
func readUserinfo(r *upstream.Response) (strictjson.Object, error) {
	if r.Status != http.StatusOK {
		return nil, codegrant.BadStatus(r.Status)
	}
	o, err := strictjson.Parse(r.Body)
	if err != nil {
		return nil, codegrant.Invalid("the answer is no JSON object")
	}
	var known struct {
		Subject       string `json:"sub"`
		Profile       string `json:"profile"`
		Email         string `json:"email"`
		EmailVerified bool   `json:"email_verified"`
	}
	known.Subject, _ = o.String("sub")
	known.Profile, _ = o.String("profile")
	known.Email, _ = o.String("email")
	known.EmailVerified, _ = o.Bool("email_verified")
	r.Header = http.Header{"Content-Type": {"application/json"}}
	r.Body, err = json.Marshal(known)
	return o, err
}
