package oidc_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// TestHeaderOfTheTokenBefore: a header that is known vouches for no other payload,
// signature, or header.
func TestHeaderOfTheTokenBefore(t *testing.T) { // ID-01
	r := newAPI(t, nil)
	parts := func(token string) []string { return strings.Split(token, ".") }
	first, second := parts(r.idp.AccessToken(nil, claims{"jti": "1"})), parts(r.idp.AccessToken(nil, claims{"jti": "2"}))
	further := parts(r.idp.AccessToken(claims{"x": 1}, claims{"jti": "1"}))
	require.Equal(t, first[0], second[0])
	nobody := providertest.Encode(claims{"alg": "RS256", "typ": "at+jwt", "kid": r.idp.SigningKeyID(), "x": 2})
	for range 2 {
		for _, good := range [][]string{first, second, further, first} {
			_, err := r.p.VerifyToken(context.Background(), strings.Join(good, "."))
			require.NoError(t, err)
			require.Equal(t, good[0], oidc.KeptHeader(r.p))
		}
		for name, bad := range map[string][]string{
			"another payload":   {first[0], second[1], first[2]},
			"another signature": {first[0], first[1], second[2]},
			"another header":    {further[0], first[1], first[2]},
			"a header of none":  {nobody, first[1], first[2]},
		} {
			_, err := r.p.VerifyToken(context.Background(), strings.Join(bad, "."))
			require.ErrorIs(t, err, auth.ErrInvalidToken, name)
			require.Equal(t, first[0], oidc.KeptHeader(r.p), "%s: of those that are verified", name)
		}
	}
}

func TestHeadersInTurnAtOnce(t *testing.T) {
	r := newAPI(t, nil)
	var wg sync.WaitGroup
	for i := range 4 {
		token := r.idp.AccessToken(claims{"x": i % 2}, nil)
		wg.Go(func() {
			for range 50 {
				if _, err := r.p.VerifyToken(context.Background(), token); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
