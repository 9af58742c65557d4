package oidc_test

import (
	"compress/gzip"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/providertest"
)

func TestTokenAnswers(t *testing.T) {
	set := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { m[name] = value }
	}
	cases := []struct {
		name   string
		change func(map[string]any)
		err    error
	}{
		{"TK-06 no access token", func(m map[string]any) { delete(m, "access_token") }, auth.ErrInvalidResponse},
		{"TK-06 null", set("access_token", nil), auth.ErrInvalidResponse},
		{"TK-06 number", set("access_token", 5), auth.ErrInvalidResponse},
		{"TK-07 no ID token", func(m map[string]any) { delete(m, "id_token") }, auth.ErrInvalidResponse},
		{"TK-07 empty", set("id_token", ""), auth.ErrInvalidResponse},
		{"TK-07 number", set("id_token", 1), auth.ErrInvalidResponse},
		{"TK-09 upper case", set("token_type", "BEARER"), nil},
		{"TK-09 mac", set("token_type", "mac"), auth.ErrMisconfigured},
		{"TK-09 DPoP", set("token_type", "DPoP"), auth.ErrMisconfigured},
		{"TK-09 missing", func(m map[string]any) { delete(m, "token_type") }, nil},
		{"TK-09 null", set("token_type", nil), nil},
		{"TK-09 empty", set("token_type", ""), auth.ErrMisconfigured},
		{"TK-09 number", set("token_type", 5), auth.ErrMisconfigured},
		{"TK-09 list", set("token_type", []string{"Bearer"}), auth.ErrMisconfigured},
		{"TK-03 an empty error beside a token", set("error", ""), nil},
		{"TK-03 no error beside a token", set("error", nil), nil},
		{"TK-03 an error beside a token", set("error", "invalid_grant"), auth.ErrExpired},
		{"TK-03 an error of a space beside a token", set("error", " "), auth.ErrInvalidResponse},
		{"TK-03 an error that is no text beside a token", set("error", false), auth.ErrInvalidResponse},
		{"TK-03 an empty error, and no token", func(m map[string]any) { clear(m); m["error"] = "" }, auth.ErrInvalidResponse},
		{"TK-10 text", set("expires_in", "3600"), nil},
		{"TK-10 missing", func(m map[string]any) { delete(m, "expires_in") }, nil},
		{"TK-10 huge", set("expires_in", 1e30), nil},
		{"TK-10 negative", set("expires_in", -1), nil},
		{"TK-10 nonsense", set("expires_in", "abc"), nil},
		{"TK-11 another case", set("ID_TOKEN", "evil"), nil},
		{"TK-03 error with 200", func(m map[string]any) { clear(m); m["error"] = "bad_verification_code" }, auth.ErrExpired},
		{"TK-03 client with 200", func(m map[string]any) { clear(m); m["error"] = "incorrect_client_credentials" }, auth.ErrMisconfigured},
		{"TK-03 redirect with 200", func(m map[string]any) { clear(m); m["error"] = "redirect_uri_mismatch" }, auth.ErrRedirectURI},
	}
	r := newRelying(t, nil)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r.idp.SetFaults(providertest.Faults{Token: c.change})
			id, err := r.signIn()
			require.ErrorIs(t, err, c.err)
			if err == nil && !id.Token.Expiry.IsZero() {
				require.True(t, id.Token.Expiry.After(r.now) && id.Token.Expiry.Before(r.now.Add(366*24*time.Hour)))
			}
		})
	}
}

func TestTokenEndpointMisbehaves(t *testing.T) {
	elsewhere := providertest.NewServer(providertest.Config{})
	defer elsewhere.Close()
	redirect := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.Issuer()+"/token", status) }
	}
	write := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	cases := []struct {
		name   string
		answer http.HandlerFunc
		err    error
	}{
		{"TK-02 301", redirect(301), auth.ErrUnavailable},
		{"TK-02 302", redirect(302), auth.ErrUnavailable},
		{"TK-02 303", redirect(303), auth.ErrUnavailable},
		{"TK-02 307", redirect(307), auth.ErrUnavailable},
		{"TK-02 308", redirect(308), auth.ErrUnavailable},
		{"TK-05 HTML", write(200, "text/html", "<html>"+clientSecret), auth.ErrUnavailable},
		{"TK-05 form", write(200, "application/x-www-form-urlencoded", "access_token=x&id_token=y&token_type=bearer"), auth.ErrUnavailable},
		{"TK-12 trailing", write(200, "application/json", `{} {}`), auth.ErrUnavailable},
		{"TK-12 deep", write(200, "application/json", strings.Repeat("[", 100_000)), auth.ErrUnavailable},
		{"TK-12 BOM", write(200, "application/json", "\ufeff{}"), auth.ErrUnavailable},
		{"TK-11 twice", write(200, "application/json", `{"access_token":"a","access_token":"b"}`), auth.ErrUnavailable},
		{"TK-13 10 MB", write(200, "application/json", strings.Repeat(" ", 10<<20)), auth.ErrUnavailable},
		{"TK-15 gzip bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 32<<20))
			_ = z.Close()
		}, auth.ErrUnavailable},
		{"TK-16 early close", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("{"))
			panic(http.ErrAbortHandler)
		}, auth.ErrUnavailable},
		{"TK-17 invalid_grant", write(400, "application/json", `{"error":"invalid_grant"}`), auth.ErrExpired},
		{"TK-17 invalid_client", write(401, "application/json", `{"error":"invalid_client"}`), auth.ErrMisconfigured},
		{"TK-17 401 without a body", write(401, "text/plain", ""), auth.ErrMisconfigured},
		{"TK-17 500", write(500, "application/json", `{"error":"invalid_grant"}`), auth.ErrUnavailable},
		{"TK-18 429", write(429, "application/json", `{}`), auth.ErrUnavailable},
		{"TK-22 headers", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }, auth.ErrUnavailable},
	}
	r := newRelying(t, nil)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			before := r.idp.Hits("token")
			r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, q *http.Request) bool {
				if name == "token" {
					c.answer(w, q)
				}
				return name == "token"
			}})
			_, err := r.signIn()
			require.ErrorIs(t, err, c.err)
			require.NotContains(t, err.Error(), clientSecret)
			require.Equal(t, 1, r.idp.Hits("token")-before, "I8: the code goes out once")
		})
	}
	require.Zero(t, elsewhere.Hits("token"))
}
