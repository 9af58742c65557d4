package session_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

func FuzzOpen(f *testing.F) { // JE-01, JE-06
	codec := session.NewCodec("x", []session.Secret{first})
	sealed := codec.Seal([]byte(`{"sub":"ada"}`))
	f.Add(sealed)
	f.Add("....")
	f.Add("eyJhbGciOiJQQkVTMiIsInAyYyI6MjE0NzQ4MzY0N30.AA.AA.AA.AA")
	f.Fuzz(func(t *testing.T, token string) {
		if payload, err := codec.Open(token); err == nil {
			// Each fuzzing process seals the seed with an IV of its own.
			require.JSONEq(t, `{"sub":"ada"}`, string(payload), "opened what was never sealed")
		}
	})
}

func FuzzCookieHeader(f *testing.F) { // CK-02, CK-06, CK-08
	m, err := session.NewManager(session.Config{}, []session.Secret{first}, time.Now)
	require.NoError(f, err)
	f.Add("__Secure-authjs.session-token=x; __Secure-authjs.session-token.0=y")
	f.Add("__Secure-authjs.session-token.1=;;=;__Secure-next-auth.session-token=\"")
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = []string{header}
		s, err := m.Load(r, true)
		require.NoError(t, err)
		require.Nil(t, s)
		w := httptest.NewRecorder()
		require.NoError(t, m.End(w, r, true))
		require.LessOrEqual(t, len(w.Result().Cookies()), 12)
	})
}

func FuzzClaims(f *testing.F) {
	raw, err := os.ReadFile("testdata/vectors.json")
	require.NoError(f, err)
	var vectors []struct{ Claims json.RawMessage }
	require.NoError(f, json.Unmarshal(raw, &vectors))
	for _, v := range vectors {
		f.Add([]byte(v.Claims))
	}
	f.Add([]byte(`{"exp":1,"iat":1,"sub":"a","x":[1,{"y":null}],"\u0061":"\ud800"}`))
	f.Add([]byte(`{"exp":1,"iat":1,"sub":"a","x":1e400}`)) // JSON, and a number that no float64 holds
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, ok := session.Decode(payload)
		var want map[string]json.RawMessage
		valid := json.Unmarshal(payload, &want) == nil
		if !ok {
			return
		}
		require.True(t, valid, "accepted what encoding/json does not")
		var sub *string
		if json.Unmarshal(want["sub"], &sub) == nil && sub != nil {
			require.Equal(t, *sub, s.Subject)
		}
		require.Contains(t, want, "exp")
		require.Contains(t, want, "iat")
		for name, value := range s.Claims() {
			var one any
			require.NoError(t, json.Unmarshal(want[name], &one))
			require.Equal(t, one, value)
		}
	})
}
