package oauth2_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oauth2"
)

func TestVouchesForItsIssuer(t *testing.T) {
	p, err := oauth2.New(oauth2.Config{
		Name: "git", Issuer: "https://git.example.com", AuthURL: "https://git.example.com/a", TokenURL: "https://git.example.com/t",
		ClientID: "app", ClientSecret: auth.NewSecret("secret"),
		Identify: func(context.Context, *oauth2.API) (*auth.Identity, error) { return nil, auth.ErrNotAllowed },
	})
	require.NoError(t, err)
	for issuer, want := range map[string]bool{"https://git.example.com": true, "https://git.example.com/": false, "https://other.example.com": false, "": false} {
		require.Equal(t, want, p.VouchesFor(issuer), issuer)
	}
}
