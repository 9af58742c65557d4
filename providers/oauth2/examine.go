package oauth2

import (
	"context"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// Examine implements [auth.Examiner]: a sign-in is begun, and a code that there is not is
// redeemed, to learn whether the server knows the client.
func (p *Provider) Examine(ctx context.Context, callback string) []auth.Finding {
	address, err := p.AuthCodeURL(ctx, codegrant.TryTransaction(p.config.Name, callback))
	if err != nil {
		return []auth.Finding{{Grade: auth.GradeFaulty, Text: err.Error()}}
	}
	return []auth.Finding{codegrant.TryBegin(ctx, p.client, address, callback), p.tokenRequest().TryClient(ctx, p.client, callback)}
}
