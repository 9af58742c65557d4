package codegrant_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

func TestCheckParams(t *testing.T) { // ST-16, LG-06
	require.NoError(t, codegrant.CheckParams(nil, nil))
	require.NoError(t, codegrant.CheckParams(url.Values{"prompt": {"login"}, "x": {""}}, []string{"login_hint"}))
	for _, own := range []string{"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce",
		"code_challenge", "code_challenge_method", "request", "request_uri", "client_secret"} {
		want := fmt.Sprintf("the parameter %q is the protocol's own", own)
		require.EqualError(t, codegrant.CheckParams(url.Values{own: {"x"}}, nil), want)
		require.EqualError(t, codegrant.CheckParams(nil, []string{"prompt", own}), want)
	}
	require.EqualError(t, codegrant.CheckParams(url.Values{"x": {}}, nil), `AuthParams: "x" has no value`)
}

// TestAuthRequest: a parameter stands once, and what is ours is ours.
func TestAuthRequest(t *testing.T) { // PK-01, NO-01, ST-16, ST-20
	endpoint, err := url.Parse("https://x.example/authorize?tenant=x&prompt=own&fixed=own&nonce=own&state=own&request=own")
	require.NoError(t, err)
	before := *endpoint
	r := codegrant.AuthRequest{Endpoint: endpoint, ClientID: "app", Scopes: []string{"a", "b"}, Nonce: true,
		Fixed: url.Values{"fixed": {"1"}, "both": {"1"}}, Names: []string{"prompt", "both", "max_age"}}
	tx := auth.Transaction{State: "s", Nonce: "n", Verifier: "v", RedirectURI: "https://app.example/cb",
		Params: url.Values{"both": {"2"}, "max_age": {""}, "evil": {"x"}}}
	query := func() url.Values {
		u, err := url.Parse(r.URL(tx))
		require.NoError(t, err)
		require.Equal(t, before, *endpoint, "it is shared")
		q := u.Query()
		q.Del("code_challenge")
		return q
	}
	want := url.Values{"tenant": {"x"}, "prompt": {"own"}, "fixed": {"1"}, "both": {"2"}, "nonce": {"n"}, "state": {"s"}, "scope": {"a b"}, "client_id": {"app"},
		"response_type": {"code"}, "redirect_uri": {"https://app.example/cb"}, "code_challenge_method": {"S256"}}
	require.Equal(t, want, query())
	tx.Nonce = ""
	want.Del("nonce")
	require.Equal(t, want, query())
	tx.Nonce, r.Nonce = "n", false
	require.Equal(t, want, query())
	tx.Params.Set("prompt", "login")
	want.Set("prompt", "login")
	require.Equal(t, want, query())
	endpoint.RawQuery, endpoint.ForceQuery = "", true
	require.True(t, strings.HasPrefix(r.URL(tx), "https://x.example/authorize?b"), r.URL(tx))
}

func TestValidName(t *testing.T) {
	for name, ok := range map[string]bool{"a": true, "github": true, "azure-ad": true, "a1-2b": true, "": false, "-": false, "a-": false, "-a": false, "a--b": false, "A": false, "a/b": false, "a\n": false} {
		require.Equal(t, ok, codegrant.ValidName(name), "%q", name)
	}
}

func TestTrim(t *testing.T) { // ID-35, UI-08
	const https = "https://x.example/"
	for picture, kept := range map[string]bool{
		https: true, https + strings.Repeat("x", 2048-len(https)): true, https + strings.Repeat("x", 2049-len(https)): false,
		"http://x.example/": false, "javascript:alert(1)": false, "data:image/png;base64,AA": false, "": false,
	} {
		id := &auth.Identity{Picture: picture}
		codegrant.Trim(id)
		require.Equal(t, kept, id.Picture != "", picture)
	}
}

func TestFail(t *testing.T) {
	for _, class := range []error{auth.ErrDeclined, auth.ErrNotAllowed, auth.ErrRedirectURI, auth.ErrClock, auth.ErrExpired, auth.ErrNoTransaction,
		auth.ErrSessionTooLarge, auth.ErrInvalidResponse, auth.ErrStore, auth.ErrMisconfigured} {
		err := codegrant.Fail("idp", "step", fmt.Errorf("odd: %w", class))
		require.EqualError(t, err, "auth: idp: step: odd: "+class.Error())
		require.ErrorIs(t, err, class)
		require.NotErrorIs(t, err, auth.ErrUnavailable)
	}
	odd := errors.New("odd")
	err := codegrant.Fail("idp", "step", odd)
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.ErrorIs(t, err, odd)
	require.EqualError(t, codegrant.Fail("idp", "step", codegrant.BadStatus(503)), "auth: idp: step: "+auth.ErrUnavailable.Error()+": status 503")
}

func TestPrompts(t *testing.T) {
	both := []string{"login", "select_account"}
	for _, test := range []struct {
		heeded         []string
		fixed          url.Values
		names          []string
		account, login string
	}{
		{both, nil, []string{"prompt"}, "select_account", "login"},
		{both[:1], nil, []string{"prompt"}, "login", "login"},
		{both[1:], nil, []string{"prompt"}, "select_account", ""},
		{nil, nil, []string{"prompt"}, "", ""},
		{both, nil, []string{"login_hint"}, "", ""},                           // it would not be passed on
		{both, url.Values{"prompt": {"consent"}}, []string{"prompt"}, "", ""}, // the operator's counts
	} {
		account, login := codegrant.Prompts(test.heeded, test.fixed, test.names)
		require.Equal(t, test.account, account, "%+v", test)
		require.Equal(t, test.login, login, "%+v", test)
	}
}
