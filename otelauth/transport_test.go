package otelauth_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/otelauth"
)

// roundTrip is a transport that answers by itself.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body io.Reader) roundTrip {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body)}, nil
	}
}

func fails(err error) roundTrip {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

func TestTransport(t *testing.T) {
	ok := answer(200, strings.NewReader("hello"))
	for name, test := range map[string]struct {
		method, address string
		base            roundTrip
		span            string
		want            map[string]string
	}{
		"a call": {"GET", "https://id.example.com/oauth2/v1/userinfo?access_token=x#y", ok, "GET /oauth2/v1/userinfo", map[string]string{
			"http.request.method": "GET", "server.address": "id.example.com", "server.port": "443", "url.template": "/oauth2/v1/userinfo", "http.response.status_code": "200"}},
		"a port, and user information": {"POST", "http://user:password@ID.example.com:8080/token", ok, "POST /token", map[string]string{
			"http.request.method": "POST", "server.address": "id.example.com", "server.port": "8080", "url.template": "/token", "http.response.status_code": "200"}},
		"an IPv6 address, and no path": {"GET", "http://[::1]", ok, "GET", map[string]string{
			"http.request.method": "GET", "server.address": "::1", "server.port": "80", "http.response.status_code": "200"}},
		"a method of nobody's": {"SECRET", "https://id.example.com/token", ok, "HTTP /token", map[string]string{
			"http.request.method": "_OTHER", "server.address": "id.example.com", "server.port": "443", "url.template": "/token", "http.response.status_code": "200"}},
		"a refusal": {"POST", "https://id.example.com/token", answer(400, strings.NewReader("a secret")), "POST /token", map[string]string{
			"http.request.method": "POST", "server.address": "id.example.com", "server.port": "443", "url.template": "/token", "http.response.status_code": "400", "error.type": "400"}},
		"a redirect is no failure": {"GET", "https://id.example.com/token", answer(399, strings.NewReader("")), "GET /token", map[string]string{
			"http.request.method": "GET", "server.address": "id.example.com", "server.port": "443", "url.template": "/token", "http.response.status_code": "399"}},
		"no answer": {"GET", "https://id.example.com/users/ada", fails(errors.New("a secret")), "GET /users/{x}", map[string]string{
			"http.request.method": "GET", "server.address": "id.example.com", "server.port": "443", "url.template": "/users/{x}", "error.type": "_OTHER"}},
		"half an answer": {"GET", "https://id.example.com/token", answer(200, iotest.ErrReader(io.ErrUnexpectedEOF)), "GET /token", map[string]string{
			"http.request.method": "GET", "server.address": "id.example.com", "server.port": "443", "url.template": "/token", "http.response.status_code": "200", "error.type": "connection"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := watch(t)
			transport := o.Transport(roundTrip(func(r *http.Request) (*http.Response, error) {
				o.clock.advance(1500 * time.Millisecond)
				return test.base(r)
			}))
			req, err := http.NewRequest(test.method, test.address, nil)
			require.NoError(t, err)
			resp, err := transport.RoundTrip(req)
			if err == nil {
				require.Empty(t, o.spans.Ended(), "the answer is still to be read")
				o.clock.advance(time.Second)
				_, _ = io.ReadAll(resp.Body)
				require.Len(t, o.spans.Ended(), 1, "with the last byte")
				require.NoError(t, resp.Body.Close())
			} else {
				o.clock.advance(time.Second)
			}
			spans := o.spans.Ended()
			require.Len(t, spans, 1)
			require.Equal(t, test.span, spans[0].Name())
			require.Equal(t, trace.SpanKindClient, spans[0].SpanKind())
			require.Equal(t, test.want, attributes(spans[0].Attributes()))
			require.Equal(t, test.want["error.type"] != "", spans[0].Status().Code == codes.Error)
			require.Empty(t, spans[0].Status().Description)

			points := o.durations("http.client.request.duration")
			require.Len(t, points, 1)
			require.Equal(t, test.want, attributes(points[0].Attributes.ToSlice()))
			require.EqualValues(t, 1, points[0].Count)
			if err == nil {
				require.Equal(t, 2.5, points[0].Sum)
			} else {
				require.Equal(t, 1.5, points[0].Sum)
			}
			require.Equal(t, []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}, points[0].Bounds)
		})
	}
}

// TestAnswerThatNobodyReads ends where it is closed, once.
func TestAnswerThatNobodyReads(t *testing.T) {
	o := watch(t)
	req := httptest.NewRequest("GET", "https://id.example.com/keys", nil)
	resp, err := o.Transport(answer(200, strings.NewReader("hello"))).RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	_, _ = io.ReadAll(resp.Body)
	require.Len(t, o.spans.Ended(), 1)
	require.EqualValues(t, 1, o.durations("http.client.request.duration")[0].Count)
}

// TestUpgrade: a connection is the caller's, to read and to write.
func TestUpgrade(t *testing.T) {
	o := watch(t)
	here, there := net.Pipe()
	defer there.Close()
	resp, err := o.Transport(roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 101, Body: here}, nil
	})).RoundTrip(httptest.NewRequest("GET", "https://id.example.com/", nil))
	require.NoError(t, err)
	require.Implements(t, (*io.Writer)(nil), resp.Body)
	require.NoError(t, resp.Body.Close())
	require.Len(t, o.spans.Ended(), 1)
}

