package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
	"github.com/sallyport/auth/providers/internal/dpop"
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
	needed := p.config.AlwaysUserinfo || p.lacks(c)
	wanted := !c.Has("email") && !c.Has("name")
	if m.userinfo == "" || !needed && !wanted {
		return c, nil
	}
	info, claims, err := p.userinfo(ctx, m, t, c)
	if err != nil {
		if !needed && errors.Is(err, auth.ErrUnavailable) {
			// Who it is, the ID token says.
			p.config.Logger.WarnContext(ctx, "auth: userinfo does not answer; somebody signs in with what the ID token says, which has no name and no e-mail address",
				"provider", p.config.Name, "cause", err.Error())
			return c, nil
		}
		return c, err
	}
	if subtle.ConstantTimeCompare([]byte(info.Subject), []byte(c.String("sub"))) != 1 {
		return c, codegrant.Invalid("sub is another one than the ID token's") // Core 5.3.2
	}
	return merge(c, Claims{claims}), nil
}

// lacks reports whether an ID token says less than what is needed. An address of
// which it does not say whether it is verified is half an answer: userinfo may say so
// of the same one. Groups that are only a part of them are as well.
func (p *Provider) lacks(c Claims) bool {
	hasGroups := slices.ContainsFunc(groupClaims, func(name string) bool {
		_, ok := groups(c.object, name)
		return ok && name != groupsDirect
	})
	if name := p.config.GroupsClaim; name != "" {
		_, hasGroups = groups(c.object, name)
	}
	hasEmail := c.Has("email") && (c.Has("email_verified") || p.config.TrustEmail)
	return p.config.Needs.Email && !hasEmail || p.config.Needs.Groups && !hasGroups
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
func (p *Provider) userinfo(ctx context.Context, m *metadata, t *oauth2.Token, id Claims) (*gooidc.UserInfo, strictjson.Object, error) {
	info, claims, call, err := p.askUserinfo(ctx, m, t, id)
	if call.HasNonce() && errors.Is(err, errUnauthorized) { // RFC 9449 9
		info, claims, _, err = p.askUserinfo(ctx, m, t, id)
	}
	return info, claims, err
}

// errUnauthorized is userinfo that does not take the token, or not without a nonce.
var errUnauthorized = codegrant.BadStatus(http.StatusUnauthorized)

func (p *Provider) askUserinfo(ctx context.Context, m *metadata, t *oauth2.Token, id Claims) (*gooidc.UserInfo, strictjson.Object, *dpop.Call, error) {
	var claims strictjson.Object
	var call *dpop.Call
	gate := p.client.Gate(codegrant.MaxDocument, func(r *upstream.Response) (err error) {
		call.Answered(r.Header)
		claims, err = readUserinfo(r, func(jwt string) (strictjson.Object, error) { return p.openUserinfo(ctx, jwt, id) })
		return err
	})
	call = p.dpop.Call(gate)
	info, err := m.provider.UserInfo(gooidc.ClientContext(ctx, &http.Client{Transport: call}), oauth2.StaticTokenSource(t))
	if err := gate.Err(); err != nil {
		return nil, nil, call, err
	}
	if err != nil {
		return nil, nil, call, codegrant.Invalid("the answer is not understood") // err may quote it
	}
	return info, claims, call, nil
}

// openUserinfo verifies a signed answer as an ID token is verified: Core 5.3.2. It is
// of the same issuer, for this client, as far as it says so: it should, and LemonLDAP
// does not, whose answer is then as good as one without a signature. That it is about
// the same person is checked of every answer. Which algorithm signs, the registration
// says and not the metadata, so all that are accepted count. It needs no expiry, and is
// held to the one that it has.
func (p *Provider) openUserinfo(ctx context.Context, jwt string, id Claims) (strictjson.Object, error) {
	t, err := readJWS(jwt, "JWT")
	if err != nil {
		return nil, err
	}
	if !slices.Contains(p.config.Algorithms, t.algorithm) {
		return nil, otherAlgorithm(t.algorithm, p.config.Algorithms)
	}
	claims, key, err := p.keys.verify(ctx, t)
	if err != nil {
		return nil, err
	}
	if _, there := claims["iss"]; !there {
		claims["iss"] = id.Raw("iss")
	}
	if err := checkIssuer(id.String("iss"), claims, key); err != nil {
		return nil, err
	}
	if _, there := claims["aud"]; there {
		if err := p.checkAudience(claims); err != nil {
			return nil, err
		}
	}
	if _, there := claims["exp"]; there {
		now := p.config.Now()
		if exp, ok := claims.Int("exp"); !ok {
			return nil, codegrant.Invalid("exp is no number")
		} else if exp <= now.Add(-clockSkew).Unix() {
			return nil, clockError("it has expired", now)
		}
	}
	return claims, nil
}

// readUserinfo keeps the claims, and leaves go-oidc those that it reads. The answer
// is JSON, whatever it calls itself, unless that is application/jwt, which open turns
// into claims: go-oidc would verify the signature alone, and neither issuer nor
// audience.
func readUserinfo(r *upstream.Response, open func(jwt string) (strictjson.Object, error)) (strictjson.Object, error) {
	if r.Status == http.StatusUnauthorized {
		return nil, errUnauthorized
	}
	if r.Status != http.StatusOK {
		return nil, codegrant.BadStatus(r.Status)
	}
	var o strictjson.Object
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && media == "application/jwt" {
		if o, err = open(strings.TrimSpace(string(r.Body))); err != nil {
			return nil, err
		}
	} else if o, err = strictjson.Parse(r.Body); err != nil {
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
