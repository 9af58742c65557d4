package upstream_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/upstream"
)

// roundTrip is a transport that answers by itself.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// body is an answer's body that tells what became of it.
type body struct {
	io.Reader
	read   int
	closed bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func (b *body) Close() error { b.closed = true; return nil }

func answer(status int, r io.Reader) (*upstream.Client, *body) {
	b := &body{Reader: r}
	return upstream.New(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: b}, nil
	})}), b
}

func TestTransportGetsLimits(t *testing.T) { // DI-15, DI-16, TK-22
	limits := func(c *upstream.Client) (handshake time.Duration, header int64, version uint16) {
		x := c.Transport().(*http.Transport)
		require.True(t, x.DisableCompression, "decompressed where the limit counts")
		return x.TLSHandshakeTimeout, x.MaxResponseHeaderBytes, x.TLSClientConfig.MinVersion
	}
	for name, test := range map[string]struct {
		base      *http.Client
		handshake time.Duration
		header    int64
		version   uint16
	}{
		"none given":     {nil, 5 * time.Second, 64 << 10, tls.VersionTLS12},
		"no transport":   {&http.Client{}, 5 * time.Second, 64 << 10, tls.VersionTLS12},
		"without":        {&http.Client{Transport: &http.Transport{}}, 5 * time.Second, 64 << 10, tls.VersionTLS12},
		"its own dialer": {&http.Client{Transport: &http.Transport{DialContext: new(net.Dialer).DialContext}}, 5 * time.Second, 64 << 10, tls.VersionTLS12},
		"laxer":          {&http.Client{Transport: &http.Transport{TLSHandshakeTimeout: 6 * time.Second, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS11}}}, 5 * time.Second, 64 << 10, tls.VersionTLS12},
		"stricter":       {&http.Client{Transport: &http.Transport{TLSHandshakeTimeout: time.Second, MaxResponseHeaderBytes: 1, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13}}}, time.Second, 1, tls.VersionTLS13},
		"its own limit":  {&http.Client{Transport: &http.Transport{MaxResponseHeaderBytes: 1 << 20}}, 5 * time.Second, 1 << 20, tls.VersionTLS12},
	} {
		t.Run(name, func(t *testing.T) {
			handshake, header, version := limits(upstream.New(test.base))
			require.Equal(t, test.handshake, handshake)
			require.Equal(t, test.header, header)
			require.Equal(t, test.version, version)
		})
	}
	require.Equal(t, 4, upstream.New(nil).Transport().(*http.Transport).MaxIdleConnsPerHost)
	require.False(t, http.DefaultTransport.(*http.Transport).DisableCompression, "what others use is left alone")
}

func TestHeaderLimit(t *testing.T) { // TK-22
	for size, fits := range map[int]bool{63 << 10: true, 64 << 10: false} {
		address, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", size)) })
		_, err := get(t, upstream.New(nil), address)
		require.Equal(t, fits, err == nil, "%d: %v", size, err)
	}
}

func TestStrangeAddresses(t *testing.T) { // DI-08
	for address, want := range map[string]error{
		"203.0.113.1:443": nil, "[2001:db8::1]:443": nil, "127.0.0.1:443": nil, "10.0.0.1:443": nil,
		"169.254.169.254:80": upstream.ErrAddress, "[::ffff:169.254.169.254]:80": upstream.ErrAddress, "[fe80::1%eth0]:80": upstream.ErrAddress,
		"0.0.0.0:80": upstream.ErrAddress, "[::]:80": upstream.ErrAddress, "224.0.0.1:80": upstream.ErrAddress, "[ff02::1]:80": upstream.ErrAddress,
		"no address": upstream.ErrAddress,
	} {
		require.ErrorIs(t, upstream.RefuseStrangeAddresses(address), want, address)
	}
}

// TestCallIsBounded: each call has ten seconds, and leaves nothing behind.
func TestCallIsBounded(t *testing.T) { // TK-14, CB-09
	var ctx context.Context
	c := upstream.New(&http.Client{Timeout: time.Nanosecond, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		ctx = r.Context()
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
	})})
	begun := time.Now()
	_, err := get(t, c, "https://x.example/")
	require.NoError(t, err)
	deadline, ok := ctx.Deadline()
	require.True(t, ok)
	require.WithinRange(t, deadline, begun.Add(10*time.Second), time.Now().Add(10*time.Second))
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	require.Equal(t, 10*time.Second, c.HTTPClient(1).Timeout)
}