// TestRequestIsLeftAlone, as a RoundTripper has to.
func TestRequestIsLeftAlone(t *testing.T) {
	o := watch(t)
	req := httptest.NewRequest("GET", "https://id.example.com/", nil)
	before := req.Clone(req.Context())
	_, err := o.Transport(roundTrip(func(r *http.Request) (*http.Response, error) {
		require.True(t, trace.SpanContextFromContext(r.Context()).IsValid(), "what dials belongs to the call")
		return answer(200, strings.NewReader(""))(r)
	})).RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, before, req)
}

func TestErrorTypes(t *testing.T) {
	for want, err := range map[string]error{
		"canceled":    &net.OpError{Op: "dial", Err: context.Canceled},
		"timeout":     &net.OpError{Op: "dial", Err: context.DeadlineExceeded},
		"dns":         &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "secret.example.com"}},
		"certificate": &tls.CertificateVerificationError{Err: errors.New("unknown authority")},
		"connection":  &net.OpError{Op: "dial", Err: errors.New("refused")},
		"_OTHER":      errors.New("a secret"),
	} {
		o := watch(t)
		_, got := o.Transport(fails(err)).RoundTrip(httptest.NewRequest("GET", "https://id.example.com/", nil))
		require.Equal(t, err, got, "as it was")
		require.Equal(t, want, attributes(o.spans.Ended()[0].Attributes())["error.type"])
	}
}

// TestTransportKeepsTheLimits of providers' calls.
func TestTransportKeepsTheLimits(t *testing.T) { // DI-08, DI-15, DI-16
	o := watch(t)
	client := func(base http.RoundTripper) *upstream.Client {
		return upstream.New(&http.Client{Transport: o.Transport(base)})
	}
	get := func(c *upstream.Client, address string) error {
		req, err := http.NewRequest("GET", address, nil)
		require.NoError(t, err)
		_, err = c.Do(req, 100)
		return err
	}
	require.ErrorIs(t, get(client(nil), "https://169.254.169.254/"), upstream.ErrAddress)
	require.ErrorIs(t, get(client(o.Transport(nil)), "https://169.254.169.254/"), upstream.ErrAddress)
	require.Len(t, o.spans.Ended(), 3)

	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) == 0 {
			w.WriteHeader(401)
		}
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	defer server.Close()
	for name, base := range map[string]http.RoundTripper{"a transport": server.Client().Transport, "one that is watched": o.Transport(server.Client().Transport)} {
		c, ok := client(base).WithTLS(func(config *tls.Config) { config.Certificates = server.TLS.Certificates })
		require.True(t, ok, name)
		before := len(o.spans.Ended())
		require.NoError(t, get(c, server.URL), name)
		require.Equal(t, "200", attributes(o.spans.Ended()[before].Attributes())["http.response.status_code"], name)
	}
	for name, base := range map[string]http.RoundTripper{"another": answer(200, nil), "another that is watched": o.Transport(answer(200, nil))} {
		_, ok := client(base).WithTLS(func(*tls.Config) {})
		require.False(t, ok, name)
	}
}

// TestDefaultTransport: without a provider that puts one there, it is net/http's.
func TestDefaultTransport(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	o := watch(t)
	resp, err := (&http.Client{Transport: o.Transport(nil)}).Get(server.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Len(t, o.spans.Ended(), 1)
}

func TestTemplate(t *testing.T) {
	for path, want := range map[string]string{
		"":                                  "",
		"/":                                 "/",
		"/.well-known/openid-configuration": "/.well-known/openid-configuration",
		"/0f1e2d3c-aaaa/oauth2/v2.0/token":  "/{x}/oauth2/v2.0/token",
		"/application/o/my-app/jwks/":       "/application/o/{x}/jwks/",
		"/realms/staff/protocol/openid-connect/token": "/realms/{x}/protocol/openid-connect/token",
		"/v1/sessions/sess_2/refresh":                 "/v1/sessions/{x}/refresh",
		"/users/ada@example.com":                      "/users/{x}",
		"/TOKEN":                                      "/{x}",
		"/o/o/o/o/o/o/o/o":                            "/o/o/o/o/o/o/o/o",
		"/o/o/o/o/o/o/o/o/o/o":                        "/o/o/o/o/o/o/o/o/{x}",
	} {
		require.Equal(t, want, otelauth.Template(path), path)
	}
}

// FuzzTemplate: nothing of a path is shown but words.
func FuzzTemplate(f *testing.F) {
	f.Add("/users/ada")
	f.Add("//token//x/")
	f.Fuzz(func(t *testing.T, path string) {
		segments := strings.Split(otelauth.Template(path), "/")
		require.LessOrEqual(t, len(segments), 10)
		for _, segment := range segments {
			require.True(t, segment == "" || segment == "{x}" || otelauth.Word(segment), segment)
		}
	})
}
