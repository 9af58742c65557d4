package auth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/session"
)

// text is a handler that says text.
func text(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
}

// Groups of routes: one is open, one for members, one for administrators. Each guard is a
// func(http.Handler) http.Handler, as routers take them: r.Use(a.Require) of chi, and of
// gorilla/mux. Outermost is Identify, which answers the routes of the sign-in as well.
func Example_routerGroups() {
	a := mustNew(auth.Config{}) // auth.New, with secrets and a provider

	admins := a.RequireRule(func(who *session.Session) error {
		if !slices.Contains(who.Groups, "admins") {
			return auth.ErrNotAllowed
		}
		return nil
	})
	members := http.NewServeMux()
	members.Handle("GET /members/reports", text("reports"))
	administration := http.NewServeMux()
	administration.Handle("GET /admin/users", text("users"))

	site := http.NewServeMux()
	site.Handle("/", text("welcome"))
	site.Handle("/members/", a.Require(members))
	site.Handle("/admin/", admins(administration))
	h := a.Identify(site)

	for _, who := range []*session.Session{nil, {Subject: "ada"}, {Subject: "lin", Groups: []string{"admins"}}} {
		fmt.Println(visit(h, "/", who).Code, visit(h, "/members/reports", who).Code, visit(h, "/admin/users", who).Code)
	}
	// Output:
	// 200 401 401
	// 200 200 403
	// 200 200 200
}

// A site below a path of its host. The proxy in front may take /app off or leave it, and
// so may http.StripPrefix.
func Example_subPath() {
	a := mustNew(auth.Config{URL: "https://example.com/app/api/auth"})

	mux := http.NewServeMux()
	mux.Handle("/app/", http.StripPrefix("/app", a.Require(text("reports"))))

	r := httptest.NewRequest("GET", "/app/reports", nil)
	r.Header.Set("Accept", "text/html")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Location"))
	// Output: 303 https://example.com/app/api/auth/signin?callbackUrl=%2Fapp%2Freports
}

// Two ways of signing in on one host, for customers and for staff, that know nothing of
// each other. A browser keeps one cookie of a name for the host, so that each needs names
// of its own, and routes of its own.
func Example_twoAuthenticators() {
	t := &testing.T{} // the test's own
	customers := mustNew(auth.Config{URL: "https://example.com"})
	staff := mustNew(auth.Config{URL: "https://example.com/staff/api/auth", CookiePrefix: "staff"})

	mux := http.NewServeMux()
	mux.Handle("/", customers.Require(text("the shop")))
	mux.Handle("/staff/", staff.Require(text("the back office")))

	cookies := authtest.SignIn(t, customers, "https://example.com", &session.Session{Subject: "ada"})
	for _, path := range []string{"/", "/staff/"} {
		r := httptest.NewRequest("GET", "https://example.com"+path, nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(path, w.Code)
	}
	fmt.Println(cookies[0].Name)
	fmt.Println(authtest.SignIn(t, staff, "https://example.com", &session.Session{Subject: "lin"})[0].Name)
	// Output:
	// / 200
	// /staff/ 401
	// __Secure-authjs.session-token
	// __Secure-staff.session-token
}
