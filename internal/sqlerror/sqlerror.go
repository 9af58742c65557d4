// Package sqlerror makes errors of database/sql fit to be logged.
package sqlerror

import (
	"context"
	"errors"
	"fmt"
	"net/url"
)

// errConnectionString stands for an error whose text has the password.
var errConnectionString = errors.New("the connection string is not a URL; is the password percent-encoded?")

// errPanic stands for the panic of a driver, at an answer that no database gives.
var errPanic = errors.New("the driver panicked")

// Of is err of call, or nil: it says which call failed and what the driver said of it, but
// no connection string, and wraps ctx's cause where that has ended. Drivers that stop for
// ctx have errors of their own, which do not say so.
func Of(ctx context.Context, call string, err error) error {
	if err == nil {
		return nil
	}
	if notURL := (*url.Error)(nil); errors.As(err, &notURL) {
		err = errConnectionString
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w: %w", call, context.Cause(ctx), err)
	}
	return fmt.Errorf("%s: %w", call, err)
}

// Panicked makes the panic of a driver the error of call. It is deferred.
func Panicked(ctx context.Context, call string, err *error) {
	if recover() != nil {
		*err = Of(ctx, call, errPanic)
	}
}
