package e2e_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// TestFrameworksOnTheDayOfRenewal: each streams, behind Require and Identify, with a
// session that is written anew in the same answer.
func TestFrameworksOnTheDayOfRenewal(t *testing.T) { // MW-08, CK-13
	secrets := []auth.Secret{auth.NewSecret(formSecret)}
	gate := newGate(t, secrets)
	for name, handler := range map[string]func(func(http.Handler) http.Handler) http.Handler{
		"gin": ginApp, "echo": echoApp, "chi": chiApp,
	} {
		for _, http2 := range []bool{false, true} {
			for kind, wrap := range map[string]func(*auth.Authenticator) func(http.Handler) http.Handler{
				"Require":  func(a *auth.Authenticator) func(http.Handler) http.Handler { return a.Require },
				"Identify": func(a *auth.Authenticator) func(http.Handler) http.Handler { return a.Identify },
			} {
				server := httptest.NewUnstartedServer(nil)
				server.EnableHTTP2 = http2
				server.StartTLS()
				a, err := auth.New(auth.Config{Secrets: secrets, URL: server.URL, AccessCode: gate})
				require.NoError(t, err)
				server.Config.Handler = handler(wrap(a))
				for age, renewed := range map[time.Duration]bool{0: false, 25 * time.Hour: true} {
					r, err := http.NewRequest("GET", server.URL+"/stream", nil)
					require.NoError(t, err)
					for _, c := range sessionCookies(t, secrets, age) {
						r.AddCookie(c)
					}
					resp, err := server.Client().Do(r)
					require.NoError(t, err, "%s %s", name, kind)
					body, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					resp.Body.Close()
					require.Equal(t, "onetwo", string(body), "%s %s", name, kind)
					require.Equal(t, renewed, len(resp.Cookies()) == 1, "%s %s", name, kind)
					require.Equal(t, map[bool]int{false: 1, true: 2}[http2], resp.ProtoMajor)
					require.Contains(t, resp.Header.Get("Cache-Control"), "no-store", "%s %s", name, kind)
				}
				server.Close()
			}
		}
	}
}

// TestFiberOnTheDayOfRenewal: by its adaptor, around a handler of net/http's and before
// one of its own.
func TestFiberOnTheDayOfRenewal(t *testing.T) { // MW-08, CK-13
	secrets := []auth.Secret{auth.NewSecret(formSecret)}
	a, err := auth.New(auth.Config{Secrets: secrets, URL: "https://app.example", AccessCode: newGate(t, secrets)})
	require.NoError(t, err)
	app := fiber.New()
	app.Get("/around", adaptor.HTTPHandler(a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, ok := auth.FromContext(r.Context())
		require.True(t, ok)
		w.Header().Set("Cache-Control", "public")
		_, _ = io.WriteString(w, "onetwo")
	}))))
	app.Use("/before", adaptor.HTTPMiddleware(a.Require))
	app.Get("/before", func(c fiber.Ctx) error { return c.SendString("onetwo") })
	for _, path := range []string{"/around", "/before"} {
		for age, renewed := range map[time.Duration]bool{0: false, 25 * time.Hour: true} {
			r := httptest.NewRequest("GET", "https://app.example"+path, nil)
			for _, c := range sessionCookies(t, secrets, age) {
				r.AddCookie(c)
			}
			resp, err := app.Test(r)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, 200, resp.StatusCode, path)
			require.Equal(t, "onetwo", string(body), path)
			require.Equal(t, renewed, len(resp.Cookies()) == 1, path)
			if renewed {
				require.Equal(t, "private, no-store", resp.Header.Get("Cache-Control"), path)
			}
		}
	}
}

// TestHijackedOnTheDayOfRenewal: a connection is taken over with gin's and echo's own
// writers.
func TestHijackedOnTheDayOfRenewal(t *testing.T) { // MW-08
	secrets := []auth.Secret{auth.NewSecret(formSecret)}
	a, err := auth.New(auth.Config{Secrets: secrets, URL: "https://app.example", AccessCode: newGate(t, secrets)})
	require.NoError(t, err)
	for name, handler := range map[string]func(func(http.Handler) http.Handler) http.Handler{"gin": ginApp, "echo": echoApp, "chi": chiApp} {
		server := httptest.NewServer(handler(a.Require))
		r, err := http.NewRequest("GET", server.URL+"/hijack", nil)
		require.NoError(t, err)
		for _, c := range sessionCookies(t, secrets, 25*time.Hour) {
			r.AddCookie(c)
		}
		resp, err := server.Client().Do(r)
		require.NoError(t, err, name)
		resp.Body.Close()
		require.Equal(t, 299, resp.StatusCode, name)
		server.Close()
	}
}

// sessionCookies are of a session that was written age ago.
func sessionCookies(t *testing.T, secrets []auth.Secret, age time.Duration) []*http.Cookie {
	m, err := session.NewManager(session.Config{}, secrets, func() time.Time { return time.Now().Add(-age) })
	require.NoError(t, err)
	w := httptest.NewRecorder()
	require.NoError(t, m.Start(w, httptest.NewRequest("GET", "/", nil), &session.Session{Subject: "ada", Name: "Ada"}, true))
	return w.Result().Cookies()
}

func takeOver(conn net.Conn, _ *bufio.ReadWriter, err error) {
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 299 Own\r\nContent-Length: 0\r\n\r\n")
}

func ginApp(wrap func(http.Handler) http.Handler) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET("/stream", func(c *gin.Context) {
		auth.FromContext(c.Request.Context())
		words := []string{"one", "two"}
		c.Stream(func(w io.Writer) bool {
			_, _ = io.WriteString(w, words[0])
			words = words[1:]
			return len(words) > 0
		})
	})
	router.GET("/hijack", func(c *gin.Context) { takeOver(c.Writer.Hijack()) })
	return wrap(router)
}

func echoApp(wrap func(http.Handler) http.Handler) http.Handler {
	router := echo.New()
	router.Use(echo.WrapMiddleware(wrap)) // inside, with echo's own writer
	router.GET("/stream", func(c echo.Context) error {
		auth.FromContext(c.Request().Context())
		for _, word := range []string{"one", "two"} {
			_, _ = io.WriteString(c.Response(), word)
			c.Response().Flush()
		}
		return nil
	})
	router.GET("/hijack", func(c echo.Context) error {
		takeOver(c.Response().Hijack())
		return nil
	})
	return router
}

func chiApp(wrap func(http.Handler) http.Handler) http.Handler {
	router := chi.NewRouter()
	router.Use(wrap, chimiddleware.RequestLogger(&chimiddleware.DefaultLogFormatter{Logger: quiet{}}))
	router.Get("/stream", func(w http.ResponseWriter, r *http.Request) {
		auth.FromContext(r.Context())
		for _, word := range []string{"one", "two"} {
			_, _ = io.WriteString(w, word)
			w.(http.Flusher).Flush()
		}
	})
	router.Get("/hijack", func(w http.ResponseWriter, _ *http.Request) { takeOver(w.(http.Hijacker).Hijack()) })
	return router
}

// quiet is a log of nothing.
type quiet struct{}

func (quiet) Print(...any) {}
