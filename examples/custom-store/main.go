// Command custom-store keeps sessions where the library does not: in files.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/session"
)

func main() {
	secrets, dir := []auth.Secret{auth.NewSecret(os.Getenv("NEXT_AUTH_SECRET"))}, files("sessions")
	if err := os.MkdirAll(string(dir), 0o700); err != nil {
		log.Fatal(err)
	}
	codes, err := accesscode.New(accesscode.Config{
		Codes: []accesscode.Code{{Text: auth.NewSecret(os.Getenv("ACCESS_CODE"))}}, Secrets: secrets,
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets:    secrets,
		AccessCode: codes,
		Session:    session.Config{Store: dir},
	})
	if err != nil {
		log.Fatal(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "hello, %s\n", who.Subject)
	})
	log.Println("open http://localhost:3000")
	server := &http.Server{Addr: "127.0.0.1:3000", Handler: a.Require(hello), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