func TestAnswerIsClosed(t *testing.T) { // TK-02, TK-13
	for name, test := range map[string]struct {
		status, size, read int
		want               error
	}{
		"whole":               {200, 100, 100, nil},
		"a redirect":          {302, 1 << 10, 1 << 10, upstream.ErrRedirect},
		"a redirect, chatty":  {302, 1 << 20, 64 << 10, upstream.ErrRedirect},
		"at the lower bound":  {300, 0, 0, upstream.ErrRedirect},
		"at the higher bound": {399, 0, 0, upstream.ErrRedirect},
		"below":               {299, 0, 0, nil},
		"above":               {400, 0, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, b := answer(test.status, bytes.NewReader(make([]byte, test.size)))
			r, err := get(t, c, "https://x.example/")
			require.ErrorIs(t, err, test.want)
			require.True(t, b.closed)
			require.Equal(t, test.read, b.read, "so much that the connection can be used again, and no more")
			if err == nil {
				require.Equal(t, test.status, r.Status)
			}
		})
	}
}

// TestTooLargeIsOverAtOnce: what is still to come is not waited for.
func TestTooLargeIsOverAtOnce(t *testing.T) { // TK-13, TK-14
	address, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(make([]byte, 101))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	begun := time.Now()
	_, err := get(t, upstream.New(nil), address)
	require.ErrorIs(t, err, upstream.ErrTooLarge)
	require.Less(t, time.Since(begun), 5*time.Second)
}

func TestContentEncodings(t *testing.T) { // TK-15
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte("hello"))
	_ = z.Close()
	for encoding, test := range map[string]struct{ sent, want string }{
		"":         {"hello", "hello"},
		"identity": {"hello", "hello"},
		"Identity": {"hello", "hello"},
		"gzip":     {zipped.String(), "hello"},
		"GZIP":     {zipped.String(), "hello"},
		"x-gzip":   {zipped.String(), ""},
		"deflate":  {"hello", ""},
	} {
		address, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Encoding"] = []string{encoding}
			_, _ = io.WriteString(w, test.sent)
		})
		r, err := get(t, upstream.New(nil), address)
		if test.want == "" {
			require.ErrorContains(t, err, "not asked for", encoding)
			continue
		}
		require.NoError(t, err, encoding)
		require.Equal(t, test.want, string(r.Body))
	}
	address, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "hello")
	})
	_, err := get(t, upstream.New(nil), address)
	require.ErrorContains(t, err, "not the gzip")
}

func TestErrorNamesTheHost(t *testing.T) { // LG-01
	down := errors.New("down")
	c := upstream.New(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, down })})
	_, err := get(t, c, "https://x.example:8443/path?secret")
	require.EqualError(t, err, "x.example:8443: down")
	var failed *upstream.Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "x.example:8443", failed.Host)
	require.Equal(t, down, failed.Err)
	c = upstream.New(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("retried: %w", &url.Error{Op: "Get", URL: r.URL.String(), Err: &url.Error{Op: "Get", URL: r.URL.String(), Err: down}})
	})})
	_, err = get(t, c, "https://x.example:8443/path?secret")
	require.EqualError(t, err, "x.example:8443: down", "a transport that is a client of its own")
}

// TestHTTPClient: a library with a client of its own is held to the same.
func TestHTTPClient(t *testing.T) { // TK-02, TK-13, DI-07, DI-16
	c, b := answer(200, strings.NewReader(strings.Repeat("x", 200)))
	resp, err := c.HTTPClient(100).Get("https://x.example/")
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Len(t, got, 100)
	require.NoError(t, resp.Body.Close())
	require.True(t, b.closed)
	_, err = c.HTTPClient(100).Get("http://x.example/")
	require.ErrorIs(t, err, upstream.ErrInsecure)

	address, hits := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	resp, err = upstream.New(nil).HTTPClient(100).Get(address)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 302, resp.StatusCode)
	require.EqualValues(t, 1, hits.Load())

	down := errors.New("down")
	c = upstream.New(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, down })})
	_, err = c.HTTPClient(100).Get("https://x.example/")
	require.ErrorIs(t, err, down)
}
