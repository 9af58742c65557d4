package web_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

// TestWhichCachesMayKeepWhat: pages none, the rest the browser's own.
func TestWhichCachesMayKeepWhat(t *testing.T) { // HD-01, HD-02
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{stub} })
	cookie := cookieHeader(sealedCookie(t, a, stub))
	const mode, dest = "Sec-Fetch-Mode", "Sec-Fetch-Dest"
	for name, test := range map[string]struct {
		headers []string
		want    string
	}{
		"a document":                     {[]string{mode, "navigate", dest, "document"}, "private, no-store"},
		"a document in a frame":          {[]string{mode, "navigate", dest, "iframe"}, "private, no-store"},
		"a document by a service worker": {[]string{mode, "navigate", dest, "empty"}, "private, no-store"},
		"a document, passed on as cors":  {[]string{mode, "same-origin", dest, "document"}, "private, no-store"},
		"a frame, passed on as cors":     {[]string{mode, "cors", dest, "iframe"}, "private, no-store"},
		"nothing known":                  {nil, "private, no-store"},
		"a picture":                      {[]string{mode, "no-cors", dest, "image"}, "private"},
		"a script":                       {[]string{mode, "cors", dest, "script"}, "private"},
		"what a script fetches":          {[]string{mode, "cors", dest, "empty"}, "private"},
		"a destination alone":            {[]string{dest, "font"}, "private"},
		"a mode alone":                   {[]string{mode, "cors"}, "private"},
	} {
		for _, h := range []http.Handler{a.Require(http.NotFoundHandler()), a.Identify(subject), a.Identify(a.Require(http.NotFoundHandler()))} {
			w := serve(h, "GET", "https://app.example/x", "", append(test.headers, "Cookie", cookie)...)
			require.Equal(t, []string{test.want}, w.Header()["Cache-Control"], name)
			require.Equal(t, []string{"Cookie, Authorization"}, w.Header()["Vary"], name)
		}
	}
}

// TestWhoeverDoesNotAskIsLeftAlone: icons of an open site are as its server has them.
func TestWhoeverDoesNotAskIsLeftAlone(t *testing.T) { // HD-02
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{stub} })
	for _, cookie := range []string{"", cookieHeader(sealedCookie(t, a, stub))} {
		for _, h := range []http.Handler{
			http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) }),
		} {
			w := serve(a.Identify(h), "GET", "https://app.example/icon.svg", "", "Cookie", cookie)
			require.Empty(t, w.Header()["Cache-Control"])
			require.Empty(t, w.Header()["Vary"])
		}
	}
}

// TestWhatAnApplicationSaysOfCaches counts, if it says so itself.
func TestWhatAnApplicationSaysOfCaches(t *testing.T) { // HD-01
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{stub} })
	cookie := cookieHeader(sealedCookie(t, a, stub))
	set := func(value string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", value)
				next.ServeHTTP(w, r)
			})
		}
	}
	for name, test := range map[string]struct {
		h    http.Handler
		want string
	}{
		"behind Require":           {a.Require(set("private, max-age=600")(subject)), "private, max-age=600"},
		"behind Identify":          {a.Identify(set("private, max-age=600")(subject)), "private, max-age=600"},
		"around Require":           {set("public, max-age=600")(a.Require(subject)), "private, no-store"},
		"around Identify":          {set("public, max-age=600")(a.Identify(subject)), "private, no-store"},
		"between the two":          {a.Identify(set("public, max-age=600")(a.Require(subject))), "private, no-store"},
		"inside both":              {a.Identify(a.Require(set("private, max-age=600")(subject))), "private, max-age=600"},
		"around one that asks not": {set("public, max-age=600")(a.Identify(http.NotFoundHandler())), "public, max-age=600"},
	} {
		w := serve(test.h, "GET", "https://app.example/x", "", "Cookie", cookie)
		require.Equal(t, test.want, w.Header().Get("Cache-Control"), name)
		require.LessOrEqual(t, len(w.Header()["Vary"]), 1, name)
	}
}

// TestAValueOfABackendIsAskedFor, too.
func TestAValueOfABackendIsAskedFor(t *testing.T) { // HD-01
	a := newAuth(t, func(c *auth.Config) { c.Backend = &personBackend{} })
	w := serve(a.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = auth.BackendValue(r.Context()) })), "GET", "https://app.example/", "", "X-Person", "bob")
	require.Equal(t, "private, no-store", w.Header().Get("Cache-Control"))
	require.Equal(t, []string{"Cookie, Authorization"}, w.Header()["Vary"])
}

// TestAskingFromAnywhere: while another goroutine writes headers, and after the handler
// and the request are gone. The race detector holds it to that.
func TestAskingFromAnywhere(t *testing.T) {
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{stub} })
	cookie := cookieHeader(sealedCookie(t, a, stub))
	var asking sync.WaitGroup
	ask := func(r *http.Request, times int) {
		asking.Go(func() {
			for range times {
				who, ok := auth.FromContext(r.Context())
				if !ok || who.Subject != "ada" {
					t.Error("nobody")
				}
			}
		})
	}
	w := serve(a.Identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 4 {
			ask(r, 1000)
		}
		for range 1000 {
			w.Header().Set("X-Own", "x")
		}
		asking.Wait()
		_, _ = w.Write([]byte("x"))
		ask(r, 1000)
	})), "GET", "https://app.example/", "", "Cookie", cookie)
	asking.Wait()
	require.Equal(t, "private, no-store", w.Result().Header.Get("Cache-Control"))

	const requests = 20
	var handling sync.WaitGroup // a handler goes on when its time is up
	handling.Add(requests)
	late := http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		defer handling.Done()
		<-r.Context().Done()
		ask(r, 1000)
	}), time.Millisecond, "late")
	server := httptest.NewServer(a.Identify(late))
	defer server.Close()
	for range requests {
		r, err := http.NewRequest("GET", server.URL, nil)
		require.NoError(t, err)
		r.Header.Set("Cookie", cookie)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, 503, resp.StatusCode)
	}
	handling.Wait()
	asking.Wait()
}

// TestSessionsTokensInAHeaderVaryIt: where nothing but cookies is configured, a session's
// token is a bearer token all the same.
func TestSessionsTokensInAHeaderVaryIt(t *testing.T) { // HD-02
	stub := &stubProvider{name: "stub"}
	a := newAuth(t, func(c *auth.Config) { c.Providers = []auth.Provider{stub} })
	token := sealedCookie(t, a, stub).Value
	for _, h := range []http.Handler{a.Require(subject), a.Identify(subject)} {
		w := serve(h, "GET", "https://app.example/x", "", "Authorization", "Bearer "+token)
		require.Equal(t, "ada", w.Body.String())
		require.Equal(t, []string{"Cookie, Authorization"}, w.Header()["Vary"])
		require.NotEqual(t, "ada", serve(h, "GET", "https://app.example/x", "").Body.String())
	}
}
