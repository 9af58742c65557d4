package otelauth_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/otelauth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

const issuer = "https://id.example.com"

// clock is moved by hand. It begins now, because a cookie jar goes by the time of day.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// seen is what arrived at OpenTelemetry.
type seen struct {
	*otelauth.Telemetry
	t     testing.TB
	clock *clock
	spans *tracetest.SpanRecorder
	read  *sdkmetric.ManualReader
}

func watch(t testing.TB) *seen {
	t.Helper()
	s := &seen{t: t, clock: newClock(), spans: tracetest.NewSpanRecorder(), read: sdkmetric.NewManualReader()}
	var err error
	s.Telemetry, err = otelauth.New(otelauth.Config{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(s.spans)),
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(s.read)),
		Now:            s.clock.now,
	})
	require.NoError(t, err)
	return s
}

// metrics are all that were recorded, by name.
func (s *seen) metrics() map[string]metricdata.Metrics {
	var all metricdata.ResourceMetrics
	require.NoError(s.t, s.read.Collect(context.Background(), &all))
	found := map[string]metricdata.Metrics{}
	for _, scope := range all.ScopeMetrics {
		require.Equal(s.t, "github.com/sallyport/auth/otelauth", scope.Scope.Name)
		for _, m := range scope.Metrics {
			found[m.Name] = m
		}
	}
	return found
}

// durations are those of the histogram called name.
func (s *seen) durations(name string) []metricdata.HistogramDataPoint[float64] {
	m := s.metrics()[name]
	require.Equal(s.t, "s", m.Unit)
	return m.Data.(metricdata.Histogram[float64]).DataPoints
}

// attributes are a's texts by name.
func attributes(a []attribute.KeyValue) map[string]string {
	texts := map[string]string{}
	for _, kv := range a {
		texts[string(kv.Key)] = kv.Value.String()
	}
	return texts
}

// inside is a transport that has a handler answer.
type inside struct{ http.Handler }

func (h inside) RoundTrip(r *http.Request) (*http.Response, error) {
	body := io.Reader(http.NoBody)
	if r.Body != nil {
		defer r.Body.Close()
		body = r.Body
	}
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), body)
	in.Header = r.Header.Clone()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, in)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// kept is a store that is not in memory, as far as anybody can tell.
type kept struct{ *session.MemoryStore }

// newIdP is an identity provider at issuer, with no port.
func newIdP(now func() time.Time) *providertest.IdP {
	return providertest.New(providertest.Config{
		Issuer: issuer, Ask: true, Now: now,
		Clients: []providertest.Client{{ID: "app", Secret: "client-secret"}},
		People:  []providertest.Person{{Subject: "subject-of-ada", Name: "Ada Lovelace", Username: "countess", Email: "ada@example.com", EmailVerified: true, Groups: []string{"analysts"}}},
	})
}

// newAuth is an application that t watches, with calls by base.
func newAuth(t testing.TB, o *otelauth.Telemetry, base http.RoundTripper, now func() time.Time) *auth.Authenticator {
	t.Helper()
	p, err := oidc.New(oidc.Config{
		Name: "example", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret("client-secret"), Now: now,
		Scopes:     []string{"openid", "profile", "email", "offline_access"},
		HTTPClient: &http.Client{Transport: o.Transport(base)},
	})
	require.NoError(t, err)
	a, err := auth.New(auth.Config{
		Secrets: []auth.Secret{auth.NewSecret("aVerySecretValueOfThirtyTwoBytes!")}, Providers: []auth.Provider{p},
		Session: session.Config{Store: o.Store(kept{session.NewMemoryStore(0, now)})}, KeepTokens: true,
		OnEvent: o.OnEvent, Now: now, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return a
}

// newBrowser is somebody's at https://app.example, which a guards, with idp where it says
// that it is.
func newBrowser(t testing.TB, a *auth.Authenticator, idp http.Handler) *authtest.Browser {
	site := a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tokens, ok := auth.TokenSource(r.Context()); ok {
			if _, err := tokens.Token(); err == nil { // made anew where it has to be
				_, _ = io.WriteString(w, "hello")
			}
		}
	}))
	b := authtest.NewBrowser(t, "https://app.example", site)
	b.Client.Transport = inside{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "app.example" {
			site.ServeHTTP(w, r)
			return
		}
		idp.ServeHTTP(w, r)
	})}
	return b
}
