// Command mux has sign-in in front of a part of what gorilla/mux serves.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/gorilla/mux"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/examples/routers/internal/live"
	"github.com/sallyport/auth/providers"
)

func main() {
	config, err := auth.ConfigFromEnv(os.Getenv, auth.Parts{Providers: providers.All(), AccessCode: accesscode.FromEnv})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(config)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:3000", Handler: site(a, ""), ReadHeaderTimeout: 10 * time.Second}
	log.Print("open http://localhost:3000")
	log.Fatal(server.ListenAndServe())
}

// site is all that is served, below base, which Config.URL names too where it is not empty.
func site(a *auth.Authenticator, base string) http.Handler {
	root := mux.NewRouter()
	app := root.PathPrefix(base).Subrouter()
	app.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Everybody may read this.")
	})
	members := app.NewRoute().Subrouter()
	members.Use(a.Require)
	members.HandleFunc("/reports/{year}", func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "%s reads %s\n", who.Name, mux.Vars(r)["year"])
	})
	members.HandleFunc("/events", live.Events)
	members.HandleFunc("/ws", live.WebSocket)
	admins := members.NewRoute().Subrouter()
	admins.Use(a.RequireRule(live.Admins))
	admins.HandleFunc("/admin", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "done")
	}).Methods("POST")
	return a.Identify(root) // mux asks no middleware for a path without a route
}
