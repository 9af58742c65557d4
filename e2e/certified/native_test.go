package certified_test

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/native"
	"github.com/sallyport/auth/providers/oidc"
)

// commandLine is a program of a public client, and the person's browser.
func commandLine(t *testing.T) (*oidc.Provider, *visitor) {
	p, err := oidc.New(oidc.Config{Name: "op", Issuer: startOP(t, "https://unused.example/"), ClientID: "cli", ClientAuth: oidc.ClientAuthNone})
	require.NoError(t, err)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return p, &visitor{T: t, Client: http.Client{Jar: jar}}
}

// choose follows the link with which somebody signs in, or declines.
func (v *visitor) choose(resp *http.Response, text, who string) string {
	link := regexp.MustCompile(`href="(/choose/[^"]*as=` + who + `)"`).FindStringSubmatch(text)
	require.NotNil(v, link, text)
	to, err := resp.Request.URL.Parse(html.UnescapeString(link[1]))
	require.NoError(v, err)
	_, text = v.get(to.String())
	return text
}

// TestLoopback: the provider takes any port, as RFC 8252 7.3 wants it.
func TestLoopback(t *testing.T) {
	p, v := commandLine(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for who, want := range map[string]error{"ada": nil, "deny": auth.ErrDeclined} {
		v.Jar, _ = cookiejar.New(nil)
		id, err := native.Loopback{Provider: p, Open: func(address string) error {
			resp, text := v.get(address)
			require.Contains(t, v.choose(resp, text, who), "You can close this window")
			return nil
		}}.SignIn(ctx)
		require.ErrorIs(t, err, want)
		if want == nil {
			require.Equal(t, "ada", id.Subject)
			require.Equal(t, "Ada Lovelace", id.Name)
		}
	}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// send sends the form of page to address, with what form says beside it.
func (v *visitor) send(page, address string, form url.Values) (resp *http.Response, text string) {
	for _, found := range hidden.FindAllStringSubmatch(page, -1) {
		if !form.Has(found[1]) {
			form.Set(found[1], html.UnescapeString(found[2]))
		}
	}
	resp, err := v.PostForm(address, form)
	require.NoError(v, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(v, err)
	return resp, string(body)
}

// TestDevice: the person types the code, confirms it, and signs in.
func TestDevice(t *testing.T) {
	p, v := commandLine(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for who, want := range map[string]error{"ada": nil, "deny": auth.ErrDeclined} {
		v.Jar, _ = cookiejar.New(nil)
		id, err := native.Device{Provider: p, Show: func(d *auth.DeviceAuthorization) error {
			require.Contains(t, d.VerificationURIComplete, d.UserCode)
			_, text := v.get(d.VerificationURI)
			_, text = v.send(text, d.VerificationURI, url.Values{"user_code": {d.UserCode}})
			resp, text := v.send(text, d.VerificationURI, url.Values{"user_code": {d.UserCode}, "confirm": {"yes"}})
			v.choose(resp, text, who)
			return nil
		}}.SignIn(ctx)
		require.ErrorIs(t, err, want)
		if want == nil {
			require.Equal(t, "ada", id.Subject)
			require.Equal(t, "Ada Lovelace", id.Name)
		}
	}
}
