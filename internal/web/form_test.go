package web_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
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

func TestFormsAreBoundedToTheByte(t *testing.T) { // AC-12, CS-08
	s := newGated(t, nil)
	b := s.browser()
	token := b.csrf()
	for path, limit := range map[string]int{
		"/api/auth/signin/access-code": 16 << 10, "/api/auth/callback/access-code": 16 << 10,
		"/api/auth/signin/stub": 16 << 10, "/api/auth/signin": 16 << 10, "/api/auth/signout": 16 << 10, "/api/auth/session": 16 << 10,
	} {
		for _, over := range []int{0, 1} {
			form := "csrfToken=" + token + "&code=x&y="
			form += strings.Repeat("y", limit+over-len(form))
			got := b.post(path, "application/x-www-form-urlencoded", form)
			require.Equal(t, over == 1, got.StatusCode == 413, "%s %d: %d", path, len(form), got.StatusCode)
			body := `{"csrfToken":"` + token + `","code":"x"}`
			body += strings.Repeat(" ", limit+over-len(body))
			got = b.post(path, "application/json", body)
			require.Equal(t, over == 1, got.StatusCode == 413, "%s %d: %d", path, len(body), got.StatusCode)
		}
	}
}

func TestMediaTypesOfForms(t *testing.T) { // CS-08
	s := newSite(t, nil)
	b := s.browser()
	form := url.Values{"csrfToken": {b.csrf()}}.Encode()
	body := `{"csrfToken":"` + b.csrf() + `"}`
	for media, test := range map[string]struct {
		body string
		want int
	}{
		"application/x-www-form-urlencoded":                {form, 303},
		"Application/X-WWW-Form-Urlencoded; charset=utf-8": {form, 303},
		"application/json":                                 {body, 303},
		"application/json; charset=utf-8":                  {body, 303},
		"application/x-www-form-urlencoded; a; b=":         {form, 415},
		"application/jsonp":                                {body, 415},
		"application/ld+json":                              {body, 415},
		"multipart/form-data; boundary=x":                  {form, 415},
		"text/plain":                                       {form, 415},
		"":                                                 {form, 415},
	} {
		got := b.post("/api/auth/signin/stub", media, test.body)
		require.Equal(t, test.want, got.StatusCode, media)
	}
	for _, bad := range []string{"csrfToken=%zz", "a;b=c", "%=x"} {
		require.Equal(t, 400, b.post("/api/auth/signin/stub", "application/x-www-form-urlencoded", bad).StatusCode, bad)
	}
	require.Equal(t, 400, b.post("/api/auth/signin/stub", "application/x-www-form-urlencoded", form+"&x=1&x=2").StatusCode)
	require.Equal(t, 303, b.post("/api/auth/signin/stub?x=1&x=2", "application/x-www-form-urlencoded", form+"&x=1").StatusCode, "the query is no form")
	require.Equal(t, 403, b.post("/api/auth/signin/stub?"+form, "application/x-www-form-urlencoded", "x=1").StatusCode, "a token in the query is none")
}

func TestDataOfAnUpdateKeepsItsType(t *testing.T) {
	var got []string
	s := newSite(t, func(c *auth.Config) {
		c.Update = func(_ context.Context, _ *session.Session, data json.RawMessage) error {
			got = append(got, string(data))
			return nil
		}
	})
	b := s.browser()
	b.signIn("ada")
	for _, data := range []string{`"text"`, `{"a":[1,true]}`, `7`, `"{}"`} {
		b.post("/api/auth/session", "application/json", `{"csrfToken":"`+b.csrf()+`","data":`+data+`}`)
	}
	b.post("/api/auth/session", "application/x-www-form-urlencoded", url.Values{"csrfToken": {b.csrf()}, "data": {`{"a":1}`}}.Encode())
	b.post("/api/auth/session", "application/x-www-form-urlencoded", url.Values{"csrfToken": {b.csrf()}}.Encode())
	require.Equal(t, []string{`"text"`, `{"a":[1,true]}`, `7`, `"{}"`, `"{\"a\":1}"`}, got)
}

func FuzzForms(f *testing.F) {
	for _, seed := range []string{"", "csrfToken=x", "csrfToken=x&csrfToken=y", "%", `{"csrfToken":"x"}`, `{"csrfToken":["x"],"data":{}}`, "a;b"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	a := newAuth(f, nil)
	f.Fuzz(func(t *testing.T, body string, isJSON bool) {
		media := map[bool]string{true: "application/json", false: "application/x-www-form-urlencoded"}[isJSON]
		w := serve(a, "POST", "https://app.example/api/auth/signin/stub", body, "Content-Type", media)
		if w.Code != 400 && w.Code != 403 && w.Code != 413 || len(w.Result().Cookies()) > 0 {
			t.Errorf("%q: %d", body, w.Code)
		}
	})
}
