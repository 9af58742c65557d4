package sqlerror_test

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/sqlerror"
)

func TestOf(t *testing.T) { // LG-01, SE-10
	ctx, down := context.Background(), errors.New("connection refused")
	require.NoError(t, sqlerror.Of(ctx, "find", nil))
	require.EqualError(t, sqlerror.Of(ctx, "find", down), "find: connection refused")
	err := sqlerror.Of(ctx, "find", &url.Error{Op: "parse", URL: "postgres://ada:hidden@db", Err: down})
	require.EqualError(t, err, "find: the connection string is not a URL; is the password percent-encoded?")
	ended, end := context.WithCancelCause(ctx)
	cause := errors.New("too slow")
	end(cause)
	err = sqlerror.Of(ended, "find", down)
	require.ErrorIs(t, err, cause)
	require.ErrorIs(t, err, down)
}

func TestPanicked(t *testing.T) { // SE-06
	call := func(panics bool) (err error) {
		defer sqlerror.Panicked(context.Background(), "find", &err)
		if panics {
			panic("index out of range")
		}
		return nil
	}
	require.NoError(t, call(false))
	require.EqualError(t, call(true), "find: the driver panicked")
}
