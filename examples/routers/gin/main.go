// Command gin has sign-in in front of a part of what gin serves.
package main

import (
	"log"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/examples/routers/internal/live"
	"github.com/sallyport/auth/ginauth"
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
	engine := gin.New()
	engine.Use(gin.Recovery(), ginauth.Identify(a)) // answers the routes of sign-in
	app := engine.Group(base)
	app.GET("/", func(c *gin.Context) {
		c.String(http.StatusOK, "Everybody may read this.\n")
	})
	members := app.Group("", ginauth.Require(a))
	members.GET("/reports/:year", func(c *gin.Context) {
		who, _ := ginauth.Session(c)
		c.String(http.StatusOK, "%s reads %s\n", who.Name, c.Param("year"))
	})
	members.GET("/events", gin.WrapF(live.Events))
	members.GET("/ws", gin.WrapF(live.WebSocket))
	members.POST("/admin", ginauth.RequireRule(a, live.Admins), func(c *gin.Context) {
		c.String(http.StatusOK, "done\n")
	})
	return engine
}
