package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// timeoutError is the time limit of one call, which has passed.
type timeoutError time.Duration

func (e timeoutError) Error() string {
	return fmt.Sprintf("no answer of the database within %v", time.Duration(e))
}

// Is makes it a [context.DeadlineExceeded].
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// errConnectionString stands for an error whose text has the password.
var errConnectionString = errors.New("the connection string is not a URL; is the password percent-encoded?")

// errPanic stands for the panic of a driver, at an answer that no database gives.
var errPanic = errors.New("the driver panicked")

// panicked makes the panic of a driver the error of call. It is deferred.
func panicked(ctx context.Context, call string, err *error) {
	if recover() != nil {
		*err = failure(ctx, call, errPanic)
	}
}

// failure is err as callers get it, or nil. Drivers that stop for ctx have errors of their
// own, which do not say so.
func failure(ctx context.Context, call string, err error) error {
	if err == nil {
		return nil
	}
	if notURL := (*url.Error)(nil); errors.As(err, &notURL) {
		err = errConnectionString
	}
	if ctx.Err() != nil {
		return fmt.Errorf("sqlstore: %s: %w: %w", call, context.Cause(ctx), err)
	}
	return fmt.Errorf("sqlstore: %s: %w", call, err)
}
