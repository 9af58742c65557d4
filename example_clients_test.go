package auth_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/session"
)

// A client of an API has no browser: it is told 401 in JSON, and by WWW-Authenticate what it
// needs, and brings an access token of the provider's.
func Example_apiClient() {
	idp := directory()
	defer idp.Close()
	a := mustNew(auth.Config{Providers: []auth.Provider{company(idp.Issuer())}}) // oidc.Config.APIAudiences has https://api.example

	api := a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprint(w, who.Subject, " by a token: ", who.Bearer())
	}))
	for _, authorization := range []string{"", "Bearer " + idp.AccessToken(nil, map[string]any{"sub": "ada"})} {
		r := httptest.NewRequest("GET", "https://api.example/reports", nil)
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"), w.Body)
	}
	// Output:
	// 401 Bearer realm="api.example", resource_metadata="https://api.example/.well-known/oauth-protected-resource" {"error":"unauthorized","message":"Not signed in. Sign in at https://api.example/api/auth/signin"}
	// 200  ada by a token: true
}

// A WebSocket is guarded by Require around the handler that makes the upgrade, with whichever
// library. A page of another site, which a browser lets open one with this site's
// cookies, is refused, so that the library's own check of Origin may stay as it is.
func Example_webSocket() {
	t := &testing.T{} // the test's own
	a := mustNew(auth.Config{})

	chat := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		w.Header().Set("X-Hello", who.Subject)
		w.WriteHeader(http.StatusSwitchingProtocols) // the library's Accept or Upgrade, here
	})
	cookies := authtest.SignIn(t, a, "https://app.example", &session.Session{Subject: "ada"})
	for _, origin := range []string{"https://app.example", "https://evil.example"} {
		r := httptest.NewRequest("GET", "https://app.example/chat", nil)
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
		r.Header.Set("Origin", origin)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		a.Require(chat).ServeHTTP(w, r)
		fmt.Println(origin, w.Code, w.Header().Get("X-Hello"))
	}
	// Output:
	// https://app.example 101 ada
	// https://evil.example 403
}

// Server-sent events. The session is looked at once, when the stream begins, so that a
// stream which may last ends with it at the latest; an EventSource then connects again, and is
// asked for its session again.
func Example_serverSentEvents() {
	t := &testing.T{} // the test's own
	a := mustNew(auth.Config{})

	events := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		ctx, end := context.WithDeadline(r.Context(), who.ExpiresAt)
		defer end()
		w.Header().Set("Content-Type", "text/event-stream")
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for n := 1; ; n++ {
			fmt.Fprintf(w, "data: %s %d\n\n", who.Subject, n)
			if http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	server := httptest.NewServer(a.Require(events))
	defer server.Close()

	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/events", nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range authtest.SignIn(t, a, server.URL, &session.Session{Subject: "ada"}) {
		r.AddCookie(c)
	}
	resp, err := server.Client().Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for range 3 {
		lines.Scan()
		fmt.Println(lines.Text())
	}
	// Output:
	// data: ada 1
	//
	// data: ada 2
}

// An application's own form needs no token against forgery, in either template or handler:
// behind Require, a request that another site's page sends with somebody's cookies is
// refused, unless it is GET, HEAD or OPTIONS. Handlers for those have to change nothing.
func Example_ownForms() {
	t := &testing.T{} // the test's own
	a := mustNew(auth.Config{})

	rename := a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprint(w, who.Subject, " is now ", r.PostFormValue("name"))
	}))
	cookies := authtest.SignIn(t, a, "https://app.example", &session.Session{Subject: "ada"})
	for _, site := range []string{"same-origin", "cross-site"} {
		r := httptest.NewRequest("POST", "https://app.example/name", strings.NewReader("name=Countess"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", site) // the browser says it
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		rename.ServeHTTP(w, r)
		fmt.Println(site, w.Code, w.Body)
	}
	// Output:
	// same-origin 200 ada is now Countess
	// cross-site 403 {"error":"forbidden","message":"This request comes from another site."}
}
