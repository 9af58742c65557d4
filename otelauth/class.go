package otelauth

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// class is err as one of a few words. Its text may have an address, or what a server said.
func class(err error) attribute.KeyValue {
	var (
		timeout     net.Error
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		connection  *net.OpError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return semconv.ErrorTypeKey.String("canceled")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return semconv.ErrorTypeKey.String("timeout")
	case errors.As(err, &dns):
		return semconv.ErrorTypeKey.String("dns")
	case errors.As(err, &certificate):
		return semconv.ErrorTypeKey.String("certificate")
	case errors.As(err, &connection), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return semconv.ErrorTypeKey.String("connection")
	}
	return semconv.ErrorTypeOther
}
