package oidc

import (
	"context"
	"net/url"
	"strings"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// device is the device flow at m's issuer. [Config].AuthParams are sent with it: what an
// issuer wants to be told at each sign-in, an audience perhaps, it wants here too.
func (p *Provider) device(m *metadata) codegrant.Device {
	params := url.Values{"scope": {strings.Join(p.config.Scopes, " ")}}
	for name := range p.config.AuthParams {
		params.Set(name, p.config.AuthParams.Get(name))
	}
	check := func(address string) (*url.URL, error) { return p.checkEndpoint("verification_uri", address) }
	return codegrant.Device{Endpoint: m.device, Params: params, Check: check, Token: p.tokenRequest(m)}
}

// AuthorizeDevice implements [auth.DeviceAuthorizer]: RFC 8628 3.1. The client
// authenticates as at the token endpoint. The error wraps one of package auth's, and is
// [auth.ErrMisconfigured] where the metadata has no device_authorization_endpoint.
func (p *Provider) AuthorizeDevice(ctx context.Context) (*auth.DeviceAuthorization, error) {
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return nil, p.fail("discovery", err)
	}
	if m.device == "" {
		return nil, p.fail("discovery", codegrant.Misconfigured("the issuer has no device_authorization_endpoint, or one that is not https"))
	}
	d, err := p.device(m).Authorize(ctx, p.client)
	if err != nil {
		return nil, p.fail("device authorization endpoint", err)
	}
	return d, nil
}

// AwaitDevice implements [auth.DeviceAuthorizer]: RFC 8628 3.4. An ID token is required,
// and is held to what holds for one at a sign-in, but that it has no nonce: none was sent.
// The error wraps one of package auth's, and names the provider and the step.
func (p *Provider) AwaitDevice(ctx context.Context, d *auth.DeviceAuthorization) (*auth.Identity, error) {
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return nil, p.fail("discovery", err)
	}
	t, err := p.device(m).Await(ctx, p.client, d)
	if err == nil {
		err = wantIDToken(t)
	}
	if err != nil {
		return nil, p.fail("token endpoint", p.refusal(err))
	}
	return p.identify(ctx, m, t, p.ofDevice)
}

// ofDevice has the rules for the ID token of a device flow. A nonce in it is that of
// another sign-in: Core 2.
func (p *Provider) ofDevice(o strictjson.Object, _ string) error {
	if o.Present("nonce") {
		return codegrant.Invalid("it has a nonce, and none was sent")
	}
	return p.checkAuthTime(o, auth.Transaction{})
}
