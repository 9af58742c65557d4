package session_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// TestVectors reads tokens that @auth/core and next-auth made.
func TestVectors(t *testing.T) { // JE-14
	raw, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	var vectors []struct {
		Name, Kind, Salt, Secret, Token string
		Claims                          map[string]any
	}
	require.NoError(t, json.Unmarshal(raw, &vectors))
	require.GreaterOrEqual(t, len(vectors), 40)
	for _, v := range vectors {
		t.Run(v.Kind+" "+v.Name+" "+v.Salt, func(t *testing.T) {
			m, err := session.NewManager(session.Config{}, []session.Secret{second, first}, time.Now)
			require.NoError(t, err)
			r := httptest.NewRequest("GET", "/", nil)
			if len(v.Token) <= 3936 {
				r.Header.Add("Cookie", v.Salt+"="+v.Token)
			} else {
				for i, rest := 0, v.Token; rest != ""; i++ {
					n := min(3936, len(rest))
					r.Header.Add("Cookie", v.Salt+"."+strconv.Itoa(i)+"="+rest[:n])
					rest = rest[n:]
				}
			}
			s, err := m.Load(r, v.Salt[0] == '_')
			require.NoError(t, err)
			require.NotNil(t, s)
			got := s.Claims()
			for name, field := range map[string]string{"sub": s.Subject, "name": s.Name, "email": s.Email, "picture": s.Picture} {
				if field != "" {
					got[name] = field
				} else if claim, there := v.Claims[name]; there && claim == nil {
					got[name] = nil
				}
			}
			if len(v.Claims) == 0 {
				require.Empty(t, got)
			} else {
				require.Equal(t, v.Claims, got)
			}
			require.NotEmpty(t, s.ID)
			other, err := session.NewManager(session.Config{}, []session.Secret{session.NewSecret("another-secret-that-is-long-enough-0")}, time.Now)
			require.NoError(t, err)
			s, err = other.Load(r, v.Salt[0] == '_')
			require.NoError(t, err)
			require.Nil(t, s)
		})
	}
}
