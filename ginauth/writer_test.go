package ginauth_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/ginauth"
)

// TestHeadersGoOutAsPackageAuthWants: with somebody's renewed cookie goes no word that a
// cache may keep the answer, however a handler sends it.
func TestHeadersGoOutAsPackageAuthWants(t *testing.T) { // HD-01
	for how, handler := range map[string]gin.HandlerFunc{
		"JSON":        func(c *gin.Context) { c.JSON(http.StatusCreated, gin.H{"a": 1}) },
		"Data":        func(c *gin.Context) { c.Data(http.StatusCreated, "text/plain", []byte("a")) },
		"WriteString": func(c *gin.Context) { c.Status(http.StatusCreated); _, _ = c.Writer.WriteString("a") },
		"Write":       func(c *gin.Context) { c.Status(http.StatusCreated); _, _ = c.Writer.Write([]byte("a")) },
		"Copy":        func(c *gin.Context) { c.Status(http.StatusCreated); _, _ = io.Copy(c.Writer, strings.NewReader("a")) },
		"Status":      func(c *gin.Context) { c.Status(http.StatusCreated) },
		"Abort":       func(c *gin.Context) { c.AbortWithStatus(http.StatusCreated) },
		"Flush":       func(c *gin.Context) { c.Status(http.StatusCreated); c.Writer.Flush() },
		"FlushError": func(c *gin.Context) {
			c.Status(http.StatusCreated)
			_ = http.NewResponseController(c.Writer).Flush()
		},
		"panic": func(c *gin.Context) { c.Status(http.StatusCreated); panic("a") },
	} {
		t.Run(how, func(t *testing.T) {
			s := newSite(t)
			// gin takes headers after a status, until something is sent.
			s.engine.Use(gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, _ any) { c.AbortWithStatus(http.StatusCreated) }), ginauth.Identify(s.auth))
			s.engine.GET("/", ginauth.Require(s.auth), func(c *gin.Context) {
				c.Status(http.StatusAccepted)
				c.Header("Cache-Control", "public, max-age=600")
				c.Header("X-Late", "yes")
				handler(c)
			})
			h := s.ada()
			s.later.Store(int64(25 * time.Hour))
			resp, _ := s.do("GET", "/", h)
			require.Equal(t, 201, resp.StatusCode)
			require.NotEmpty(t, resp.Header["Set-Cookie"])
			require.Equal(t, []string{"private, no-store"}, resp.Header["Cache-Control"])
			require.Equal(t, "yes", resp.Header.Get("X-Late"))
		})
	}
}

// TestStatusIsGins: a status may be said and said again until something is sent, with the
// writer of package auth in between as without.
func TestStatusIsGins(t *testing.T) {
	s := newSite(t)
	var status, size int
	s.engine.Use(func(c *gin.Context) { c.Next(); status, size = c.Writer.Status(), c.Writer.Size() }, ginauth.Identify(s.auth))
	s.engine.GET("/", func(c *gin.Context) {
		ginauth.Session(c)
		c.Status(http.StatusNoContent)
		require.False(t, c.Writer.Written())
		c.String(http.StatusTeapot, "short")
		require.True(t, c.Writer.Written())
		require.Equal(t, 5, c.Writer.Size())
	})
	resp, body := s.do("GET", "/", s.ada())
	require.Equal(t, 418, resp.StatusCode)
	require.Equal(t, "short", body)
	require.Equal(t, 418, status)
	require.Equal(t, 5, size)
}

// TestStream: an event is with the client before the handler ends.
func TestStream(t *testing.T) { // MW-16
	for who, later := range map[string]time.Duration{"as ever": 0, "renewed": 25 * time.Hour} {
		t.Run(who, func(t *testing.T) {
			s := newSite(t)
			read := make(chan struct{})
			s.engine.Use(ginauth.Identify(s.auth))
			s.engine.GET("/events", ginauth.Require(s.auth), func(c *gin.Context) {
				first := true
				c.Stream(func(io.Writer) bool {
					if first {
						first = false
						c.SSEvent("", "one")
						return true
					}
					select {
					case <-read:
					case <-c.Request.Context().Done():
					}
					return false
				})
			})
			h := s.ada()
			s.later.Store(int64(later))
			resp := s.open("GET", "/events", h)
			defer resp.Body.Close()
			require.Equal(t, later > 0, resp.Header["Set-Cookie"] != nil)
			line, err := bufio.NewReader(resp.Body).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "data:one\n", line)
			close(read)
		})
	}
}

// TestWebSocket: through gin's writer, and through one with a backend's cookie in between.
func TestWebSocket(t *testing.T) { // MW-08
	s := newSite(t)
	s.engine.Use(ginauth.Identify(s.auth))
	s.engine.GET("/ws", ginauth.Require(s.auth), func(c *gin.Context) {
		conn, err := websocket.Accept(c.Writer, c.Request, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		who, _ := ginauth.Session(c)
		_ = conn.Write(c.Request.Context(), websocket.MessageText, []byte(who.Subject))
	})
	dial := func(h http.Header) (*websocket.Conn, *http.Response, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		t.Cleanup(cancel)
		return websocket.Dial(ctx, s.URL+"/ws", &websocket.DialOptions{HTTPHeader: h})
	}
	for subject, h := range map[string]http.Header{"ada": s.ada(), "eve": eve()} {
		conn, resp, err := dial(h)
		require.NoError(t, err)
		defer conn.CloseNow()
		require.Equal(t, subject == "eve", resp.Header["Set-Cookie"] != nil)
		_, said, err := conn.Read(t.Context())
		require.NoError(t, err)
		require.Equal(t, subject, string(said))
	}

	_, resp, err := dial(nil)
	require.Error(t, err)
	require.Equal(t, 401, resp.StatusCode)
	foreign := s.ada()
	foreign.Set("Origin", "https://evil.example")
	_, resp, err = dial(foreign)
	require.Error(t, err)
	require.Equal(t, 403, resp.StatusCode)
}

// TestController: what [http.ResponseController] reaches without package auth, it reaches
// with it.
func TestController(t *testing.T) { // MW-08
	s := newSite(t)
	s.engine.Use(ginauth.Identify(s.auth))
	s.engine.GET("/", func(c *gin.Context) {
		if err := http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			c.String(http.StatusInternalServerError, err.Error())
		}
	})
	resp, body := s.do("GET", "/", s.ada())
	require.Equal(t, 200, resp.StatusCode, body)
}
