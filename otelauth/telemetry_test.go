package otelauth_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/sallyport/auth/otelauth"
)

// refusing is a MeterProvider that makes no instruments.
type refusing struct{ noop.MeterProvider }

func (refusing) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{} }

type refusingMeter struct{ noop.Meter }

func (refusingMeter) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, errors.New("no " + name)
}

func (refusingMeter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, errors.New("no " + name)
}

func TestNew(t *testing.T) {
	_, err := otelauth.New(otelauth.Config{MeterProvider: refusing{}})
	require.EqualError(t, err, "no http.client.request.duration\nno auth.store.operation.duration\nno auth.events")
	_, err = otelauth.New(otelauth.Config{})
	require.NoError(t, err)
}
