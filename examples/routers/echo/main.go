// Command echo has sign-in in front of a part of what echo serves.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v5"

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
	root := echo.New()
	root.Use(echo.WrapMiddleware(a.Identify)) // answers the routes of sign-in
	app := root.Group(base)
	app.GET("/", func(c *echo.Context) error {
		return c.String(http.StatusOK, "Everybody may read this.\n")
	})
	members := app.Group("", echo.WrapMiddleware(a.Require))
	members.GET("/reports/:year", func(c *echo.Context) error {
		who, _ := auth.FromContext(c.Request().Context())
		return c.String(http.StatusOK, fmt.Sprintf("%s reads %s\n", who.Name, c.Param("year")))
	})
	members.GET("/events", echo.WrapHandler(http.HandlerFunc(live.Events)))
	members.GET("/ws", echo.WrapHandler(http.HandlerFunc(live.WebSocket)))
	members.POST("/admin", func(c *echo.Context) error {
		return c.String(http.StatusOK, "done\n")
	}, echo.WrapMiddleware(a.RequireRule(live.Admins)))
	return root
}
