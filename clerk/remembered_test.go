package clerk_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/clerk"
)

// TestRememberedTokensAreBoundedInBytes: large tokens take the place of many small
// ones, and no more.
func TestRememberedTokensAreBoundedInBytes(t *testing.T) { // RL-03
	require.LessOrEqual(t, clerk.RememberedBytes(4096, 16<<10), 4<<20)
	require.Equal(t, 4096*800, clerk.RememberedBytes(4096, 800), "as many ordinary ones as fit are kept")
}
