package authtest_test

import (
	"cmp"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

// reports is the handler under test.
func reports(w http.ResponseWriter, r *http.Request) {
	who, _ := auth.FromContext(r.Context())
	fmt.Fprintf(w, "Reports for %s.", who.Subject)
}

// newApp is how an application makes its Authenticator.
func newApp(issuer string) *auth.Authenticator {
	p, err := oidc.New(oidc.Config{
		Name: "example", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret("client-secret"),
		APIAudiences: []string{"https://api.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets: []auth.Secret{auth.NewSecret("aVerySecretValueOfThirtyTwoBytes!")}, Providers: []auth.Provider{p},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	return a
}

// A handler by itself: nothing is configured.
func ExampleAs() {
	r := authtest.As(httptest.NewRequest("GET", "/reports", nil), &session.Session{Subject: "ada"})
	w := httptest.NewRecorder()
	reports(w, r)
	fmt.Println(w.Code, w.Body)
	// Output: 200 Reports for ada.
}

// A handler with what guards it: who has signed in an hour ago is sent to do so again.
func ExampleAs_rule() {
	a := newApp("https://id.example.com")
	guarded := a.RequireRule(auth.RequireFresh(15 * time.Minute))(http.HandlerFunc(reports))
	for _, ago := range []time.Duration{time.Minute, time.Hour} {
		who := &session.Session{Subject: "ada", AuthTime: time.Now().Add(-ago)}
		r := httptest.NewRequest("GET", "/reports", nil)
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, authtest.As(r, who))
		fmt.Println(w.Code, cmp.Or(w.Header().Get("Location"), w.Body.String()))
	}
	// Output:
	// 200 Reports for ada.
	// 303 http://example.com/api/auth/signin?callbackUrl=%2Freports
}

// A server that listens, with somebody signed in.
func ExampleSignIn() {
	t := &testing.T{} // the test's own
	a := newApp("https://id.example.com")
	server := httptest.NewServer(a.Require(http.HandlerFunc(reports)))
	defer server.Close()

	r, err := http.NewRequest("GET", server.URL+"/reports", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range authtest.SignIn(t, a, server.URL, &session.Session{Subject: "ada"}) {
		r.AddCookie(c)
	}
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

// The whole way, with an identity provider in the process that asks who somebody is.
func ExampleBrowser() {
	t := &testing.T{} // the test's own
	idp := providertest.NewServer(providertest.Config{
		Ask:     true,
		Clients: []providertest.Client{{ID: "app", Secret: "client-secret"}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada"}, {Subject: "eve"}},
	})
	defer idp.Close()
	a := newApp(idp.Issuer())

	b := authtest.NewBrowser(t, "https://app.example", a.Require(http.HandlerFunc(reports)))
	fmt.Println(b.Get("/reports").URL)
	page := b.SignIn("example", "ada")
	fmt.Println(page.URL, page.Body)
	fmt.Println(b.SignOut().URL.Path)
	// Output:
	// https://app.example/api/auth/signin?callbackUrl=%2Freports
	// https://app.example/reports Reports for ada.
	// /api/auth/signout
}

// A browser of somebody who is signed in already.
func ExampleBrowser_As() {
	t := &testing.T{} // the test's own
	a := newApp("https://id.example.com")
	b := authtest.NewBrowser(t, "https://app.example", a.Require(http.HandlerFunc(reports)))
	b.As(a, &session.Session{Subject: "ada"})
	fmt.Println(b.Get("/reports").Body)
	// Output: Reports for ada.
}

// An API that takes its provider's access tokens: one of these is ada's, the other hers for
// another API.
func Example_accessToken() {
	idp := providertest.NewServer(providertest.Config{Clients: []providertest.Client{{ID: "app", Secret: "client-secret"}}})
	defer idp.Close()
	a := newApp(idp.Issuer())

	for _, token := range []string{
		idp.AccessToken(nil, nil),
		idp.AccessToken(nil, map[string]any{"aud": "https://elsewhere.example"}),
	} {
		r := httptest.NewRequest("GET", "/reports", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		a.Require(http.HandlerFunc(reports)).ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// 200
	// 401
}

// An application that leaves signing in to Clerk: a token of the stand-in is somebody's, as
// Clerk's are, and clerk.FromContext has what it says. As and SignIn do without the token,
// where the handler asks for no more than auth.FromContext.
func Example_clerk() {
	instance := clerktest.New(clerktest.Config{Production: true})
	c, err := clerk.New(clerk.Config{PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey), JWTKey: instance.PEM()})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets: []auth.Secret{auth.NewSecret("aVerySecretValueOfThirtyTwoBytes!")}, Backend: c,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/reports", nil)
	r.Header.Set("Authorization", "Bearer "+instance.Token(func(_, claims map[string]any) { claims["sub"] = "user_2" }))
	for _, r := range []*http.Request{r, authtest.As(r, &session.Session{Subject: "ada"})} {
		w := httptest.NewRecorder()
		a.Require(http.HandlerFunc(reports)).ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 Reports for user_2.
	// 200 Reports for ada.
}
