package auth_test

import (
	"fmt"
	"net/http"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// A site that everybody may see, with a part for people who are signed in, and
// one for administrators. The session is looked up once, by the outermost of the
// three.
func ExampleAuthenticator_Identify() {
	var a *auth.Authenticator // of auth.New

	admins := func(who *session.Session) error {
		for _, g := range who.Groups {
			if g == "admins" {
				return nil
			}
		}
		return fmt.Errorf("%w: not an administrator", auth.ErrNotAllowed)
	}
	site := http.NewServeMux()
	site.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		if who, ok := auth.FromContext(r.Context()); ok {
			fmt.Fprintf(w, "Hello, %s\n", who.Name)
			return
		}
		fmt.Fprintln(w, `<a href="/api/auth/signin">Sign in</a>`)
	})
	site.Handle("/account/", a.Require(http.FileServer(http.Dir("account"))))
	site.Handle("/admin/", a.RequireRule(admins)(http.FileServer(http.Dir("admin"))))
	_ = http.ListenAndServe("127.0.0.1:3000", a.Identify(site))
}
