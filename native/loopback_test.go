package native_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/native"
	"github.com/sallyport/auth/pages"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// provider is that of a public client, and the identity provider that it trusts.
func provider(t *testing.T, change func(*oidc.Config)) (*oidc.Provider, *providertest.Server) {
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "cli"}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true}},
	})
	t.Cleanup(idp.Close)
	c := oidc.Config{Name: "idp", Issuer: idp.Issuer(), ClientID: "cli", ClientAuth: oidc.ClientAuthNone}
	if change != nil {
		change(&c)
	}
	p, err := oidc.New(c)
	require.NoError(t, err)
	return p, idp
}

// browse is a browser that the program opens.
func browse(t *testing.T, address string) (*http.Response, string) {
	resp, err := http.Get(address)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func TestLoopback(t *testing.T) { // RFC 8252 7.3
	p, _ := provider(t, nil)
	for uri, want := range map[string]string{
		"": `^http://127\.0\.0\.1:\d+/callback$`, "http://localhost": `^http://localhost:\d+$`, "http://127.0.0.1/a/b": `^http://127\.0\.0\.1:\d+/a/b$`,
	} {
		var redirect *url.URL
		var page string
		var header http.Header
		id, err := native.Loopback{Provider: p, RedirectURI: uri, Open: func(address string) error {
			u, err := url.Parse(address)
			require.NoError(t, err)
			require.Regexp(t, want, u.Query().Get("redirect_uri"))
			require.Len(t, u.Query().Get("code_challenge"), 43)
			resp, body := browse(t, address)
			redirect, page, header = resp.Request.URL, body, resp.Header
			require.Equal(t, 200, resp.StatusCode)
			return nil
		}}.SignIn(context.Background())
		require.NoError(t, err)
		require.Equal(t, "ada", id.Subject)
		require.NotEmpty(t, id.Token.AccessToken)
		require.Contains(t, page, "You can close this window")
		require.NotContains(t, page, "script")
		require.Contains(t, page, string(pages.Style()))
		require.Equal(t, "default-src 'none'; style-src 'sha256-"+pages.StyleHash()+"'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'", header.Get("Content-Security-Policy"))
		require.Equal(t, "no-store", header.Get("Cache-Control"))
		require.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
		require.Equal(t, "text/html; charset=utf-8", header.Get("Content-Type"))
		_, err = net.Dial("tcp", redirect.Host)
		require.Error(t, err, "nobody listens any more")
	}
}

func TestReturnPageIsInTheBrowsersLanguage(t *testing.T) {
	p, _ := provider(t, nil)
	for tag, words := range map[string]string{"zh-TW": "您可以關閉此視窗", "de-AT": "Sie können dieses Fenster schließen"} {
		_, err := native.Loopback{Provider: p, Open: func(address string) error {
			req, err := http.NewRequest("GET", address, nil)
			require.NoError(t, err)
			req.Header.Set("Accept-Language", tag)
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Contains(t, string(body), words)
			require.Contains(t, string(body), `<html lang="`+pages.Match(tag).Tag+`">`)
			require.Equal(t, pages.Match(tag).Tag, resp.Header.Get("Content-Language"))
			return nil
		}}.SignIn(context.Background())
		require.NoError(t, err)
	}
}

// TestLoopbackIsFresh: no two sign-ins have a state, a nonce or a challenge in common.
func TestLoopbackIsFresh(t *testing.T) { // ST-01, PK-01
	p, _ := provider(t, nil)
	seen := map[string]bool{}
	for range 3 {
		_, err := native.Loopback{Provider: p, Open: func(address string) error {
			u, err := url.Parse(address)
			require.NoError(t, err)
			for _, name := range []string{"state", "nonce", "code_challenge"} {
				value := u.Query().Get(name)
				require.GreaterOrEqual(t, len(value), 26)
				require.False(t, seen[value])
				seen[value] = true
			}
			return errors.New("seen")
		}}.SignIn(context.Background())
		require.EqualError(t, err, "seen")
	}
}

// TestCallbackIsOne: of all that comes to the port, the answer to this sign-in counts, and
// the first of it.
func TestCallbackIsOne(t *testing.T) { // ST-02, ST-04, CB-01
	p, _ := provider(t, nil)
	id, err := native.Loopback{Provider: p, Open: func(address string) error {
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := client.Get(address)
		require.NoError(t, err)
		resp.Body.Close()
		back, err := resp.Location()
		require.NoError(t, err)
		send := func(method, host string, change func(*url.URL, url.Values)) (int, string) {
			u := *back
			query := u.Query()
			if change != nil {
				change(&u, query)
			}
			u.RawQuery = query.Encode()
			req, err := http.NewRequest(method, u.String(), nil)
			require.NoError(t, err)
			req.Host = host
			resp, err := client.Do(req)
			require.NoError(t, err)
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
			require.NotContains(t, string(body), back.Query().Get("code"))
			return resp.StatusCode, string(body)
		}
		_, port, err := net.SplitHostPort(back.Host)
		require.NoError(t, err)
		for name, test := range map[string]struct {
			method, host string
			change       func(*url.URL, url.Values)
			want         int
		}{
			"another name":        {"GET", "evil.example:" + port, nil, 421},
			"another name of us":  {"GET", "localhost:" + port, nil, 421},
			"no port":             {"GET", "127.0.0.1", nil, 421},
			"another path":        {"GET", "", func(u *url.URL, _ url.Values) { u.Path = "/favicon.ico" }, 404},
			"a path below":        {"GET", "", func(u *url.URL, _ url.Values) { u.Path += "/" }, 404},
			"a form":              {"POST", "", nil, 405},
			"HEAD":                {"HEAD", "", nil, 405},
			"no state":            {"GET", "", func(_ *url.URL, q url.Values) { q.Del("state") }, 400},
			"an empty state":      {"GET", "", func(_ *url.URL, q url.Values) { q.Set("state", "") }, 400},
			"another state":       {"GET", "", func(_ *url.URL, q url.Values) { q.Set("state", strings.ToLower(q.Get("state"))) }, 400},
			"two states":          {"GET", "", func(_ *url.URL, q url.Values) { q.Add("state", "x") }, 400},
			"an error of another": {"GET", "", func(_ *url.URL, q url.Values) { q.Set("state", "x"); q.Set("error", "access_denied") }, 400},
		} {
			status, _ := send(test.method, test.host, test.change)
			require.Equal(t, test.want, status, name)
		}
		status, body := send("GET", "", nil)
		require.Equal(t, 200, status)
		require.Contains(t, body, "close this window")
		return nil
	}}.SignIn(context.Background())
	require.NoError(t, err)
	require.Equal(t, "ada", id.Subject)
}

// TestSecondAnswer: one that comes after the first, and before the port is closed, is
// not handed on, nor does it wait for somebody to take it.
func TestSecondAnswer(t *testing.T) {
	c := native.NewCallback("http://127.0.0.1:1/callback", "s")
	require.Equal(t, 400, native.Answer(c, "http://127.0.0.1:1/callback?state=s&code=1&x=%zz"), "what is malformed is no answer")
	require.Equal(t, 200, native.Answer(c, "http://127.0.0.1:1/callback?state=s&code=1"))
	require.Equal(t, 410, native.Answer(c, "http://127.0.0.1:1/callback?state=s&code=2"))
	require.Equal(t, "1", native.Taken(c).Get("code"))
}

// exchanging is a provider whose Exchange a test looks into.
type exchanging struct {
	*oidc.Provider
	exchange func(tx auth.Transaction)
}

func (e exchanging) Exchange(ctx context.Context, tx auth.Transaction, response url.Values) (*auth.Identity, error) {
	e.exchange(tx)
	return e.Provider.Exchange(ctx, tx, response)
}

// TestPortIsClosedFirst: while the code is redeemed, nothing listens any more.
func TestPortIsClosedFirst(t *testing.T) {
	p, _ := provider(t, nil)
	looked := false
	_, err := native.Loopback{Provider: exchanging{p, func(tx auth.Transaction) {
		u, err := url.Parse(tx.RedirectURI)
		require.NoError(t, err)
		_, err = net.Dial("tcp", u.Host)
		require.Error(t, err)
		looked = true
	}}, Open: func(address string) error { browse(t, address); return nil }}.SignIn(context.Background())
	require.NoError(t, err)
	require.True(t, looked)
}

func TestLoopbackFails(t *testing.T) {
	p, idp := provider(t, nil)
	open := func(address string) error { browse(t, address); return nil }

	_, err := native.Loopback{Provider: p, Open: func(address string) error { browse(t, address+"&login_hint=deny"); return nil }}.SignIn(context.Background())
	require.ErrorIs(t, err, auth.ErrDeclined)

	ctx, cancel := context.WithCancel(context.Background())
	_, err = native.Loopback{Provider: p, Open: func(string) error { cancel(); return nil }}.SignIn(ctx)
	require.ErrorIs(t, err, context.Canceled)

	idp.SetFaults(providertest.Faults{IDToken: func(c map[string]any) { c["nonce"] = "another" }})
	_, err = native.Loopback{Provider: p, Open: open}.SignIn(context.Background())
	require.ErrorIs(t, err, auth.ErrInvalidResponse)
	idp.SetFaults(providertest.Faults{})

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = native.Loopback{Provider: p, Open: open, RedirectURI: "http://" + taken.Addr().String()}.SignIn(context.Background())
	require.ErrorContains(t, err, "in use")

	form, _ := provider(t, func(c *oidc.Config) { c.FormPost = true })
	_, err = native.Loopback{Provider: form, Open: open}.SignIn(context.Background())
	require.ErrorIs(t, err, auth.ErrMisconfigured)

	idp.Close()
	down, _ := oidc.New(oidc.Config{Name: "idp", Issuer: idp.Issuer(), ClientID: "cli", ClientAuth: oidc.ClientAuthNone})
	_, err = native.Loopback{Provider: down, Open: open}.SignIn(context.Background())
	require.ErrorIs(t, err, auth.ErrUnavailable)

	_, err = native.Loopback{Provider: p}.SignIn(context.Background())
	require.ErrorContains(t, err, "Open is nil")
}

// TestRedirectURI: nothing beyond this machine can be listened to or sent to.
func TestRedirectURI(t *testing.T) { // RFC 8252 7.3
	p, _ := provider(t, nil)
	for _, uri := range []string{
		"https://127.0.0.1/callback", "http://0.0.0.0/callback", "http://[::]/callback", "http://192.0.2.1/callback", "http://app.example/callback",
		"http://localhost.evil.example/", "http://127.0.0.1/callback?x=1", "http://127.0.0.1/callback#x", "http://ada@127.0.0.1/", "app:/callback", "http:///callback", ":",
	} {
		_, err := native.Loopback{Provider: p, RedirectURI: uri, Open: func(string) error { t.Error(uri); return nil }}.SignIn(context.Background())
		require.ErrorContains(t, err, "RedirectURI", uri)
	}
}
