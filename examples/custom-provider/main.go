// Command custom-provider signs people in with two providers that are not in
// the library: one plain OAuth 2.0, one OpenID Connect.
package main

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/sallyport/auth"
)

func main() {
	byGitea, err1 := gitea(os.Getenv("GITEA_URL"), os.Getenv("GITEA_CLIENT_ID"), auth.NewSecret(os.Getenv("GITEA_CLIENT_SECRET")))
	byGitLab, err2 := gitlab(os.Getenv("GITLAB_URL"), os.Getenv("GITLAB_CLIENT_ID"), auth.NewSecret(os.Getenv("GITLAB_CLIENT_SECRET")))
	if err := errors.Join(err1, err2); err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(os.Getenv("NEXT_AUTH_SECRET"))},
		Providers: []auth.Provider{byGitea, byGitLab},
	})
	if err != nil {
		log.Fatal(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "hello, %s\n", who.Name)
	})
	log.Println("open http://localhost:3000")
	server := &http.Server{Addr: "127.0.0.1:3000", Handler: a.Require(hello), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
