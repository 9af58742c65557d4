package clerk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

func TestClockSkewFromEnv(t *testing.T) {
	instance := clerktest.New(clerktest.Config{})
	env := map[string]string{"CLERK_PUBLISHABLE_KEY": instance.PublishableKey, "CLERK_SECRET_KEY": instance.SecretKey}
	for value, want := range map[string]time.Duration{"": 0, "30s": 30 * time.Second, "1m": time.Minute} {
		env["CLERK_CLOCK_SKEW"] = value
		c, err := clerk.ConfigFromEnv(func(name string) string { return env[name] })
		require.NoError(t, err, value)
		require.Equal(t, want, c.ClockSkew)
		_, err = clerk.New(c)
		require.NoError(t, err)
	}
	for _, bad := range []string{"1h", "61s", "0", "-5s", "5", "5000"} {
		env["CLERK_CLOCK_SKEW"] = bad
		_, err := clerk.ConfigFromEnv(func(name string) string { return env[name] })
		require.ErrorContains(t, err, "auth: CLERK_CLOCK_SKEW is ", bad)
	}
}
