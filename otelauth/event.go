package otelauth

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/sallyport/auth"
)

// OnEvent counts e. It is for OnEvent of [auth.Config], or is called by the hook that is
// there.
//
// Counted are kind, provider and reason, which are closed sets. Whom e is about, and from
// where, is for an audit trail.
func (t *Telemetry) OnEvent(ctx context.Context, e auth.Event) {
	attributes := []attribute.KeyValue{attribute.String("auth.event.kind", string(e.Kind))}
	if e.Provider != "" {
		attributes = append(attributes, attribute.String("auth.provider", e.Provider))
	}
	if e.Reason != "" {
		attributes = append(attributes, attribute.String("auth.event.reason", e.Reason))
	}
	t.events.Add(ctx, 1, metric.WithAttributes(attributes...))
}
