package oidc

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
	"github.com/sallyport/auth/providers/internal/dpop"
)

// The way of an exchange, from the callback to an identity. Each step has a gate
// before it, a library in the middle, and rules after it; what fails one of them
// goes no further.
//
//	               gate                          library               rules
//	               -------------------------     ------------------    -------------------------
//	metadata       one request, no redirect,     go-oidc               endpoints are https,
//	               1 MiB, strict JSON            NewProvider           algorithms, issuer template
//	                                             (issuer)
//	callback                                                           iss, one code, no tokens
//	token          the code is sent once,        x/oauth2              Bearer, expiry by our
//	endpoint       1 MiB, strict JSON,           Config.Exchange       clock, an ID token
//	               members typed                 (PKCE)
//	ID token       a compact JWS in its one      go-oidc               issuer, audiences, azp,
//	               form, known algorithm,        Verify over our       sub, nonce, at_hash,
//	               no header that redefines it   key set (signature,   c_hash, iat, nbf
//	                                             iss, aud, exp)
//	userinfo       as for the metadata           go-oidc               the same sub; adds claims,
//	                                             UserInfo              changes none
//
// The libraries see a document with the members that they read, by their exact
// names and of the right types, and nothing else of what came. The claims of an
// identity are from the whole document, parsed strictly.

// Provider is an [auth.Provider] for one OpenID Connect issuer. It is safe for
// concurrent use.
type Provider struct {
	config   Config
	dpop     *dpop.Prover // nil where tokens are not bound to a key
	internal *url.URL     // where the issuer is reached; nil for where it is
	client   *upstream.Client
	metadata *upstream.Lazy[*metadata]
	keys     *keySource
	signed   atomic.Value // the algorithm, a string, of the ID token that was verified last
	mapped   bool         // by the configuration's Map, which may make another subject of "sub"
}

// Name implements [auth.Provider].
func (p *Provider) Name() string { return p.config.Name }

// Presentation implements [auth.Presenter].
func (p *Provider) Presentation() auth.Presentation { return p.config.Presentation }

// AnyoneMayEnter implements [auth.OpenDoor].
func (p *Provider) AnyoneMayEnter() bool { return p.config.AnyoneMayEnter }

// VouchesFor implements [auth.Voucher]: for the issuer, with or without a slash at its
// end, or for each of its tenants.
func (p *Provider) VouchesFor(issuer string) bool {
	want := cmp.Or(p.config.IssuerTemplate, p.config.Issuer)
	return issuer == want || p.isIssuer(issuer) || isTenantOf(want, issuer)
}

// FormAnswer implements [auth.FormPoster]. It keeps what the protocol says, and drops
// the rest. Without [Config].FormPost it is nil.
func (p *Provider) FormAnswer(form url.Values) url.Values {
	if !p.config.FormPost {
		return nil
	}
	return codegrant.FormAnswer(form)
}

// Expired implements [auth.Expirer].
func (p *Provider) Expired(response url.Values) bool { return codegrant.Expired(response) }

// Restarts implements [auth.Restarter]: not with [Config].FAPI2, whose conformance tests
// want an end after a wrong state.
func (p *Provider) Restarts() bool { return !p.config.FAPI2 }

// Prompts implements [auth.Prompter].
func (p *Provider) Prompts() (account, login string) {
	return codegrant.Prompts(p.config.Prompts, p.config.AuthParams, p.config.ParamNames)
}

// Lacks implements [auth.Lacking].
func (p *Provider) Lacks() (emails, groups bool) {
	return false, p.config.NoGroups && p.config.GroupsClaim == ""
}

// AuthCodeURL implements [auth.Provider]. It may have to wait for discovery, and for the
// issuer to take a pushed request; ctx bounds that. The error wraps [auth.ErrUnavailable] or [auth.ErrMisconfigured].
func (p *Provider) AuthCodeURL(ctx context.Context, tx auth.Transaction) (string, error) {
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return "", p.fail("discovery", err)
	}
	c := &p.config
	request := codegrant.AuthRequest{
		Endpoint: m.authorization, ClientID: c.ClientID, Scopes: c.Scopes, Fixed: c.AuthParams, Names: c.ParamNames, Nonce: true, FormPost: c.FormPost,
		Signed: m.signedRequests, Dialect: codegrant.Dialect{InsecureNoPKCE: c.InsecureNoPKCE},
	}
	client := p.clientAt(m)
	if p.dpop != nil {
		request.BoundTo = p.dpop.Thumbprint()
	}
	address, step := "", "authorization request"
	switch {
	case m.pushed != "":
		step = "pushed authorization request"
		address, err = request.Push(ctx, tx, c.Name, client, p.client, m.pushed, codegrant.Method(m.clientAuth))
	case m.signedRequests:
		address, err = request.SignedURL(tx, client)
	default:
		address = request.URL(tx)
	}
	if err != nil {
		return "", p.fail(step, err)
	}
	return address, nil
}

