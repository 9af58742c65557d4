package upstream_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/upstream"
)

func get(t *testing.T, c *upstream.Client, address string) (*upstream.Response, error) {
	req, err := http.NewRequest("GET", address, nil)
	require.NoError(t, err)
	return c.Do(req, 100)
}

func TestLimits(t *testing.T) { // TK-02, TK-13, DI-06, DI-16
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		_, _ = w.Write([]byte("hello"))
	})
	mux.HandleFunc("/exact", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 100)) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 101)) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusTemporaryRedirect) })
	mux.HandleFunc("/br", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Encoding", "br") })
	server := httptest.NewServer(mux)
	defer server.Close()
	jar, _ := cookiejar.New(nil)
	address, _ := url.Parse(server.URL)
	base := &http.Client{Transport: &http.Transport{}, Jar: jar}
	c := upstream.New(base)
	got, err := get(t, c, server.URL+"/ok")
	require.NoError(t, err)
	require.Equal(t, "hello", string(got.Body))
	require.Empty(t, jar.Cookies(address))
	_, err = get(t, c, server.URL+"/exact")
	require.NoError(t, err)
	_, err = get(t, c, server.URL+"/large?secret")
	require.ErrorIs(t, err, upstream.ErrTooLarge)
	require.NotContains(t, err.Error(), "secret")
	_, err = get(t, c, server.URL+"/away")
	require.ErrorIs(t, err, upstream.ErrRedirect)
	_, err = get(t, c, server.URL+"/br")
	require.Error(t, err)
	require.Nil(t, base.CheckRedirect, "the caller's client is left alone")
	require.Zero(t, base.Transport.(*http.Transport).MaxResponseHeaderBytes)
}

func TestAddresses(t *testing.T) { // DI-07, DI-08
	for _, bad := range []string{"", "x.example", "http://x.example", "https://", "https://a@x.example", "https://x.example/#", "ftp://x.example", "ftp://localhost", "javascript://127.0.0.1/", "javascript:alert(1)", "//x.example", "http://127.0.0.1.evil.example", "https://:443", "http://LOCALHO\u017fT"} {
		_, err := upstream.CheckURL(bad)
		require.Error(t, err, bad)
	}
	for _, good := range []string{"https://x.example", "https://x.example:8443/a/?b", "http://localhost:1", "HTTP://LocalHost", "http://127.0.0.9", "http://[::1]:9/"} {
		_, err := upstream.CheckURL(good)
		require.NoError(t, err, good)
	}
	c := upstream.New(nil)
	for _, strange := range []string{"https://169.254.169.254/", "https://[fe80::1]/", "https://0.0.0.0/", "https://224.0.0.1/", "https://[::ffff:169.254.169.254]/", "https://[::ffff:0.0.0.0]/", "https://[fd00:ec2::254]/", "https://[fd20:ce::254]/"} {
		_, err := get(t, c, strange)
		require.ErrorIs(t, err, upstream.ErrAddress, strange)
	}
	_, err := get(t, c, "http://x.example/")
	require.ErrorIs(t, err, upstream.ErrInsecure)
}

func TestTLSIsVerified(t *testing.T) { // TK-21
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	server.Config.ErrorLog = nil
	_, err := get(t, upstream.New(nil), server.URL)
	require.Error(t, err)
	_, err = get(t, upstream.New(server.Client()), server.URL)
	require.NoError(t, err)
}

func TestOldTLSIsRefused(t *testing.T) { // DI-15
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	base := server.Client()
	base.Transport.(*http.Transport).TLSClientConfig.MinVersion = tls.VersionTLS10
	_, err := base.Get(server.URL)
	require.NoError(t, err, "the client by itself takes it")
	_, err = get(t, upstream.New(base), server.URL)
	require.Error(t, err)
}

func TestEndlessAnswer(t *testing.T) { // TK-14, RL-03
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
	_, err := upstream.New(nil).Do(req, 100)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestLazy(t *testing.T) { // DI-02 to DI-05, DI-12
	var now atomic.Int64
	var calls atomic.Int32
	var fail atomic.Bool
	release := make(chan struct{})
	l := &upstream.Lazy[int]{TTL: time.Hour, MaxStale: time.Hour, Now: func() time.Time { return time.Unix(now.Load(), 0) },
		Fetch: func(context.Context) (int, error) {
			<-release
			if fail.Load() {
				return 0, errors.New("down")
			}
			return int(calls.Add(1)), nil
		}}
	now.Store(1_000_000)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := l.Get(cancelled)
	require.ErrorIs(t, err, context.Canceled)
	var wait sync.WaitGroup
	for range 100 {
		wait.Go(func() {
			if v, err := l.Get(context.Background()); v != 1 || err != nil {
				t.Errorf("got %d %v", v, err)
			}
		})
	}
	close(release)
	wait.Wait()
	require.EqualValues(t, 1, calls.Load())
	fail.Store(true)
	now.Add(3600)
	v, err := l.Get(context.Background())
	require.NoError(t, err, "the old value serves")
	require.Equal(t, 1, v)
	now.Add(7200)
	_, err = l.Get(context.Background())
	require.Error(t, err, "but not for ever")
	fail.Store(false)
	_, err = l.Get(context.Background())
	require.ErrorContains(t, err, "a moment ago")
	now.Add(60)
	v, err = l.Get(context.Background())
	require.NoError(t, err)
	require.Equal(t, 2, v)
	_, err = l.Refresh(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 3, calls.Load())
}

func TestLazyRenew(t *testing.T) { // JW-03
	var calls atomic.Int32
	release := make(chan struct{}, 10)
	l := &upstream.Lazy[int]{TTL: time.Hour, MaxStale: time.Hour, Now: time.Now, Fetch: func(context.Context) (int, error) {
		<-release
		return int(calls.Add(1)), nil
	}}
	ctx := context.Background()
	release <- struct{}{}
	first, err := l.Get(ctx)
	require.NoError(t, err)
	was := func(old int) func(int) bool { return func(v int) bool { return v == old } }
	never := func() bool { return false }
	_, ok, err := l.Renew(ctx, was(first), never)
	require.NoError(t, err)
	require.False(t, ok)
	var allowed atomic.Int32
	once := func() bool { return allowed.Add(1) == 1 }
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if v, ok, err := l.Renew(ctx, was(first), once); v != 2 || !ok || err != nil {
				t.Errorf("got %d %v %v", v, ok, err)
			}
		})
	}
	release <- struct{}{}
	wait.Wait()
	require.EqualValues(t, 1, allowed.Load(), "nobody else asks: there is a fetch, or another value")
	v, ok, err := l.Renew(ctx, was(first), never)
	require.NoError(t, err)
	require.True(t, ok && v == 2)
}
