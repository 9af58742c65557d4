package auth_test

import (
	"errors"
	"io"
	"log"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
)

// A page that shows what Microsoft Graph says to the person who is signed in. The
// configuration has KeepTokens, and the provider the scopes "offline_access" and
// "https://graph.microsoft.com/Calendars.Read".
func ExampleTokenSource() {
	var a *auth.Authenticator // of auth.New

	calendar := func(w http.ResponseWriter, r *http.Request) {
		tokens, ok := auth.TokenSource(r.Context())
		if !ok {
			http.Error(w, "Sign in with Microsoft to see your calendar.", http.StatusForbidden)
			return
		}
		answer, err := oauth2.NewClient(r.Context(), tokens).Get("https://graph.microsoft.com/v1.0/me/events")
		switch {
		case errors.Is(err, auth.ErrSignInAgain): // Microsoft has ended it, and so has Require
			http.Redirect(w, r, r.URL.RequestURI(), http.StatusSeeOther)
			return
		case err != nil:
			log.Print(err)
			http.Error(w, "The calendar does not answer.", http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		_, _ = io.Copy(w, answer.Body)
	}
	_ = http.ListenAndServe("127.0.0.1:3000", a.Require(http.HandlerFunc(calendar)))
}
