// Package otelauth has OpenTelemetry see what package auth does: the calls to identity
// providers, the session store, and who comes in and who does not, as counts.
//
//	t, err := otelauth.New(otelauth.Config{}) // to the global providers
//	if err != nil {
//		log.Fatal(err)
//	}
//	p, err := oidc.New(oidc.Config{HTTPClient: &http.Client{Transport: t.Transport(nil)} /* ... */})
//	a, err := auth.New(auth.Config{
//		Providers: []auth.Provider{p},
//		Session:   session.Config{Store: t.Store(store)},
//		OnEvent:   t.OnEvent,
//	})
//
// With [auth.ConfigFromEnv], Transport goes into HTTPClient of [auth.Parts], for the calls
// of all providers.
//
// # Spans
//
//	GET /.well-known/openid-configuration    a call, by [Telemetry.Transport]
//	auth.store find                          an operation of the store, by [Telemetry.Store]
//
// They are children of the span in the request's context. A call that several requests wait
// for, such as that for an issuer's keys, belongs to the first of them. Spans of the requests
// themselves are not made here: otelhttp makes them.
//
// # Metrics
//
//	http.client.request.duration     s          http.request.method, server.address, server.port, url.template, http.response.status_code, error.type
//	auth.store.operation.duration    s          auth.store.operation.name, error.type
//	auth.events                      {event}    auth.event.kind, auth.provider, auth.event.reason
//
// # What is left out
//
// No attribute is somebody's: no subject, address, name, session or request id. There is no
// url.full, which the conventions want of a span: queries hold codes and nonces. Of a path,
// url.template has the words that endpoints are called by, and {x} for all others. Texts of
// errors, which servers have a say in, are no attributes either: error.type is a status, or
// one of "canceled", "timeout", "dns", "certificate", "connection" and "_OTHER". How many
// there can be of each is up to the configuration, and not to requests.
//
// Nothing is sent to the provider: no traceparent and no baggage.
//
// The log has the rest, with the request id that a person reads out.
package otelauth

import (
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// scope is the name of the instrumentation scope.
const scope = "github.com/sallyport/auth/otelauth"

// Config says where spans and metrics go. Its zero value is good for most.
type Config struct {
	TracerProvider trace.TracerProvider // If nil, the global one
	MeterProvider  metric.MeterProvider // If nil, the global one

	Now func() time.Time // the clock that durations are taken by. If nil, time.Now
}

// Telemetry has what is to be seen go to OpenTelemetry. It is safe for concurrent use, and
// what it returns is if what is within is.
type Telemetry struct {
	tracer trace.Tracer
	now    func() time.Time
	calls  metric.Float64Histogram
	stores metric.Float64Histogram
	events metric.Int64Counter
}

// New returns a Telemetry. The error joins what the MeterProvider has against the
// instruments; that of the SDK has something where a view of the application's is wrong.
func New(c Config) (*Telemetry, error) {
	if c.TracerProvider == nil {
		c.TracerProvider = otel.GetTracerProvider()
	}
	if c.MeterProvider == nil {
		c.MeterProvider = otel.GetMeterProvider()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	meter := c.MeterProvider.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
	// The bounds are what the conventions advise for calls by HTTP, and for those of databases.
	calls, e1 := meter.Float64Histogram("http.client.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of HTTP client requests."),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10))
	stores, e2 := meter.Float64Histogram("auth.store.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of the session store's operations."),
		metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10))
	events, e3 := meter.Int64Counter("auth.events", metric.WithUnit("{event}"),
		metric.WithDescription("Sign-ins, refusals, updates and sign-outs."))
	if err := errors.Join(e1, e2, e3); err != nil {
		return nil, err
	}
	tracer := c.TracerProvider.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))
	return &Telemetry{tracer, c.Now, calls, stores, events}, nil
}

// seconds have gone by since begun.
func (t *Telemetry) seconds(begun time.Time) float64 { return t.now().Sub(begun).Seconds() }
