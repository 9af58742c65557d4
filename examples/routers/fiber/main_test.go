package main

import (
	"net"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/examples/routers/internal/routertest"
)

func TestSite(t *testing.T) {
	for _, base := range []string{"", "/app"} {
		t.Run("at "+base+"/", func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			app, done := site(routertest.New(t, base), base), make(chan error)
			go func() { done <- app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}) }()
			t.Cleanup(func() {
				require.NoError(t, app.Shutdown())
				require.NoError(t, <-done)
			})
			routertest.Visit(t, "http://"+listener.Addr().String(), base)
		})
	}
}
