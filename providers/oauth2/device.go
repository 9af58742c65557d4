package oauth2

import (
	"context"
	"net/url"
	"strings"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// device is the device flow at the server.
func (p *Provider) device() codegrant.Device {
	params := url.Values{}
	if p.config.Scopes != nil {
		params.Set("scope", strings.Join(p.config.Scopes, " "))
	}
	for name := range p.config.AuthParams {
		params.Set(name, p.config.AuthParams.Get(name))
	}
	return codegrant.Device{Endpoint: p.config.DeviceURL, Params: params, Check: p.config.address, Token: p.tokenRequest()}
}

// AuthorizeDevice implements [auth.DeviceAuthorizer]: RFC 8628 3.1. The client
// authenticates as at the token endpoint, in the words of RFC 6749: [Config].Dialect
// changes nothing of this request. The error wraps one of package auth's, and is
// [auth.ErrMisconfigured] where there is no [Config].DeviceURL.
func (p *Provider) AuthorizeDevice(ctx context.Context) (*auth.DeviceAuthorization, error) {
	if p.config.DeviceURL == "" {
		return nil, p.fail("device authorization endpoint", codegrant.Misconfigured("DeviceURL is empty"))
	}
	d, err := p.device().Authorize(ctx, p.client)
	if err != nil {
		return nil, p.fail("device authorization endpoint", err)
	}
	return d, nil
}

// AwaitDevice implements [auth.DeviceAuthorizer]: RFC 8628 3.4. The error wraps one of
// package auth's, and names the provider and the step.
func (p *Provider) AwaitDevice(ctx context.Context, d *auth.DeviceAuthorization) (*auth.Identity, error) {
	t, err := p.device().Await(ctx, p.client, d)
	if err != nil {
		return nil, p.fail("token endpoint", err)
	}
	return p.identify(ctx, t)
}
