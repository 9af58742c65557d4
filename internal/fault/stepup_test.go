package fault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/fault"
)

func TestStepUpOf(t *testing.T) {
	fresh, fresher := &fault.StepUp{MaxAge: time.Hour}, &fault.StepUp{MaxAge: time.Minute}
	mfa := &fault.StepUp{ACRs: []string{"phr", "mfa"}}
	for name, test := range map[string]struct {
		err  error
		want *fault.StepUp
	}{
		"nothing":         {nil, nil},
		"nothing to tell": {fmt.Errorf("again: %w", fault.ErrSignInAgain), nil},
		"one":             {mfa, mfa},
		"wrapped":         {fmt.Errorf("payments: %w", fresh), fresh},
		"both":            {errors.Join(fresh, fmt.Errorf("more: %w", mfa)), &fault.StepUp{MaxAge: time.Hour, ACRs: mfa.ACRs}},
		"the younger":     {errors.Join(fresh, fresher, fresh), fresher},
		"the first class": {errors.Join(mfa, &fault.StepUp{ACRs: []string{"pwd"}}), mfa},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, fault.StepUpOf(test.err)) })
	}
}
