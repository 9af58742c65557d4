package oidc

import (
	"context"
	"fmt"
	"net/url"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// Provider is an [auth.Provider] for one OpenID Connect issuer. It is safe for concurrent
// use.
type Provider struct {
	config   Config
	client   *upstream.Client
	metadata *upstream.Lazy[*metadata]
	keys     *keySource
}

// Name implements [auth.Provider].
func (p *Provider) Name() string { return p.config.Name }

// Presentation implements [auth.Presenter].
func (p *Provider) Presentation() auth.Presentation { return p.config.Presentation }

// AnyoneMayEnter implements [auth.OpenDoor].
func (p *Provider) AnyoneMayEnter() bool { return p.config.AnyoneMayEnter }

// AuthCodeURL implements [auth.Provider].
func (p *Provider) AuthCodeURL(ctx context.Context, tx auth.Transaction) (string, error) {
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return "", p.fail("discovery", err)
	}
	return codegrant.AuthURL(m.authorization, p.config.ClientID, p.config.Scopes, tx, p.config.AuthParams, p.config.ParamNames, tx.Nonce), nil
}

// Exchange implements [auth.Provider].
func (p *Provider) Exchange(ctx context.Context, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return nil, p.fail("discovery", err)
	}
	iss := codegrant.Issuer{URL: p.config.Issuer, Required: m.issInResponse}
	if p.config.IssuerTemplate != "" {
		iss.Template = p.config.IssuerTemplate
	}
	code, err := codegrant.ReadResponse(p.config.Name, response, iss)
	if err != nil {
		return nil, p.fail("callback", err)
	}
	t, err := p.redeem(ctx, m, tx, code)
	if err != nil {
		return nil, p.fail("token endpoint", err)
	}
	claims, err := p.verifyIDToken(ctx, m, t, tx, code)
	if err != nil {
		return nil, p.fail("ID token", err)
	}
	if got := response.Get("iss"); iss.Template != "" && got != "" && got != claims.String("iss") {
		return nil, p.fail("callback", fmt.Errorf("%w: iss of the callback is not the ID token's", auth.ErrInvalidResponse))
	}
	if claims, err = p.completeFromUserinfo(ctx, m, t, claims); err != nil {
		return nil, p.fail("userinfo", err)
	}
	id, err := p.config.Map(ctx, claims)
	if err != nil {
		return nil, p.fail("identity", err)
	}
	id.Token = t.Token
	codegrant.Trim(id)
	return id, nil
}

// fail names the provider and the step. An error of no class of ours is the
// provider being unreachable.
func (p *Provider) fail(step string, err error) error {
	return codegrant.Fail(p.config.Name, step, err)
}

func (p *Provider) redeem(ctx context.Context, m *metadata, tx auth.Transaction, code string) (*codegrant.Tokens, error) {
	c := &p.config
	t, err := codegrant.TokenRequest{
		Provider: c.Name, Endpoint: m.token, Method: codegrant.Method(m.clientAuth),
		Client: codegrant.Client{ID: c.ClientID, KeyID: c.PrivateKeyID, Secret: c.ClientSecret, Key: c.PrivateKey, Audience: c.Issuer, Now: c.Now},
	}.Send(ctx, p.client, tx, code)
	if err == nil && t.IDToken == "" {
		err = codegrant.Invalid("the answer has no id_token")
	}
	return t, err
}
