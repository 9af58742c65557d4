package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

// Users in the application's own database. The key of an account is provider, issuer and
// subject, which never change hands; the session is the user's, by the id that the database
// has. A map stands for the table here: examples/accounts has one in SQLite.
func ExampleConfig_enrich() {
	t := &testing.T{} // the test's own
	idp := directory(providertest.Person{Subject: "4711", Name: "Ada"})
	defer idp.Close()

	users := map[[3]string]string{{"company", idp.Issuer(), "4711"}: "user-1"}
	a := mustNew(auth.Config{
		Providers: []auth.Provider{company(idp.Issuer())},
		UserID:    auth.SubjectID,
		Enrich: func(_ context.Context, s *session.Session, id *auth.Identity) error {
			user, ok := users[[3]string{s.Provider, id.Issuer, id.Subject}]
			if !ok {
				return auth.ErrNotAllowed // or make one; with the database down, an error that wraps auth.ErrStore
			}
			s.Subject = user
			return s.SetClaim("plan", "gold")
		},
	})
	profile := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		var plan string
		if _, err := who.Claim("plan", &plan); err != nil {
			http.Error(w, "The session cannot be read.", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, a.UserID(who), who.Name, plan, who.ProviderSubject)
	})
	b := authtest.NewBrowser(t, "https://app.example", a.Require(profile))
	fmt.Print(b.SignIn("company", "4711").Body)
	// Output: user-1 Ada gold 4711
}

// Where people go after signing in depends on who they are: to the page that they wanted,
// unless that was the home page, and administrators have another one.
func ExampleConfig_returnTo() {
	t := &testing.T{} // the test's own
	idp := directory(
		providertest.Person{Subject: "ada", Groups: []string{"admins"}},
		providertest.Person{Subject: "lin"},
	)
	defer idp.Close()

	a := mustNew(auth.Config{
		Providers: []auth.Provider{company(idp.Issuer())},
		ReturnTo: func(_ context.Context, s *session.Session, to string) string {
			if to == "/" && slices.Contains(s.Groups, "admins") {
				return "/admin/"
			}
			return to
		},
	})
	for _, who := range []string{"ada", "lin"} {
		for _, wanted := range []string{"/", "/reports"} {
			b := authtest.NewBrowser(t, "https://app.example", a.Require(text("a page")))
			b.Get(wanted)
			fmt.Println(who, wanted, b.SignIn("company", who).URL.Path)
		}
	}
	// Output:
	// ada / /admin/
	// ada /reports /reports
	// lin / /
	// lin /reports /reports
}

// An audit trail. Events come in the goroutine of the request, so that a hook which
// writes to something slow hands them on. None has a token or a secret in it.
func ExampleConfig_onEvent() {
	t := &testing.T{} // the test's own
	idp := directory(providertest.Person{Subject: "ada"}, providertest.Person{Subject: "eve"})
	defer idp.Close()

	a := mustNew(auth.Config{
		Providers: []auth.Provider{company(idp.Issuer())},
		Policy: func(_ context.Context, _ string, id *auth.Identity) error {
			if id.Subject == "eve" {
				return auth.ErrNotAllowed
			}
			return nil
		},
		OnEvent: func(_ context.Context, e auth.Event) {
			fmt.Printf("%s: %s of %s, %q %t\n", e.Kind, e.Subject, e.Provider, e.Reason, errors.Is(e.Err, auth.ErrNotAllowed))
		},
	})
	b := authtest.NewBrowser(t, "https://app.example", a.Require(text("a page")))
	b.SignIn("company", "eve")
	b.SignIn("company", "ada")
	b.SignOut()
	// Output:
	// sign_in_failed: eve of company, "AccessDenied" true
	// signed_in: ada of company, "" false
	// signed_out: ada of company, "" false
}
