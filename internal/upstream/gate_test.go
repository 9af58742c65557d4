package upstream_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/upstream"
)

// serve is a provider whose every request handler answers, and the count of them.
func serve(t *testing.T, handler http.HandlerFunc) (address string, hits *atomic.Int32) {
	hits = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, hits
}

func pass(*upstream.Response) error { return nil }

func TestGatePassesOnWhatTheCheckLeaves(t *testing.T) {
	var got http.Header
	address, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("X-Odd", "1")
		w.WriteHeader(201)
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte("theirs"))
		_ = z.Close()
	})
	g := upstream.New(nil).Gate(100, func(r *upstream.Response) error {
		require.Equal(t, 201, r.Status)
		require.Equal(t, "theirs", string(r.Body), "the whole of it, decompressed")
		r.Status, r.Header, r.Body = 200, http.Header{"Content-Type": {"application/json"}}, []byte("ours")
		return nil
	})
	resp, err := g.HTTPClient().Get(address)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "ours", string(body))
	require.Equal(t, "200 OK", resp.Status)
	require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	require.Empty(t, resp.Header.Get("X-Odd")+resp.Header.Get("Content-Encoding"))
	require.Equal(t, upstream.UserAgent, got.Get("User-Agent"))
	require.Equal(t, "application/json", got.Get("Accept"))
	require.NoError(t, g.Err())
}

func TestGateKeepsTheHeadersOfTheRequest(t *testing.T) {
	var got http.Header
	address, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	req, err := http.NewRequest("GET", address, nil)
	require.NoError(t, err)
	req.Header.Set("Accept", "text/x")
	_, err = upstream.New(nil).Gate(100, pass).HTTPClient().Do(req)
	require.NoError(t, err)
	require.Equal(t, "text/x", got.Get("Accept"))
	require.Empty(t, req.Header.Get("User-Agent"), "the caller's request is left alone")
}

func TestGateRefuses(t *testing.T) { // TK-02, TK-13, TK-15, DI-06, DI-11, UI-07
	refusal := errors.New("refused")
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		check  func(*upstream.Response) error
		want   error
	}{
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, pass, upstream.ErrRedirect},
		"a 304":         {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }, pass, upstream.ErrRedirect},
		"a large body":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 101)) }, pass, upstream.ErrTooLarge},
		"a broken body": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "9") }, pass, io.ErrUnexpectedEOF},
		"a gzip bomb": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 1<<20))
			_ = z.Close()
		}, pass, upstream.ErrTooLarge},
		"what the check refuses": {func(http.ResponseWriter, *http.Request) {}, func(*upstream.Response) error { return refusal }, refusal},
	} {
		t.Run(name, func(t *testing.T) {
			address, hits := serve(t, test.answer)
			g := upstream.New(nil).Gate(100, test.check)
			resp, err := g.HTTPClient().Get(address + "/?secret")
			require.Error(t, err)
			require.Nil(t, resp)
			require.ErrorIs(t, g.Err(), test.want, "as it was, and not as a library words it")
			require.NotContains(t, g.Err().Error(), "secret")
			require.EqualValues(t, 1, hits.Load())
		})
	}
}

func TestGateIsForOneRequest(t *testing.T) { // I8, TK-01
	address, hits := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
	g := upstream.New(nil).Gate(100, pass)
	_, err := g.HTTPClient().Post(address, "text/plain", strings.NewReader("code"))
	require.NoError(t, err)
	_, err = g.HTTPClient().Post(address, "text/plain", strings.NewReader("code"))
	require.ErrorIs(t, err, upstream.ErrSpent)
	require.ErrorIs(t, g.Err(), upstream.ErrSpent)
	require.EqualValues(t, 1, hits.Load())
}

// TestGateSendsOnce: net/http sends a request again when an idle connection turns
// out to be closed, unless it has a body that cannot be had again.
func TestGateSendsOnce(t *testing.T) { // I8, TK-16
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	var sent atomic.Int32
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				buffer := make([]byte, 4096)
				for first := true; ; first = false {
					n, err := c.Read(buffer)
					if err != nil {
						return
					}
					if strings.Contains(string(buffer[:n]), "code") {
						sent.Add(1)
					}
					if !first {
						_ = c.Close() // a reused connection breaks
						return
					}
					_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
				}
			}()
		}
	}()
	address := "http://" + listener.Addr().String()
	c := upstream.New(&http.Client{Transport: &http.Transport{}})
	warm := c.Gate(100, pass)
	_, err = warm.HTTPClient().Get(address)
	require.NoError(t, err)
	g := c.Gate(100, pass)
	req, err := http.NewRequestWithContext(context.Background(), "POST", address, strings.NewReader("code"))
	require.NoError(t, err)
	req.Header["Idempotency-Key"] = []string{"x"} // what makes net/http think that it may
	_, err = g.HTTPClient().Do(req)
	require.Error(t, err)
	require.EqualValues(t, 1, sent.Load())
}

func TestGateHoldsToAddresses(t *testing.T) { // DI-07, DI-08
	for address, want := range map[string]error{"http://x.example/": upstream.ErrInsecure, "https://169.254.169.254/": upstream.ErrAddress} {
		g := upstream.New(nil).Gate(100, pass)
		_, err := g.HTTPClient().Get(address)
		require.Error(t, err)
		require.ErrorIs(t, g.Err(), want)
	}
}

// TestGateTellsWhatCameOfTheAnswer: of one that the check leaves as it is, length and
// encoding are those of the body that the library gets.
func TestGateTellsWhatCameOfTheAnswer(t *testing.T) { // TK-15
	address, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(strings.Repeat("x", 90)))
		_ = z.Close()
	})
	resp, err := upstream.New(nil).Gate(100, pass).HTTPClient().Get(address)
	require.NoError(t, err)
	require.Equal(t, "200 OK", resp.Status)
	require.Equal(t, "HTTP/1.1", resp.Proto)
	require.True(t, resp.ProtoAtLeast(1, 1) && !resp.ProtoAtLeast(1, 2))
	require.Empty(t, resp.Header.Get("Content-Encoding"))
	require.Equal(t, "90", resp.Header.Get("Content-Length"))
	require.EqualValues(t, 90, resp.ContentLength)
}

// closing is a request's body that tells of its end.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

// TestGateKeepsTheFirstError: it is the cause of those that follow. A body is closed,
// sent or not, as a RoundTripper's is.
func TestGateKeepsTheFirstError(t *testing.T) { // TK-01
	refusal := errors.New("refused")
	address, _ := serve(t, func(http.ResponseWriter, *http.Request) {})
	g := upstream.New(nil).Gate(100, func(*upstream.Response) error { return refusal })
	for range 2 {
		body := &closing{Reader: strings.NewReader("code")}
		req, err := http.NewRequest("POST", address, body)
		require.NoError(t, err)
		_, err = g.RoundTrip(req)
		require.Error(t, err)
		require.Equal(t, refusal, g.Err())
		require.True(t, body.closed)
	}
}

func TestGateKeepsTheUserAgent(t *testing.T) {
	var got http.Header
	address, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	req, err := http.NewRequest("GET", address, nil)
	require.NoError(t, err)
	req.Header.Set("User-Agent", "theirs")
	_, err = upstream.New(nil).Gate(100, pass).HTTPClient().Do(req)
	require.NoError(t, err)
	require.Equal(t, "theirs", got.Get("User-Agent"))
	require.Equal(t, "application/json", got.Get("Accept"))
}
