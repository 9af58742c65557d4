package clerk_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestFrontendProxy(t *testing.T) { // CVE-2026-34076
	instance := clerktest.New(clerktest.Config{Production: true})
	var sent *http.Request
	var body string
	answer := http.Header{}
	var failure error
	var logged bytes.Buffer
	b, err := clerk.New(clerk.Config{
		PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey), ProxyURL: "https://www.example.com/__clerk",
		Logger: slog.New(slog.NewTextHandler(&logged, nil)),
		HTTPClient: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			sent, body = r, ""
			_, hasEnd := r.Context().Deadline()
			require.True(t, hasEnd)
			if r.Body != nil {
				text, err := io.ReadAll(r.Body)
				if err != nil {
					return nil, err
				}
				body = string(text)
			}
			return &http.Response{StatusCode: 200, Header: answer, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, failure
		})},
	})
	require.NoError(t, err)
	proxy, err := b.FrontendProxy()
	require.NoError(t, err)
	form, peer := "a=b", "203.0.113.9:1"
	ask := func(method, target string, headers ...string) *httptest.ResponseRecorder {
		sent = nil
		r := httptest.NewRequest(method, "https://www.example.com/", strings.NewReader(form))
		u, err := url.ParseRequestURI(target)
		require.NoError(t, err)
		r.URL, r.RequestURI, r.RemoteAddr = u, target, peer
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		proxy.ServeHTTP(w, r)
		return w
	}
	w := ask("POST", "/__clerk/v1/client/sign_ins?x=1%20",
		"X-Forwarded-For", "1.2.3.4", "X-Forwarded-Host", "evil.example", "X-Forwarded-Port", "1", "X-Real-Ip", "1.2.3.4", "Forwarded", "for=1.2.3.4",
		"Clerk-Secret-Key", "mine", "Clerk-Proxy-Url", "https://evil.example", "Connection", "Upgrade, X-Private", "X-Private", "1", "Upgrade", "websocket", "Te", "trailers", "Clerk_Secret_Key", "mine", "X_Forwarded_For", "1.2.3.4",
		"Cookie", "__client=abc; __Secure-authjs.session-token=ours; x=1", "Cookie", "next-auth.session-token.0=ours")
	require.Equal(t, 200, w.Code)
	require.Equal(t, "https://frontend-api.clerk.dev/v1/client/sign_ins?x=1%20", sent.URL.String())
	require.Equal(t, "frontend-api.clerk.dev", sent.Host)
	require.Equal(t, "a=b", body)
	h := sent.Header
	require.Equal(t, instance.SecretKey, h.Get("Clerk-Secret-Key"))
	require.Equal(t, []string{"https://www.example.com/__clerk"}, h.Values("Clerk-Proxy-Url"))
	require.Equal(t, []string{"203.0.113.9"}, h.Values("X-Forwarded-For"))
	require.Equal(t, []string{"www.example.com"}, h.Values("X-Forwarded-Host"))
	require.Equal(t, []string{"https"}, h.Values("X-Forwarded-Proto"))
	require.Equal(t, []string{"__client=abc; x=1"}, h.Values("Cookie"))
	for _, name := range []string{"X-Forwarded-Port", "X-Real-Ip", "Forwarded", "Connection", "X-Private", "Upgrade", "Te", "Clerk_Secret_Key", "X_Forwarded_For"} {
		require.Empty(t, h.Get(name), name)
	}
	for _, test := range []struct {
		name    string
		proxies []string // of an Authenticator; nil: there is none yet
		peer    string
		h       []string
		want    string
	}{
		{"before", nil, "127.0.0.1:1", []string{"X-Forwarded-For", "9.9.9.9, 198.51.100.7"}, "198.51.100.7"},
		{"before, a private peer", nil, "10.0.0.2:1", []string{"X-Forwarded-For", "198.51.100.7"}, "10.0.0.2"},
		{"before, a socket", nil, "@", nil, ""},
		{"a proxy of the application", []string{"10.0.0.0/8"}, "10.0.0.2:1", []string{"X-Forwarded-For", "9.9.9.9, 198.51.100.7"}, "198.51.100.7"},
		{"none of them", []string{"10.0.0.0/8"}, "127.0.0.1:1", []string{"X-Forwarded-For", "198.51.100.7"}, "127.0.0.1"},
		{"the other kind contradicts", []string{"10.0.0.0/8"}, "10.0.0.2:1", []string{"X-Forwarded-For", "198.51.100.7", "Forwarded", "for=9.9.9.9"}, "10.0.0.2"},
		{"the application trusts none", []string{}, "127.0.0.1:1", []string{"X-Forwarded-For", "198.51.100.7"}, "127.0.0.1"},
	} {
		if test.proxies != nil {
			_, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: "https://www.example.com", Backend: b, TrustedProxies: test.proxies})
			require.NoError(t, err)
		}
		peer = test.peer
		ask("GET", "/__clerk/v1", test.h...)
		require.Equal(t, test.want, sent.Header.Get("X-Forwarded-For"), test.name)
	}
	for target, want := range map[string]string{
		"/__clerk":                      "https://frontend-api.clerk.dev",
		"/__clerk//evil.example/x":      "https://frontend-api.clerk.dev//evil.example/x",
		"/__clerk/%2f%2fevil.example":   "https://frontend-api.clerk.dev/%2f%2fevil.example",
		"/__clerk/@evil.example":        "https://frontend-api.clerk.dev/@evil.example",
		"/__clerk/https://evil.example": "https://frontend-api.clerk.dev/https://evil.example",
		"/__clerk/../x":                 "https://frontend-api.clerk.dev/../x",
		"/__clerk/\\evil.example":       "https://frontend-api.clerk.dev/%5Cevil.example",
	} {
		require.Equal(t, 200, ask("GET", target).Code, target)
		require.Equal(t, want, sent.URL.String(), target)
		require.Equal(t, "frontend-api.clerk.dev", sent.URL.Host)
	}
	for _, target := range []string{"/__clerkx", "/__clerk.evil.example/", "/__clerk@evil.example/", "/__clerk@frontend-api.clerk.dev/", "/__clerk:443/x", "/__clerk./x", "/__clerk%2fx", "/", "/x/__clerk/v1"} {
		require.Equal(t, 404, ask("GET", target).Code, target)
		require.Nil(t, sent, target)
	}
	require.Equal(t, 405, ask("TRACE", "/__clerk/v1").Code)
	for location, want := range map[string]string{
		"https://frontend-api.clerk.dev/v1/x?a=b": "https://www.example.com/__clerk/v1/x?a=b",
		"https://clerk.example.com/v1/x":          "https://www.example.com/__clerk/v1/x",
		"/v1/x":                                   "https://www.example.com/__clerk/v1/x",
		"https://accounts.google.com/o?x=1":       "https://accounts.google.com/o?x=1",
	} {
		answer.Set("Location", location)
		require.Equal(t, want, ask("GET", "/__clerk/v1").Header().Get("Location"))
	}
	form = strings.Repeat("x", 17<<20)
	require.Equal(t, 413, ask("POST", "/__clerk/v1").Code)
	form, failure = "a=b", errors.New("no route")
	w = ask("GET", "/__clerk/v1/x?token=secret")
	require.Equal(t, 502, w.Code)
	require.NotContains(t, logged.String(), "secret")
	for _, proxyURL := range []string{"", "https://www.example.com"} {
		b, err = clerk.New(clerk.Config{PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey), ProxyURL: proxyURL})
		require.NoError(t, err)
		_, err = b.FrontendProxy()
		require.ErrorContains(t, err, "ProxyURL")
	}
}
