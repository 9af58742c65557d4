package session_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// TestNoTokenIsAMachines: only a backend says so, of the request that it decides
// about.
func TestNoTokenIsAMachines(t *testing.T) { // MW-01
	for _, name := range []string{"machine", "Machine"} {
		s, ok := session.Decode([]byte(`{"exp":1,"iat":1,"` + name + `":true}`))
		require.True(t, ok)
		require.False(t, s.Machine, "not by a claim")
		require.NoError(t, s.SetClaim(name, true))
		require.False(t, s.Machine, "nor by setting one")
		require.Equal(t, true, s.Claims()[name], "which is a claim like any")
	}
	b, s := newBox(t, session.Config{}), ada()
	s.Machine = true
	require.NoError(t, b.start(s))
	payload, err := session.NewCodec(cookieName, []session.Secret{first}).Open(b.cookies[cookieName])
	require.NoError(t, err)
	require.NotContains(t, strings.ToLower(string(payload)), "machine", "it is not written")
	require.False(t, b.load().Machine)
}
