package sqlstore

import (
	"context"
	"fmt"
	"time"
)

// timeoutError is the time limit of one call, which has passed.
type timeoutError time.Duration

func (e timeoutError) Error() string {
	return fmt.Sprintf("no answer of the database within %v", time.Duration(e))
}

// Is makes it a [context.DeadlineExceeded].
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
