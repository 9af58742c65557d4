// Command fiber has sign-in in front of a part of what fiber serves.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/examples/routers/internal/live"
	"github.com/sallyport/auth/providers"
	"github.com/sallyport/auth/session"
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
	log.Fatal(site(a, "").Listen("127.0.0.1:3000"))
}

// site is all that is served, below base, which Config.URL names too where it is not empty.
func site(a *auth.Authenticator, base string) *fiber.App {
	root := fiber.New(fiber.Config{ReadTimeout: 10 * time.Second})
	root.Use(around(a.Identify)) // answers the routes of sign-in
	app := root.Group(base)
	app.Get("/", func(c fiber.Ctx) error { return c.SendString("Everybody may read this.\n") })
	members := around(a.Require)
	app.Get("/reports/:year", members, func(c fiber.Ctx) error {
		return c.SendString(fmt.Sprintf("%s reads %s\n", person(c).Name, c.Params("year")))
	})
	app.Get("/events", members, events)
	app.Get("/ws", members, webSocket)
	app.Post("/admin", around(a.RequireRule(live.Admins)), func(c fiber.Ctx) error { return c.SendString("done\n") })
	return root
}

// around is middleware of net/http as fiber's. A request's context there is fasthttp's own,
// which serves the next request when this one is over: nobody may be left who waits for its
// end, as calls of an identity provider would.
func around(middleware func(http.Handler) http.Handler) fiber.Handler {
	return adaptor.HTTPMiddleware(func(next http.Handler) http.Handler {
		h := middleware(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
		})
	})
}

// person is who is signed in. The adaptor puts what a context of net/http has into fasthttp's.
func person(c fiber.Ctx) *session.Session {
	who, _ := auth.FromContext(c.RequestCtx())
	return who
}
