package oidc

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// accessTokenTypes are what a JWT access token's header calls it: RFC 9068 2.1. An ID
// token has another type or none, and so is refused.
var accessTokenTypes = []string{"at+jwt", "application/at+jwt"}

// TakesTokens implements [auth.TokenVerifier].
func (p *Provider) TakesTokens() (issuer string, audiences []string, opaque bool) {
	issuer = p.config.Issuer
	if m := p.metadata.Last(); m != nil && !strings.Contains(m.issuer, codegrant.TenantMark) {
		issuer = m.issuer
	}
	return issuer, slices.Clone(p.config.APIAudiences), p.config.Introspect
}

// VerifyToken implements [auth.TokenVerifier]: RFC 9068 4 for a JWT, RFC 7662 for any
// other token, with [Config].Introspect.
func (p *Provider) VerifyToken(ctx context.Context, token string) (*auth.AccessToken, error) {
	verify := p.introspect
	if strings.Count(token, ".") == 2 {
		if !p.names(token) {
			return nil, nil
		}
		verify = p.verifyAccessToken
	} else if !p.config.Introspect {
		return nil, nil
	}
	claims, err := verify(ctx, token)
	if err == nil {
		var t *auth.AccessToken
		if t, err = p.accessToken(ctx, claims); err == nil {
			return t, nil
		}
	}
	if errors.Is(err, auth.ErrInvalidResponse) {
		err = fmt.Errorf("%w: %w", auth.ErrInvalidToken, err)
	}
	return nil, p.fail("access token", err)
}

// names reports whether token, of which nothing is verified yet, says that it is of this
// issuer, or nothing that can be read.
func (p *Provider) names(token string) bool {
	_, rest, _ := strings.Cut(token, ".")
	encoded, _, _ := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(token) > maxJWT {
		return true
	}
	issuer, named := "", false
	readable := strictjson.Members(string(raw), func(name, value string) bool {
		if name == "iss" {
			issuer, named = strictjson.String(value)
		}
		return true
	})
	return !readable || !named || p.VouchesFor(issuer)
}

// verifyAccessToken is RFC 9068 4. The algorithms are those of ID tokens: no metadata says
// which sign access tokens.
func (p *Provider) verifyAccessToken(ctx context.Context, raw string) (strictjson.Object, error) {
	t, err := readJWS(raw, accessTokenTypes...)
	if err != nil {
		return nil, err
	}
	if !t.typed {
		return nil, codegrant.Invalid("it has no typ, want %s", accessTokenTypes[0])
	}
	if !slices.Contains(p.config.Algorithms, t.algorithm) {
		return nil, codegrant.Invalid("it is signed with %q, want one of %q", codegrant.Printable(t.algorithm, 32), p.config.Algorithms)
	}
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return nil, err
	}
	claims, key, err := p.keys.verify(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := checkIssuer(m.issuer, claims, key); err != nil {
		return nil, err
	}
	if sub, _ := claims.String("sub"); sub == "" {
		return nil, codegrant.Invalid("it has no sub")
	}
	if _, ok := claims.Int("iat"); !ok {
		return nil, codegrant.Invalid("iat is missing or no number")
	}
	if _, ok := claims.Int("exp"); !ok {
		return nil, codegrant.Invalid("exp is missing or no number")
	}
	return claims, nil
}

// accessToken is what the claims of a token say, which its issuer has signed, or told
// just now.
func (p *Provider) accessToken(ctx context.Context, o strictjson.Object) (*auth.AccessToken, error) {
	if err := p.checkAPIAudience(o); err != nil {
		return nil, err
	}
	if o.Present("cnf") { // RFC 7800: whoever has it shows a key besides, for which there is no place here
		return nil, codegrant.Invalid("it is bound to a key (cnf), and is no bearer token")
	}
	if err := checkTokenTimes(o, p.config.Now()); err != nil {
		return nil, err
	}
	id, err := p.identity(ctx, Claims{o})
	if err != nil {
		return nil, err
	}
	scope, _ := o.String("scope")
	t := &auth.AccessToken{Identity: id, Scopes: strings.Fields(scope), Machine: isMachine(o)}
	if exp, ok := o.Int("exp"); ok {
		t.Expires = time.Unix(min(exp, latest), 0)
	}
	return t, nil
}

// checkAPIAudience wants this API among the audiences: a token for another one, or for
// userinfo alone, must not open this one (RFC 9068 4, RFC 9700 2.3).
func (p *Provider) checkAPIAudience(o strictjson.Object) error {
	list, _ := audiences(o)
	if slices.ContainsFunc(list, func(a string) bool { return slices.Contains(p.config.APIAudiences, a) }) {
		return nil
	}
	return codegrant.Invalid("aud is %q, want one of APIAudiences", codegrant.Printable(strings.Join(list, " "), 200))
}

// checkTokenTimes holds those of exp, iat and nbf that are there to the clock here.
func checkTokenTimes(o strictjson.Object, now time.Time) error {
	skew := int64(clockSkew / time.Second)
	for _, name := range []string{"exp", "iat", "nbf"} {
		at, ok := o.Int(name)
		switch {
		case !ok && o.Present(name):
			return codegrant.Invalid("%s is no number", name)
		case !ok:
		case name == "exp" && at <= now.Unix()-skew:
			return codegrant.Invalid("it has expired")
		case name != "exp" && at > now.Unix()+skew:
			return codegrant.Invalid("%s is in the future", name)
		}
	}
	return nil
}

// isMachine reports whether a client has the token for itself: RFC 9068 2.2 has the
// client's id as sub then, Auth0 with something behind it, and Entra says so.
func isMachine(o strictjson.Object) bool {
	sub, _ := o.String("sub")
	client, _ := o.String("client_id")
	azp, _ := o.String("azp")
	kind, _ := o.String("idtyp")
	client = cmp.Or(client, azp)
	return kind == "app" || client != "" && (sub == client || sub == client+"@clients")
}

// aboutClient has claims that name nobody be about their client.
func aboutClient(o strictjson.Object) error {
	if o.Present("sub") {
		return nil
	}
	client, _ := o.String("client_id")
	if client == "" {
		return codegrant.Invalid("it has neither sub nor client_id")
	}
	o["sub"], _ = json.Marshal(client) // text is always JSON
	return nil
}
