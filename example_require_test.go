package auth_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/github"
)

// What a request gets that brings no session: a person's browser is sent to sign
// in, a script is told so.
func ExampleAuthenticator_Require() {
	byGitHub, err := github.New(github.Config{ClientID: "app", ClientSecret: auth.NewSecret("app-secret")})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0a")},
		URL:       "https://app.example.com",
		Providers: []auth.Provider{byGitHub},
	})
	if err != nil {
		log.Fatal(err)
	}
	site := a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context()) // behind Require there is always somebody
		fmt.Fprintln(w, "Hello, "+who.Name)
	}))

	page := httptest.NewRequest("GET", "/reports?year=2026", nil)
	page.Header.Set("Accept", "text/html")
	answer := httptest.NewRecorder()
	site.ServeHTTP(answer, page)
	fmt.Println(answer.Code, answer.Header().Get("Location"))

	script := httptest.NewRequest("GET", "/api/reports", nil)
	answer = httptest.NewRecorder()
	site.ServeHTTP(answer, script)
	fmt.Println(answer.Code, answer.Body)
	// Output:
	// 303 https://app.example.com/api/auth/signin?callbackUrl=%2Freports%3Fyear%3D2026
	// 401 {"error":"unauthorized","message":"Not signed in. Sign in at https://app.example.com/api/auth/signin"}
}
