package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
)

const adminVariable = "GATEWAY_ADMIN_ADDR"

// checkAdminAddr takes a host and a port, or nothing. The error is an [*envvar.Error].
func checkAdminAddr(addr string) error {
	if addr == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(addr)
	if _, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil {
		return &envvar.Error{Variable: adminVariable, Problem: "is not an address to listen at", Cure: "write it like 127.0.0.1:9090, where nobody but the operator reaches it, or unset it"}
	}
	return nil
}

// adminHandler is for those who run the gateway, on a port of its own.
func adminHandler(a *auth.Authenticator, m *metrics, logger *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m)
	mux.Handle("GET /readyz", ready(a, logger))
	return mux
}

// ready answers whether the session store does.
func ready(a *auth.Authenticator, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.Ready(r.Context()); err != nil {
			logger.WarnContext(r.Context(), "gateway: not ready", "error", err)
			http.Error(w, "The session store does not answer.", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
}
