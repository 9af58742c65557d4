package auth_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"time"

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

// A page on which somebody makes a token for a script of theirs, that may read reports and
// nothing else.
func ExampleAuthenticator_IssueToken() {
	var a *auth.Authenticator // of auth.New, with Session.Store or Session.Revocations

	tokens := func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		mine := *who
		if err := mine.SetClaim("scope", "reports:read"); err != nil {
			panic(err) // of a name or a value that no claim can have
		}
		token, id, err := a.IssueToken(r.Context(), &mine, auth.TokenOptions{Label: r.FormValue("label"), Expires: time.Now().AddDate(0, 3, 0)})
		if err != nil {
			log.Print(err)
			http.Error(w, "There is no token for this.", http.StatusBadRequest)
			return
		}
		log.Printf("token %s is for %s", id, a.UserID(who)) // printing token would show [redacted]
		w.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(w, token.Reveal()) // once: nothing keeps it
	}
	mux := http.NewServeMux()
	mux.Handle("POST /tokens", a.RequireRule(auth.Identified)(http.HandlerFunc(tokens)))
	_ = http.ListenAndServe("127.0.0.1:3000", a.Require(mux))
}
