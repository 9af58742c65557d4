// Package ginauth has package auth protect what gin serves.
//
//	engine := gin.Default()
//	engine.Use(ginauth.Identify(a)) // answers /api/auth, and says who it is
//	engine.GET("/", welcome)
//
//	reports := engine.Group("/reports", ginauth.Require(a))
//	reports.GET("/:year", func(c *gin.Context) {
//		who, _ := ginauth.Session(c)
//		c.String(http.StatusOK, "Hello, "+who.Name)
//	})
//	engine.Group("/admin", ginauth.RequireRule(a, admins))
//
// # The routes of sign-in
//
// gin has no route for /api/auth, and needs none: what is given to the engine's Use is
// asked for paths without a route too, and a middleware here answers those of sign-in.
// What is given to a group's Use is not: a program with nothing but groups has nobody
// able to sign in.
//
// # What gin answers by itself
//
// gin redirects a path to the one with a slash more, or less, before any middleware is
// asked, so that anybody can find out whether there is such a route. Set the engine's
// RedirectTrailingSlash to false where that matters.
package ginauth

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// Require is [auth.Authenticator.Require]: it answers the routes of sign-in itself and
// lets only people who are signed in go on. For others no handler after it is called.
func Require(a *auth.Authenticator) gin.HandlerFunc { return handler(a.Require) }

// RequireRule is [auth.Authenticator.RequireRule]: Require for those whom rule admits.
func RequireRule(a *auth.Authenticator, rule auth.Rule) gin.HandlerFunc {
	return handler(a.RequireRule(rule))
}

// Identify is [auth.Authenticator.Identify]: it answers the routes of sign-in itself and
// lets everybody go on.
func Identify(a *auth.Authenticator) gin.HandlerFunc { return handler(a.Identify) }

// Session returns the session of the request that c is for. ok is false when nobody is
// signed in, and where no middleware of this package stands before.
func Session(c *gin.Context) (s *session.Session, ok bool) {
	return auth.FromContext(c.Request.Context())
}

// handler is middleware for gin.
func handler(middleware func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		passed := false
		// gin says 404 before it asks whether somebody knows a path that it has no route
		// for. An answer that says nothing else is 200, as anywhere in net/http.
		status := c.Writer.Status()
		c.Status(http.StatusOK)
		middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			passed = true
			c.Status(status)
			c.Writer, c.Request = &writer{c.Writer, w}, r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
		if !passed {
			c.Writer.WriteHeaderNow() // or gin has a word to say to a 404 without a body
			c.Abort()
		}
	}
}
