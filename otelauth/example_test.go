package otelauth_test

import (
	"fmt"
	"log"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	prometheusexporter "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/sallyport/auth/otelauth"
)

// What Prometheus finds after two people have signed in, and one has declined.
func Example_prometheus() {
	t := &testing.T{} // the test's own
	registry := prometheus.NewRegistry()
	exporter, err := prometheusexporter.New(prometheusexporter.WithRegisterer(registry), prometheusexporter.WithoutScopeInfo(), prometheusexporter.WithoutTargetInfo())
	if err != nil {
		log.Fatal(err)
	}
	telemetry, err := otelauth.New(otelauth.Config{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))})
	if err != nil {
		log.Fatal(err)
	}

	idp := newIdP(time.Now)
	a := newAuth(t, telemetry, inside{idp}, time.Now) // Transport, Store and OnEvent of telemetry
	newBrowser(t, a, idp).SignIn("example", "subject-of-ada")
	newBrowser(t, a, idp).SignIn("example", "subject-of-ada")
	newBrowser(t, a, idp).SignIn("example", "deny")

	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "auth_events") || strings.HasPrefix(line, "http_client_request_duration_seconds_count") || strings.HasPrefix(line, "# TYPE") {
			fmt.Print(line)
		}
	}
	// Output:
	// # TYPE auth_events_total counter
	// auth_events_total{auth_event_kind="signed_in",auth_provider="example"} 2
	// auth_events_total{auth_event_kind="sign_in_failed",auth_event_reason="Declined",auth_provider="example"} 1
	// # TYPE auth_store_operation_duration_seconds histogram
	// # TYPE http_client_request_duration_seconds histogram
	// http_client_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",server_address="id.example.com",server_port="443",url_template="/.well-known/openid-configuration"} 1
	// http_client_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",server_address="id.example.com",server_port="443",url_template="/keys"} 1
	// http_client_request_duration_seconds_count{http_request_method="POST",http_response_status_code="200",server_address="id.example.com",server_port="443",url_template="/token"} 2
}
