package oidc_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

func TestCallbackIssuer(t *testing.T) { // MX-01 to MX-04
	cases := []struct {
		name   string
		change func(url.Values)
		err    error
	}{
		{"missing though promised", func(v url.Values) { v.Del("iss") }, auth.ErrInvalidResponse},
		{"another", func(v url.Values) { v.Set("iss", "https://evil.example") }, auth.ErrInvalidResponse},
		{"slash", func(v url.Values) { v.Set("iss", v.Get("iss")+"/") }, auth.ErrInvalidResponse},
		{"empty", func(v url.Values) { v.Set("iss", "") }, auth.ErrInvalidResponse},
		{"error of another issuer", func(v url.Values) {
			v.Del("code")
			v.Set("error", "access_denied")
			v.Set("iss", "https://evil.example")
		}, auth.ErrInvalidResponse},
		{"error of ours", func(v url.Values) { v.Del("code"); v.Set("error", "access_denied") }, auth.ErrDeclined},
		{"CB-02 a code beside an error", func(v url.Values) { v.Set("error", "access_denied") }, auth.ErrInvalidResponse},
		{"ST-12 two codes", func(v url.Values) { v.Add("code", "x") }, auth.ErrInvalidResponse},
		{"CB-03 no code", func(v url.Values) { v.Del("code") }, auth.ErrInvalidResponse},
		{"CB-03 long code", func(v url.Values) { v.Set("code", strings.Repeat("x", 5000)) }, auth.ErrInvalidResponse},
		{"CB-03 NUL", func(v url.Values) { v.Set("code", "a\x00") }, auth.ErrInvalidResponse},
		{"ST-18 tokens", func(v url.Values) { v.Set("access_token", "x") }, auth.ErrInvalidResponse},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRelying(t, nil)
			tx := r.transaction()
			response, err := r.authorize(tx)
			require.NoError(t, err)
			c.change(response)
			_, err = r.p.Exchange(context.Background(), tx, response)
			require.ErrorIs(t, err, c.err)
			require.NotErrorIs(t, err, map[bool]error{true: auth.ErrDeclined, false: auth.ErrUnavailable}[c.err != auth.ErrDeclined])
			require.Zero(t, r.idp.Hits("token"))
		})
	}
}

func TestProviderErrorIsPrintable(t *testing.T) { // CB-01, LG-02
	r := newRelying(t, nil)
	tx := r.transaction()
	response, err := r.authorize(tx)
	require.NoError(t, err)
	response.Del("code")
	response.Set("error", "<script>\x1b[31m\r\n")
	response.Set("error_description", strings.Repeat("\u202ex\n", 5000)+"\xff")
	_, err = r.p.Exchange(context.Background(), tx, response)
	require.ErrorIs(t, err, auth.ErrInvalidResponse)
	require.Less(t, len(err.Error()), 3000)
	require.NotContains(t, err.Error(), "\n")
	require.NotContains(t, err.Error(), "\x1b")
}
