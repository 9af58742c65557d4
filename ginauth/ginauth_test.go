package ginauth_test

import (
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/ginauth"
	"github.com/sallyport/auth/session"
)

func name(c *gin.Context) {
	who, ok := ginauth.Session(c)
	if !ok {
		c.String(http.StatusOK, "nobody")
		return
	}
	c.String(http.StatusOK, who.Subject)
}

// newPages has an open page, one for people and one for administrators, and says how often
// a handler behind a middleware was called.
func newPages(t *testing.T) (s *site, calls *int) {
	s, calls = newSite(t), new(int)
	count := func(*gin.Context) { *calls++ }
	s.engine.Use(ginauth.Identify(s.auth))
	s.engine.GET("/", name)
	s.engine.GET("/reports/:year", ginauth.Require(s.auth), count, name)
	s.engine.Group("/admin", ginauth.RequireRule(s.auth, admins), count).POST("/users", name)
	return s, calls
}

func TestOpenPage(t *testing.T) {
	s, _ := newPages(t)
	_, body := s.do("GET", "/", nil)
	require.Equal(t, "nobody", body)
	resp, body := s.do("GET", "/", s.ada())
	require.Equal(t, "ada", body)
	require.Equal(t, "private, no-store", resp.Header.Get("Cache-Control"))
	require.Contains(t, resp.Header.Get("Vary"), "Cookie")
}

// TestRequire: nobody else gets to a handler after it.
func TestRequire(t *testing.T) { // MW-13
	s, calls := newPages(t)
	resp, _ := s.do("GET", "/reports/2026", http.Header{"Accept": {"text/html"}})
	require.Equal(t, 303, resp.StatusCode)
	require.Equal(t, "https://nearby.example/?to="+url.QueryEscape(s.URL+"/reports/2026"), resp.Header.Get("Location"))
	resp, body := s.do("GET", "/reports/2026", nil)
	require.Equal(t, 401, resp.StatusCode)
	require.Contains(t, body, `"error":"unauthorized"`)
	require.NotEmpty(t, resp.Header.Get("WWW-Authenticate"))
	require.Zero(t, *calls)

	resp, body = s.do("GET", "/reports/2026", s.ada())
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "ada", body)
	require.Equal(t, 1, *calls)
}

func TestRequireRule(t *testing.T) {
	s, calls := newPages(t)
	for want, h := range map[int]http.Header{401: nil, 403: s.ada("staff")} {
		resp, _ := s.do("POST", "/admin/users", h)
		require.Equal(t, want, resp.StatusCode)
	}
	require.Zero(t, *calls)
	resp, body := s.do("POST", "/admin/users", s.ada("admins"))
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "ada", body)
	require.Equal(t, 1, *calls)

	h := s.ada("admins")
	h.Set("Origin", "https://evil.example")
	resp, _ = s.do("POST", "/admin/users", h)
	require.Equal(t, 403, resp.StatusCode, "another origin's page")
	require.Equal(t, 1, *calls)
}

// TestRoutes: gin has none of them, and says 404 to itself before any middleware is asked.
func TestRoutes(t *testing.T) {
	for name, use := range map[string]func(*auth.Authenticator) gin.HandlerFunc{
		"Identify": ginauth.Identify, "Require": ginauth.Require,
		"RequireRule": func(a *auth.Authenticator) gin.HandlerFunc { return ginauth.RequireRule(a, admins) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			var seen []int
			s.engine.Use(func(c *gin.Context) { c.Next(); seen = append(seen, c.Writer.Status()) }, use(s.auth))
			resp, body := s.do("GET", "/api/auth/session", s.ada("admins"))
			require.Equal(t, 200, resp.StatusCode)
			require.Contains(t, body, `"name":"Ada"`)

			resp, body = s.do("GET", "/api/auth/nothing", nil)
			require.Equal(t, 404, resp.StatusCode)
			require.NotContains(t, body, "404 page not found", "gin's words")

			resp, body = s.do("GET", "/nothing", s.ada("admins"))
			require.Equal(t, 404, resp.StatusCode)
			require.Equal(t, "404 page not found", body, "gin's own, for whoever gets there")
			require.Equal(t, []int{200, 404, 404}, seen, "what stands before knows them")
		})
	}
}

// answering is a refusal that answers by itself.
type answering struct{ http.HandlerFunc }

func (answering) Error() string { return "answers by itself" }

// TestAnswersAreAsElsewhere: what a handler of net/http leaves unsaid is 200 with gin too,
// and what it says of a page that is not there is all.
func TestAnswersAreAsElsewhere(t *testing.T) {
	s := newSite(t)
	var answer http.HandlerFunc
	s.engine.Use(ginauth.RequireRule(s.auth, func(*session.Session) error { return answering{answer} }))
	answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "plans") }
	resp, body := s.do("GET", "/nothing", s.ada())
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "plans", body)

	answer = func(http.ResponseWriter, *http.Request) {}
	resp, body = s.do("GET", "/nothing", s.ada())
	require.Equal(t, 200, resp.StatusCode)
	require.Empty(t, body)

	answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }
	resp, body = s.do("GET", "/nothing", s.ada())
	require.Equal(t, 404, resp.StatusCode)
	require.Empty(t, body)
}

func TestSessionOfNobody(t *testing.T) { // MW-10
	s := newSite(t)
	s.engine.GET("/", name)
	_, body := s.do("GET", "/", s.ada())
	require.Equal(t, "nobody", body, "no middleware has looked")
}
