package web_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// abilities are what handlers ask a writer for by type.
func abilities(w http.ResponseWriter) string {
	_, flushes := w.(http.Flusher)
	_, hijacks := w.(http.Hijacker)
	_, notifies := w.(interface{ CloseNotify() <-chan bool })
	_, pushes := w.(http.Pusher)
	return fmt.Sprint(flushes, hijacks, notifies, pushes)
}

// TestWriterOfARenewalCanDoWhatTheServersCan: gin's streaming, a WebSocket, a push.
func TestWriterOfARenewalCanDoWhatTheServersCan(t *testing.T) { // MW-08
	for _, http2 := range []bool{false, true} {
		var got http.ResponseWriter
		h, cookie, set := renewable(t, func(w http.ResponseWriter, _ *http.Request) {
			got = w
			if _, err := io.WriteString(w, "hello "); err != nil {
				t.Error(err)
			}
			if _, err := io.Copy(w, strings.NewReader("world")); err != nil {
				t.Error(err)
			}
			if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Error(err)
			}
		}, nil)
		var before string
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			before = abilities(w)
			h.ServeHTTP(w, r)
		}))
		server.EnableHTTP2 = http2
		server.StartTLS()
		defer server.Close()
		for _, after := range []time.Duration{0, 25 * time.Hour} {
			set(after)
			r, err := http.NewRequest("GET", server.URL, nil)
			require.NoError(t, err)
			r.Header.Set("Cookie", cookie)
			resp, err := server.Client().Do(r)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, map[bool]int{true: 2, false: 1}[http2], resp.ProtoMajor)
			require.Equal(t, after > 0, len(resp.Cookies()) == 1)
			require.Equal(t, "hello world", string(body))
			require.Equal(t, before, abilities(got))
			require.Contains(t, before, map[bool]string{false: "true true true false", true: "true false true true"}[http2])
		}
	}
}

// TestWriterOfARenewalCanDoNoMore than the one that it is for, of any kind.
func TestWriterOfARenewalCanDoNoMore(t *testing.T) {
	var got http.ResponseWriter
	h, cookie, set := renewable(t, func(w http.ResponseWriter, _ *http.Request) { got = w }, nil)
	set(25 * time.Hour)
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.Header.Set("Cookie", cookie)
	for _, w := range kinds(nowhere{http.Header{}}) {
		h.ServeHTTP(w, r)
		require.NotEqual(t, w, got)
		require.Equal(t, abilities(w), abilities(got))
		if c, ok := got.(interface{ CloseNotify() <-chan bool }); ok {
			require.Nil(t, c.CloseNotify())
		}
		if p, ok := got.(http.Pusher); ok {
			require.ErrorIs(t, p.Push("/x", nil), errPushed)
		}
		if j, ok := got.(http.Hijacker); ok {
			_, _, err := j.Hijack()
			require.ErrorIs(t, err, errTaken)
		}
		if f, ok := got.(http.Flusher); ok {
			f.Flush()
		}
	}
}

// nowhere is a writer that can do nothing beside writing.
type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header       { return n.h }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}

type (
	flushes  struct{}
	hijacks  struct{}
	notifies struct{}
	pushes   struct{}
)

var errTaken, errPushed = errors.New("taken"), errors.New("pushed")

func (flushes) Flush()                                       {}
func (hijacks) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, errTaken }
func (notifies) CloseNotify() <-chan bool                    { return nil }
func (pushes) Push(string, *http.PushOptions) error          { return errPushed }

// kinds are w with each set of abilities.
func kinds(w http.ResponseWriter) []http.ResponseWriter {
	type rw = http.ResponseWriter
	return []rw{
		w,
		struct {
			rw
			flushes
		}{rw: w},
		struct {
			rw
			hijacks
		}{rw: w},
		struct {
			rw
			flushes
			hijacks
		}{rw: w},
		struct {
			rw
			notifies
		}{rw: w},
		struct {
			rw
			flushes
			notifies
		}{rw: w},
		struct {
			rw
			hijacks
			notifies
		}{rw: w},
		struct {
			rw
			flushes
			hijacks
			notifies
		}{rw: w},
		struct {
			rw
			pushes
		}{rw: w},
		struct {
			rw
			flushes
			pushes
		}{rw: w},
		struct {
			rw
			hijacks
			pushes
		}{rw: w},
		struct {
			rw
			flushes
			hijacks
			pushes
		}{rw: w},
		struct {
			rw
			notifies
			pushes
		}{rw: w},
		struct {
			rw
			flushes
			notifies
			pushes
		}{rw: w},
		struct {
			rw
			hijacks
			notifies
			pushes
		}{rw: w},
		struct {
			rw
			flushes
			hijacks
			notifies
			pushes
		}{rw: w},
	}
}

// TestAnUpgradeBehindIdentifyIsNotWrapped: it is no answer that a cache would keep.
func TestAnUpgradeBehindIdentifyIsNotWrapped(t *testing.T) { // MW-08
	var got http.ResponseWriter
	h := newAuth(t, nil).Identify(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { got = w }))
	for _, upgrade := range []string{"", "websocket"} {
		r := httptest.NewRequest("GET", "https://app.example/ws", nil)
		r.Header.Set("Upgrade", upgrade)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, upgrade != "", got == http.ResponseWriter(w))
	}
}

// TestWhatSendsNoHeaderLeavesItToSee: a flush that is not possible, and nothing copied.
func TestWhatSendsNoHeaderLeavesItToSee(t *testing.T) { // HD-01, CK-13
	public := func(w http.ResponseWriter) { w.Header().Set("Cache-Control", "public") }
	h, cookie, set := renewable(t, func(w http.ResponseWriter, _ *http.Request) {
		require.ErrorIs(t, http.NewResponseController(w).Flush(), http.ErrNotSupported)
		public(w)
		_, err := io.Copy(w, strings.NewReader(""))
		require.NoError(t, err)
		_, err = w.(io.ReaderFrom).ReadFrom(strings.NewReader(""))
		require.NoError(t, err)
		public(w)
	}, nil)
	set(25 * time.Hour)
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.Header.Set("Cookie", cookie)
	w := nowhere{http.Header{}}
	h.ServeHTTP(w, r)
	require.NotEmpty(t, w.h["Set-Cookie"])
	require.Equal(t, "private, no-store", w.h.Get("Cache-Control"))
}
