package upstream_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/upstream"
)

// watch counts what goes through a transport.
type watch struct {
	seen *atomic.Int32
	next http.RoundTripper
}

func (w watch) RoundTrip(r *http.Request) (*http.Response, error) {
	w.seen.Add(1)
	return w.next.RoundTrip(r)
}

func (w watch) Remade(change func(*http.Transport) *http.Transport) (http.RoundTripper, bool) {
	t, ok := w.next.(*http.Transport)
	if !ok {
		return nil, false
	}
	return watch{w.seen, change(t)}, true
}

// TestWatchedTransport: who watches the requests gives up no limit for it.
func TestWatchedTransport(t *testing.T) { // DI-07, DI-08, DI-15, DI-16, TK-22
	watched := func(next http.RoundTripper) (*upstream.Client, *atomic.Int32) {
		w := watch{new(atomic.Int32), next}
		return upstream.New(&http.Client{Transport: w}), w.seen
	}
	within := func(c *upstream.Client) *http.Transport { return c.Transport().(watch).next.(*http.Transport) }

	theirs := &http.Transport{}
	c, _ := watched(theirs)
	require.EqualValues(t, 64<<10, within(c).MaxResponseHeaderBytes)
	require.EqualValues(t, tls.VersionTLS12, within(c).TLSClientConfig.MinVersion)
	require.Zero(t, theirs.MaxResponseHeaderBytes, "what others use is left alone")

	c, seen := watched((*http.Transport)(nil))
	require.Equal(t, 4, within(c).MaxIdleConnsPerHost, "where there is none within, it is ours")
	_, err := get(t, c, "https://169.254.169.254/")
	require.ErrorIs(t, err, upstream.ErrAddress)
	_, err = get(t, c.PrivateHTTP(), "http://192.0.2.1/")
	require.ErrorIs(t, err, upstream.ErrPublic, "before there is a connection")
	require.EqualValues(t, 2, seen.Load())

	changed, ok := c.WithTLS(func(c *tls.Config) { c.ServerName = "changed" })
	require.True(t, ok)
	require.Equal(t, "changed", within(changed).TLSClientConfig.ServerName)
	require.Empty(t, within(c).TLSClientConfig.ServerName)

	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	for address, want := range map[string]error{"10.1.2.3:80": nil, "93.184.216.34:80": upstream.ErrPublic} {
		c, seen := watched(leads(server, address, new(atomic.Int32)).Transport)
		_, err := get(t, c.PrivateHTTP(), "http://idp.lan/")
		require.ErrorIs(t, err, want)
		require.EqualValues(t, 1, seen.Load())
	}

	c, _ = watched(roundTrip(nil))
	_, ok = c.WithTLS(func(*tls.Config) {})
	require.False(t, ok, "into that nobody can look")
	_, err = get(t, c.PrivateHTTP(), "http://idp.lan/")
	require.ErrorIs(t, err, upstream.ErrPublic)
}
