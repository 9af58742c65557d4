//go:build unix

package serve_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/examples/internal/serve"
)

func TestUntilInterrupt(t *testing.T) {
	ctx := serve.UntilInterrupt()
	require.NoError(t, ctx.Err())
	self, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	require.NoError(t, self.Signal(os.Interrupt))
	<-ctx.Done()
	require.ErrorIs(t, ctx.Err(), context.Canceled)
}