// Exchange implements [auth.Provider]: OpenID Connect Core 3.1.2.7 to 3.1.3.7, and
// 5.3 where there is userinfo. The error wraps one of package auth's, and names the
// provider and the step.
func (p *Provider) Exchange(ctx context.Context, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return nil, p.fail("discovery", err)
	}
	iss := codegrant.Issuer{URL: m.issuer, Template: p.config.IssuerTemplate, Required: m.issInResponse}
	code, err := codegrant.ReadResponse(p.config.Name, cmp.Or(p.config.AuthParams.Get("prompt"), tx.Params.Get("prompt")), response, iss)
	if err != nil {
		return nil, p.fail("callback", p.refusal(err))
	}
	t, err := p.redeem(ctx, m, tx, code)
	if err != nil {
		return nil, p.fail("token endpoint", err)
	}
	return p.identify(ctx, m, t, func(o strictjson.Object, algorithm string) error {
		if got := response.Get("iss"); iss.Template != "" && got != "" {
			if issuer, _ := o.String("iss"); got != issuer {
				return codegrant.Invalid("iss of the callback is not the ID token's")
			}
		}
		return p.ofSignIn(tx, code)(o, algorithm)
	})
}

// identify is whom the tokens of a sign-in are about.
func (p *Provider) identify(ctx context.Context, m *metadata, t *oauth2.Token, occasion func(o strictjson.Object, algorithm string) error) (*auth.Identity, error) {
	claims, err := p.verifyIDToken(ctx, m, t, occasion)
	if err != nil {
		return nil, p.fail("ID token", err)
	}
	if claims, err = p.completeFromUserinfo(ctx, m, t, claims); err != nil {
		return nil, p.fail("userinfo", err)
	}
	id, err := p.identity(ctx, claims)
	if err != nil {
		return nil, p.fail("identity", err)
	}
	id.Token = t
	return id, nil
}

// identity is whom verified claims are about.
func (p *Provider) identity(ctx context.Context, claims Claims) (*auth.Identity, error) {
	id, err := p.config.Map(ctx, claims)
	if err == nil && id == nil {
		err = codegrant.Misconfigured("Map returned neither an identity nor an error")
	}
	if err != nil {
		return nil, err
	}
	if p.config.GroupsClaim != "" {
		id.Groups = claims.Groups(p.config.GroupsClaim)
	}
	if p.config.TrustEmail && id.Email != "" {
		id.EmailVerified = true
	}
	id.SessionID = cmp.Or(id.SessionID, claims.String("sid"))
	if iat := date(claims.object, "iat"); iat != nil {
		id.IssuedAt = time.Unix(*iat, 0)
	}
	addStrength(id, claims)
	codegrant.Trim(id)
	return id, nil
}

// addStrength adds when and how the person signed in, as the ID token has it, unless Map
// has said so.
func addStrength(id *auth.Identity, claims Claims) {
	if at, ok := claims.object.Int("auth_time"); ok && at > 0 && id.AuthTime.IsZero() {
		id.AuthTime = time.Unix(min(at, latest), 0)
	}
	id.ACR = cmp.Or(id.ACR, claims.String("acr"))
	if id.AMR == nil {
		id.AMR = claims.Strings("amr")
	}
}

// refusal is err with what the issuer means by it, if that is something of its own.
func (p *Provider) refusal(err error) error {
	var said *auth.ProviderError
	if p.config.Refusal == nil || !errors.As(err, &said) {
		return err
	}
	if own := p.config.Refusal(said.Code, said.Description); own != nil {
		said.Err = own
	}
	return err
}

// tokenRequest is a request to the token endpoint.
func (p *Provider) tokenRequest(m *metadata) codegrant.TokenRequest {
	return codegrant.TokenRequest{
		Provider: p.config.Name, Endpoint: m.token, Method: codegrant.Method(m.clientAuth), Client: p.clientAt(m),
		Dialect: codegrant.Dialect{InsecureNoPKCE: p.config.InsecureNoPKCE},
	}
}

// redeem returns a token that has an ID token in its Extra.
func (p *Provider) redeem(ctx context.Context, m *metadata, tx auth.Transaction, code string) (*oauth2.Token, error) {
	t, err := p.tokenRequest(m).Exchange(ctx, p.client, tx, code)
	if err != nil {
		return nil, err
	}
	return t, wantIDToken(t)
}

// wantIDToken refuses an answer without one. Userinfo is no substitute: Core 3.1.3.3.
func wantIDToken(t *oauth2.Token) error {
	if idToken(t) == "" {
		return codegrant.Invalid("the answer has no id_token")
	}
	return nil
}

func idToken(t *oauth2.Token) string {
	raw, _ := t.Extra("id_token").(string)
	return raw
}

// fail names the provider and the step.
func (p *Provider) fail(step string, err error) error {
	return codegrant.Fail(p.config.Name, step, err)
}
