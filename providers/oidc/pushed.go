package oidc

import (
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// pushedEndpoint is where authorization requests are sent before the browser goes (RFC 9126
// 5), or "" where they are in its address: the issuer does not ask for it, nor does
// [Config].PushedRequests.
func (p *Provider) pushedEndpoint(o strictjson.Object) (string, error) {
	if required, _ := o.Bool("require_pushed_authorization_requests"); !required && !p.config.PushedRequests {
		return "", nil
	}
	address, ok := p.endpoint(o, "pushed_authorization_request_endpoint")
	if !ok {
		return "", codegrant.Misconfigured("the issuer has no pushed_authorization_request_endpoint")
	}
	u, err := p.checkEndpoint("pushed_authorization_request_endpoint", address)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}
