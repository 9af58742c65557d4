// Package authtest is for the tests of applications that use package auth: a handler sees
// somebody, a server has somebody signed in, a browser goes all the way.
//
// # A handler
//
// [As] makes a request somebody's. [auth.FromContext] finds them, with no
// [auth.Authenticator] around the handler, and so do Require, RequireRule and Identify
// where there is one:
//
//	r := authtest.As(httptest.NewRequest("GET", "/reports", nil), &session.Session{Subject: "ada", Groups: []string{"staff"}})
//	w := httptest.NewRecorder()
//	reports.ServeHTTP(w, r)
//
// A request without it is nobody's. What a rule asks for is in the session, and what
// [auth.TokenSource] gives is its ProviderTokens:
//
//	&session.Session{Subject: "ada", AuthTime: time.Now().Add(-time.Hour)}                       // RequireFresh
//	&session.Session{Subject: "ada", ProviderTokens: &session.ProviderTokens{AccessToken: "x"}}  // TokenSource
//	(&session.Session{Subject: "cli", Machine: true}).AsBearer()                                 // an API's client
//
// SetClaim of a session sets "acr" for RequireACR and "scope" for RequireScope.
//
// # A server
//
// [SignIn] has somebody signed in at an Authenticator that the application has made, with
// its own secrets, store, cookie names: no identity provider is there, and none is asked.
//
//	cookies := authtest.SignIn(t, a, server.URL, &session.Session{Subject: "ada"})
//
// # A browser
//
// [Browser] keeps cookies, follows redirects and presses buttons. With the identity provider
// of package providertest, which has to ask who somebody is, it signs in as people do:
//
//	b := authtest.NewBrowser(t, "https://app.example", a.Require(mux))
//	b.Get("/reports")           // the sign-in page
//	b.SignIn("example", "ada")  // the reports
//	b.SignOut()
//
// # Access tokens and Clerk
//
// These need no session. The header Authorization has "Bearer " and what AccessToken of
// providertest or Token of clerktest makes, and Require does the rest.
//
// # What it is not
//
// It is no way into a program: [As] and [NewContext] panic outside of go test, and the rest
// takes a [testing.TB].
package authtest

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/web"
	"github.com/sallyport/auth/session"
)

// As is r as somebody's request: s, with what [NewContext] adds. It counts for handlers
// that are called with r, and is not sent anywhere.
func As(r *http.Request, s *session.Session) *http.Request {
	return r.WithContext(NewContext(r.Context(), s))
}

// NewContext is ctx for requests of s. What they bring by themselves, a cookie or a token,
// does not count, nor is anybody asked about s: no store, no provider, no
// Session.Revalidate. Rules are, and a request from another origin's page is refused as
// ever. Nothing is written of s: it is not renewed, and its tokens are as they are.
//
// The session is a copy of s. Its ID is one of its own if empty, and its times, where they
// are zero, are those of somebody who has signed in just now, for 30 days. It comes in a
// cookie, unless [session.Session.AsBearer] says that it is an access token's.
//
// NewContext panics outside of a test.
func NewContext(ctx context.Context, s *session.Session) context.Context {
	if !testing.Testing() {
		panic("authtest: this is not a test, and nobody is to be taken at their word")
	}
	who, now := *s, time.Now()
	who.Groups = slices.Clone(s.Groups)
	who.ID = cmp.Or(s.ID, rand.Text())
	who.AuthTime = cmp.Or(s.AuthTime, now)
	who.IssuedAt = cmp.Or(s.IssuedAt, now)
	who.ExpiresAt = cmp.Or(s.ExpiresAt, now.Add(30*24*time.Hour))
	return web.NewContext(ctx, &who)
}

// SignIn begins a session of s at a, in cookies, a Store or a Database as a is configured,
// and returns the cookies with which a browser has it. s gets its ID and its times, and of a
// Database whose user it is.
//
// address is where the server is reached, such as https://app.example or the URL of an
// [httptest.Server]: cookies of https and of http have different names. Where
// [auth.Config].URL says it, that counts.
//
// Session.Revalidate is asked, as at any sign-in, and may refuse; Policy and Enrich are not,
// for they look at identities. The test ends where a has no such session: Provider, if it is
// not empty, has to be one of a's, and Issuer, if that is not empty, one for which it
// vouches.
func SignIn(t testing.TB, a *auth.Authenticator, address string, s *session.Session) []*http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	if err := web.SignIn(a, w, httptest.NewRequest("POST", address, nil), s); err != nil {
		t.Fatalf("authtest: SignIn: %v", err)
	}
	return w.Result().Cookies()
}
