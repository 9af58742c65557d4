// Command chi has sign-in in front of a part of what chi serves.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/go-chi/chi/v5"

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
	app := chi.NewRouter()
	app.Get("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Everybody may read this.")
	})
	app.Group(func(members chi.Router) {
		members.Use(a.Require)
		members.Get("/reports/{year}", func(w http.ResponseWriter, r *http.Request) {
			who, _ := auth.FromContext(r.Context())
			fmt.Fprintf(w, "%s reads %s\n", who.Name, chi.URLParam(r, "year"))
		})
		members.Get("/events", live.Events)
		members.Get("/ws", live.WebSocket)
		members.With(a.RequireRule(live.Admins)).Post("/admin", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, "done")
		})
	})
	root := chi.NewRouter()
	root.Use(a.Identify) // answers the routes of sign-in
	root.Mount(base+"/", app)
	return root
}
