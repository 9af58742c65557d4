package auth_test

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// Before somebody pays, they have signed in a short while ago. Whoever has not is asked
// by their provider, and comes back to the page.
func ExampleRequireFresh() {
	recently := auth.RequireFresh(15 * time.Minute)
	err := recently(&session.Session{Subject: "ada", AuthTime: time.Now().Add(-time.Hour)})
	fmt.Println(err, errors.Is(err, auth.ErrSignInAgain))
	fmt.Println(recently(&session.Session{Subject: "ada", AuthTime: time.Now()}))
	// Output:
	// auth: this person has to sign in again: the last time is more than 15m0s ago true
	// <nil>
}

// Before somebody deletes everything, they have signed in a short while ago, and with two
// factors. The provider is asked for both at once.
func ExampleRequireACR() {
	fresh, strong := auth.RequireFresh(5*time.Minute), auth.RequireACR("urn:example:mfa")
	rule := func(who *session.Session) error { return errors.Join(fresh(who), strong(who)) }
	fmt.Println(rule(&session.Session{Subject: "ada"}))
	// Output:
	// auth: this person has to sign in again: the last time is more than 5m0s ago
	// auth: this person has to sign in again: acr is none of ["urn:example:mfa"]
}

// noPlan is a refusal with a page of its own.
type noPlan struct{}

func (noPlan) Error() string { return "no plan" }

func (noPlan) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/plans", http.StatusSeeOther)
}

// What RequireRule returns fits any router: chi's Use and With, gorilla's Use. A rule
// whose error is a handler answers by itself.
func ExampleAuthenticator_RequireRule() {
	var a *auth.Authenticator // of auth.New

	paying := func(who *session.Session) error {
		for _, g := range who.Groups {
			if g == "customers" {
				return nil
			}
		}
		return noPlan{}
	}
	var guard func(http.Handler) http.Handler = a.RequireRule(paying)
	site := http.NewServeMux()
	site.Handle("/reports/", guard(http.FileServer(http.Dir("reports"))))
	_ = http.ListenAndServe("127.0.0.1:3000", a.Require(site))
}
