package oidc

import (
	"context"

	"github.com/sallyport/auth/providers/internal/codegrant"
	"github.com/sallyport/auth/session"
)

// RevokeTokens implements [auth.TokenRevoker]: RFC 7009. With the refresh token the
// issuer takes back what it gave for it, as far as it can (RFC 7009 2.1). The client
// authenticates as at the token endpoint. It does nothing where the metadata has no
// revocation_endpoint.
func (p *Provider) RevokeTokens(ctx context.Context, t *session.ProviderTokens) error {
	token, kind := t.RefreshToken, "refresh_token"
	if token == "" {
		token, kind = t.AccessToken, "access_token"
	}
	m, err := p.metadata.Get(ctx)
	switch {
	case err != nil:
		return p.fail("discovery", err)
	case m.revocation == "" || token == "":
		return nil
	}
	if err := p.clientAt(m).Revoke(ctx, p.client, m.revocation, codegrant.Method(m.clientAuth), token, kind); err != nil {
		return p.fail("revocation endpoint", err)
	}
	return nil
}
