package otelauth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// wire is a transport that remembers what a provider was sent and what it answered.
type wire struct {
	http.RoundTripper

	mu     sync.Mutex
	values map[string]bool
	names  map[string]bool // of the requests' headers
}

func (w *wire) add(value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(value) >= 6 { // a shorter one may be a part of anything
		w.values[value] = true
	}
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	for _, values := range r.URL.Query() {
		w.add(values[0])
	}
	for name, values := range r.Header {
		w.mu.Lock()
		w.names[name] = true
		w.mu.Unlock()
		if name == "Authorization" {
			w.add(values[0])
		}
	}
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body)
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body))
		for name, values := range form {
			if name != "grant_type" {
				w.add(values[0])
			}
		}
	}
	resp, err := w.RoundTripper.RoundTrip(r)
	if err != nil || strings.Contains(r.URL.Path, "/.well-known/") {
		return resp, err
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var answer map[string]any
	if json.Unmarshal(body, &answer) == nil {
		for _, value := range answer {
			if text, ok := value.(string); ok {
				w.add(text)
			}
		}
	}
	return resp, nil
}

// TestSignInShowsNobody: of a whole sign-in, a refresh, refusals and a sign-out there is
// nothing in any span or metric that was on the wire, or is somebody's.
func TestSignInShowsNobody(t *testing.T) { // I1, LG-01, PK-03
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	defer otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator())
	o := watch(t)
	idp := newIdP(o.clock.now)
	out := &wire{RoundTripper: inside{idp}, values: map[string]bool{}, names: map[string]bool{}}
	a := newAuth(t, o.Telemetry, out, o.clock.now)

	b := newBrowser(t, a, idp)
	browsed := &wire{RoundTripper: b.Client.Transport, values: map[string]bool{}, names: map[string]bool{}}
	b.Client.Transport = browsed
	require.Equal(t, "hello", b.SignIn("example", "subject-of-ada").Body)
	o.clock.advance(2 * time.Hour) // its tokens are made anew
	require.Equal(t, "hello", b.Get("/reports?of=somebody-private").Body)
	for _, c := range b.Client.Jar.Cookies(&url.URL{Scheme: "https", Host: "app.example", Path: "/"}) {
		browsed.add(c.Value)
	}
	b.SignOut()
	require.Eventually(t, func() bool { // which nobody waits for
		return slices.ContainsFunc(o.spans.Ended(), func(s sdktrace.ReadOnlySpan) bool { return s.Name() == "POST /revoke" })
	}, 10*time.Second, time.Millisecond)
	require.Equal(t, 403, b.SignIn("example", "deny").Status)
	require.Equal(t, 200, b.Get("/api/auth/callback/example?code=a-stolen-code&state=a-forged-state").Status)

	maps.Copy(out.values, browsed.values)
	for _, person := range []string{"subject-of-ada", "Ada Lovelace", "countess", "ada@example.com", "analysts", "192.0.2.1", "somebody-private", "a-stolen-code", "a-forged-state", "client-secret"} {
		out.values[person] = true
	}
	delete(out.values, "example") // the provider's name, which the cookie authjs.last has
	require.Greater(t, len(out.values), 20)
	tokens := 0

	keys := map[string]bool{}
	look := func(what string, texts map[string]string) {
		for key, text := range texts {
			keys[key] = true
			for value := range out.values {
				require.NotContains(t, text, value, "%s: %s", what, key)
			}
		}
	}
	for _, span := range o.spans.Ended() {
		look(span.Name(), attributes(span.Attributes()))
		look(span.Name(), map[string]string{"error.type": span.Name() + span.Status().Description})
		require.Empty(t, span.Events())
		require.Empty(t, span.Links())
		if span.Name() == "POST /token" {
			tokens++
		}
	}
	require.Equal(t, 2, tokens, "of the code, and of the refresh token")
	require.Len(t, o.spans.Ended(), len(o.spans.Started()), "all of them end")
	for name, m := range o.metrics() {
		switch data := m.Data.(type) {
		case metricdata.Histogram[float64]:
			for _, point := range data.DataPoints {
				look(name, attributes(point.Attributes.ToSlice()))
			}
		case metricdata.Sum[int64]:
			for _, point := range data.DataPoints {
				look(name, attributes(point.Attributes.ToSlice()))
			}
		default:
			t.Fatalf("%s is a %T", name, data)
		}
	}
	for key := range keys {
		require.Contains(t, []string{
			"http.request.method", "server.address", "server.port", "url.template", "http.response.status_code", "error.type",
			"auth.store.operation.name", "auth.event.kind", "auth.provider", "auth.event.reason",
		}, key)
	}
	for name := range out.names {
		require.Contains(t, []string{"Accept", "Authorization", "Content-Type", "User-Agent"}, name, "nothing is added to what a provider is sent")
	}
}

// TestEvents are counted by what is closed.
func TestEvents(t *testing.T) {
	o := watch(t)
	idp := newIdP(o.clock.now)
	b := newBrowser(t, newAuth(t, o.Telemetry, inside{idp}, o.clock.now), idp)
	b.SignIn("example", "subject-of-ada")
	b.SignOut()
	b.SignIn("example", "deny")
	b.SignIn("example", "deny")

	events := o.metrics()["auth.events"]
	require.Equal(t, "{event}", events.Unit)
	counted := map[string]int64{}
	for _, point := range events.Data.(metricdata.Sum[int64]).DataPoints {
		a := attributes(point.Attributes.ToSlice())
		counted[fmt.Sprint(a["auth.event.kind"], " ", a["auth.provider"], " ", a["auth.event.reason"])] = point.Value
		require.Equal(t, a["auth.event.reason"] != "", point.Attributes.Len() == 3)
	}
	require.Equal(t, map[string]int64{"signed_in example ": 1, "signed_out example ": 1, "sign_in_failed example Declined": 2}, counted)
	require.True(t, events.Data.(metricdata.Sum[int64]).IsMonotonic)
}

// TestSpansAreChildren of the request's, also where package auth lets a call outlive it.
func TestSpansAreChildren(t *testing.T) {
	o := watch(t)
	idp := newIdP(o.clock.now)
	a := newAuth(t, o.Telemetry, inside{idp}, o.clock.now)
	b := newBrowser(t, a, idp)
	parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	next := b.Client.Transport
	b.Client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		return next.RoundTrip(r.WithContext(trace.ContextWithSpanContext(r.Context(), parent)))
	})
	b.SignIn("example", "subject-of-ada")
	names := map[string]bool{}
	for _, span := range o.spans.Ended() {
		names[span.Name()] = true
		require.Equal(t, parent.SpanID(), span.Parent().SpanID(), span.Name())
	}
	for _, name := range []string{"GET /.well-known/openid-configuration", "POST /token", "auth.store commit", "auth.store add"} {
		require.Contains(t, names, name)
	}
}
