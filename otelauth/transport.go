package otelauth

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Transport returns base with a span and a duration for each request that goes through it.
// It is for the HTTPClient of a provider, or of package clerk. A request ends with the body
// of its answer.
//
// If base is nil, the provider puts a transport of its own within, which does not connect to
// clouds' metadata services. An [http.Transport] is given the limits that it has without this,
// and a client's certificate where there is one. Any other RoundTripper is used as it is: it
// can have no certificate, and reaches http (InsecureHTTP) by numbers alone. If no provider
// has it, nil is [http.DefaultTransport].
func (t *Telemetry) Transport(base http.RoundTripper) http.RoundTripper {
	return &transport{t, base}
}

type transport struct {
	t    *Telemetry
	base http.RoundTripper // may be nil
}

// Remade returns a transport that watches what change makes of the one within, as it was
// given to [Telemetry.Transport]. It is how providers put their limits there; applications do not
// call it.
func (x *transport) Remade(change func(*http.Transport) *http.Transport) (_ http.RoundTripper, ok bool) {
	switch base := x.base.(type) {
	case nil:
		return &transport{x.t, change(nil)}, true
	case *http.Transport:
		return &transport{x.t, change(base)}, true
	case interface {
		Remade(func(*http.Transport) *http.Transport) (http.RoundTripper, bool)
	}:
		within, ok := base.Remade(change)
		return &transport{x.t, within}, ok
	}
	return nil, false
}

// RoundTrip implements [http.RoundTripper].
func (x *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	base := x.base
	if base == nil {
		base = http.DefaultTransport
	}
	c := x.t.begin(req)
	resp, err := base.RoundTrip(req.WithContext(c.ctx))
	if err != nil {
		c.end(class(err))
		return nil, err
	}
	c.answered(resp.StatusCode)
	if resp.StatusCode == http.StatusSwitchingProtocols { // the body is the connection, and may be written to
		c.end()
		return resp, nil
	}
	resp.Body = &body{resp.Body, c}
	return resp, nil
}

// call is one request, until it ends.
type call struct {
	t          *Telemetry
	ctx        context.Context
	span       trace.Span
	begun      time.Time
	attributes []attribute.KeyValue // of the span and of the duration
	failure    []attribute.KeyValue // of the answer's status, if that is one
	once       sync.Once
}

func (t *Telemetry) begin(req *http.Request) *call {
	method := semconv.HTTPRequestMethodOther
	name := "HTTP"
	switch req.Method {
	case "GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS":
		method, name = semconv.HTTPRequestMethodKey.String(req.Method), req.Method
	}
	port, err := strconv.Atoi(req.URL.Port())
	if err != nil {
		port = map[string]int{"http": 80, "https": 443}[strings.ToLower(req.URL.Scheme)]
	}
	attributes := []attribute.KeyValue{method, semconv.ServerAddress(strings.ToLower(req.URL.Hostname())), semconv.ServerPort(port)}
	if route := template(req.URL.Path); route != "" {
		attributes = append(attributes, semconv.URLTemplate(route))
		name += " " + route
	}
	begun := t.now()
	ctx, span := t.tracer.Start(req.Context(), name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...))
	return &call{t: t, ctx: ctx, span: span, begun: begun, attributes: attributes}
}

func (c *call) answered(status int) {
	code := semconv.HTTPResponseStatusCode(status)
	c.span.SetAttributes(code)
	c.attributes = append(c.attributes, code)
	if status >= 400 {
		c.failure = []attribute.KeyValue{semconv.ErrorTypeKey.String(strconv.Itoa(status))}
	}
}

// end is the end of c, the first time: failed says why there is no whole answer.
func (c *call) end(failed ...attribute.KeyValue) {
	c.once.Do(func() {
		if len(failed) == 0 {
			failed = c.failure
		}
		if len(failed) > 0 {
			c.span.SetAttributes(failed...)
			c.span.SetStatus(codes.Error, "")
		}
		c.t.calls.Record(c.ctx, c.t.seconds(c.begun), metric.WithAttributes(append(c.attributes, failed...)...))
		c.span.End()
	})
}

// body is an answer's, and ends the call.
type body struct {
	io.ReadCloser
	call *call
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch err {
	case nil:
	case io.EOF:
		b.call.end()
	default:
		b.call.end(class(err))
	}
	return n, err
}

func (b *body) Close() error {
	defer b.call.end()
	return b.ReadCloser.Close()
}
