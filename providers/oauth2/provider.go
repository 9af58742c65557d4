package oauth2

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// The way of an exchange, from the callback to an identity:
//
//	             gate                          library            rules
//	             -------------------------     ---------------    -----------------------
//	callback                                                      iss, one code, no tokens
//	token        the code is sent once, no     x/oauth2           Bearer, expiry by our
//	endpoint     redirect, 1 MiB, strict       Config.Exchange    clock, the required
//	             JSON or a form, members       (PKCE)             scopes
//	             typed
//	API          no redirect, 1 MiB, strict                       Identify
//	             JSON

// Provider is an [auth.Provider] for one OAuth 2.0 server. It is safe for
// concurrent use.
type Provider struct {
	config Config
	auth   *url.URL
	client *upstream.Client
}

// Name implements [auth.Provider].
func (p *Provider) Name() string { return p.config.Name }

// Type implements [auth.Typed].
func (p *Provider) Type() string { return "oauth" }

// Presentation implements [auth.Presenter].
func (p *Provider) Presentation() auth.Presentation { return p.config.Presentation }

// Prompts implements [auth.Prompter].
func (p *Provider) Prompts() (account, login string) {
	return codegrant.Prompts(p.config.Prompts, p.config.AuthParams, p.config.ParamNames)
}

// Lacks implements [auth.Lacking].
func (p *Provider) Lacks() (emails, groups bool) { return p.config.NoEmails, p.config.NoGroups }

// AnyoneMayEnter implements [auth.OpenDoor].
func (p *Provider) AnyoneMayEnter() bool { return p.config.AnyoneMayEnter }

// VouchesFor implements [auth.Voucher]: for [Config].Issuer.
func (p *Provider) VouchesFor(issuer string) bool { return issuer == p.config.Issuer }

// AuthCodeURL implements [auth.Provider]. It does no I/O, and the error is nil.
func (p *Provider) AuthCodeURL(_ context.Context, tx auth.Transaction) (string, error) {
	c := &p.config
	return codegrant.AuthRequest{
		Endpoint: p.auth, ClientID: c.ClientID, Scopes: c.Scopes, Fixed: c.AuthParams, Names: c.ParamNames, Dialect: codegrant.Dialect(c.Dialect),
	}.URL(tx), nil
}

// Exchange implements [auth.Provider]. The error wraps one of package auth's, and
// names the provider and the step.
func (p *Provider) Exchange(ctx context.Context, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
	c := &p.config
	code, err := codegrant.ReadResponse(c.Name, cmp.Or(c.AuthParams.Get("prompt"), tx.Params.Get("prompt")), response, codegrant.Issuer{URL: c.Issuer})
	if err != nil {
		return nil, p.fail("callback", err)
	}
	t, err := p.tokenRequest().Exchange(ctx, p.client, tx, code)
	if err != nil {
		return nil, p.fail("token endpoint", err)
	}
	return p.identify(ctx, t)
}

// identify is whom the token of a sign-in belongs to.
func (p *Provider) identify(ctx context.Context, t *oauth2.Token) (*auth.Identity, error) {
	c := &p.config
	if err := p.checkScopes(t); err != nil {
		return nil, p.fail("token endpoint", err)
	}
	id, err := c.Identify(ctx, &API{token: t, client: p.client})
	if err == nil && id == nil {
		err = codegrant.Misconfigured("Identify returned neither an identity nor an error")
	}
	if err != nil {
		return nil, p.fail("identity", err)
	}
	if id.Issuer == "" {
		id.Issuer = c.Issuer
	}
	id.Token = t
	codegrant.Trim(id)
	return id, nil
}

// Refresh implements [auth.Refresher]. Whom the tokens belong to is not asked again. The
// error wraps one of package auth's.
func (p *Provider) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	t, err := p.tokenRequest().Refresh(ctx, p.client, old.RefreshToken)
	if err != nil {
		return nil, p.fail("token endpoint", err)
	}
	return t, nil
}

// tokenRequest is a request to the token endpoint.
func (p *Provider) tokenRequest() codegrant.TokenRequest {
	c := &p.config
	return codegrant.TokenRequest{
		Provider: c.Name, Endpoint: c.TokenURL, Method: codegrant.Method(c.ClientAuth), Forms: true,
		Client: codegrant.Client{ID: c.ClientID, Secret: c.ClientSecret, Now: c.Now}, Dialect: codegrant.Dialect(c.Dialect),
	}
}

// checkScopes wants the required scopes granted. A server that says nothing granted
// what was asked for: RFC 6749 5.1. GitHub separates with commas.
func (p *Provider) checkScopes(t *oauth2.Token) error {
	scope, said := t.Extra("scope").(string)
	if !said {
		return nil
	}
	granted := strings.FieldsFunc(scope, func(r rune) bool { return r == ' ' || r == ',' })
	for _, s := range p.config.RequiredScopes {
		if !slices.Contains(granted, s) {
			return fmt.Errorf("%w: the scope %q was not granted", auth.ErrDeclined, s)
		}
	}
	return nil
}

// fail names the provider and the step.
func (p *Provider) fail(step string, err error) error {
	return codegrant.Fail(p.config.Name, step, err)
}
