package session_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// TestWhatIsRememberedIsTheWholeToken: the end of a token that was verified vouches for
// nothing that stands before it.
func TestWhatIsRememberedIsTheWholeToken(t *testing.T) { // JE-09
	b := newBox(t, session.Config{})
	token := sealed(b.claims(`,"pad":"` + strings.Repeat("x", 500) + `"`))
	require.NotNil(t, b.loadHeader("N="+token))
	for i := range token {
		other := byte('A')
		if token[i] == other {
			other = 'B'
		}
		bad := token[:i] + string(other) + token[i+1:]
		require.False(t, session.Remembered(b.Manager, bad, true), i)
		require.Nil(t, b.loadHeader("N="+bad), i)
	}
	tag := token[len(token)-43:]
	for _, bad := range []string{"", tag, "." + tag, token + "A", "A" + token, token[1:], tag[1:], token[:len(token)-1]} {
		require.False(t, session.Remembered(b.Manager, bad, true), bad)
	}
	require.True(t, session.Remembered(b.Manager, token, true))
}

// TestChunksAreRememberedAsTheTokenThatTheyMake, wherever they are cut.
func TestChunksAreRememberedAsTheTokenThatTheyMake(t *testing.T) { // JE-09
	b := newBox(t, session.Config{})
	token := sealed(b.claims(""))
	require.NotNil(t, b.loadHeader("N="+token))
	for _, last := range []int{1, 2, 42, 43, 44, 100, len(token) - 1} {
		cut := len(token) - last
		half := max(1, cut/2)
		require.True(t, session.Remembered(b.Manager, token, true, half, cut), last)
		header := fmt.Sprintf("N.0=%s; N.1=%s; N.2=%s", token[:half], token[half:cut], token[cut:])
		if half < cut {
			require.NotNil(t, b.loadHeader(header), last)
		}
		require.Nil(t, b.loadHeader(strings.Replace(header, token[:half], "A"+token[:half-1], 1)), last)
	}
}
