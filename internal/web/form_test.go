package web_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFormsAreRead(t *testing.T) { // CS-08, AC-12
	s := newSite(t, nil)
	b := s.browser()
	token := b.csrf()
	require.Equal(t, 415, b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {token}}, "Content-Type", "text/plain").StatusCode)
	require.Equal(t, 400, b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {token, token}}).StatusCode)
	require.Equal(t, 413, b.do("POST", "/api/auth/signin/stub", url.Values{"csrfToken": {token}, "x": {strings.Repeat("x", 20<<10)}}).StatusCode)
}

func TestJSONBodies(t *testing.T) { // CS-08
	s := newSite(t, nil)
	b := s.browser()
	form := map[string]any{"csrfToken": b.csrf(), "callbackUrl": "/there#place", "json": true}
	got := b.post("/api/auth/signin/stub", "application/json; charset=utf-8", jsonText(form))
	require.Equal(t, 200, got.StatusCode, got.text)
	var to struct{ URL string }
	require.NoError(t, json.Unmarshal([]byte(got.text), &to))
	u, err := url.Parse(to.URL)
	require.NoError(t, err)
	got = b.back("stub", u.Query().Get("state"), "ada")
	require.Equal(t, s.server.URL+"/there#place", got.Header.Get("Location"))

	for body, want := range map[string]int{
		`{"csrfToken":"` + b.csrf() + `","csrfToken":"x"}`: 400,
		`[]`:                     400,
		`{`:                      400,
		``:                       400,
		`{"csrfToken":"wrong"}`:  403,
		`{"csrfToken":["a"]}`:    403,
		`{"csrfToken":null}`:     403,
		strings.Repeat(" ", 1e5): 413,
	} {
		require.Equal(t, want, b.post("/api/auth/signout", "application/json", body).StatusCode, "%.40q", body)
	}
	require.Equal(t, 415, b.post("/api/auth/signout", "text/plain", jsonText(form)).StatusCode)
	require.Equal(t, "ada", b.who())
	got = b.post("/api/auth/signout", "application/json", jsonText(form), "X-Auth-Return-Redirect", "1")
	require.JSONEq(t, `{"url":"`+s.server.URL+`/there#place"}`, got.text)
	require.Empty(t, b.who())
}
