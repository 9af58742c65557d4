package session_test

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// rewritten is token as an Auth.js application with the same secret writes it at each
// request that its middleware sees: with a new jti, and 30 days from now.
func (b *box) rewritten(token string) string {
	b.t.Helper()
	codec := session.NewCodec(cookieName, []session.Secret{first})
	payload, err := codec.Open(token)
	require.NoError(b.t, err)
	claims := map[string]json.RawMessage{}
	require.NoError(b.t, json.Unmarshal(payload, &claims))
	for name, value := range map[string]any{"jti": "of-auth.js-" + b.now.String(), "iat": b.now.Unix(), "exp": b.now.Add(30 * 24 * time.Hour).Unix()} {
		claims[name], _ = json.Marshal(value)
	}
	payload, err = json.Marshal(claims)
	require.NoError(b.t, err)
	return codec.Seal(payload)
}

func TestWhatAuthjsWritesAnewEndsAsConfigured(t *testing.T) { // SE-03, SE-08
	b := newBox(t, session.Config{MaxAge: time.Hour, UpdateAge: time.Minute, Lifetime: 3 * time.Hour})
	s, begun := ada(), b.now
	require.NoError(t, b.start(s))
	own := b.cookies[cookieName]
	copied := b.rewritten(own)

	b.now = begun.Add(30 * time.Minute)
	b.cookies[cookieName] = b.rewritten(own)
	got := b.load()
	require.Equal(t, s.ID, got.ID, "the sign-in's, not the token's")
	require.Equal(t, b.now.Add(time.Hour), got.ExpiresAt, "what is shown of its end")
	require.Equal(t, begun, got.AuthTime)

	b.now = begun.Add(90*time.Minute + 14*time.Second)
	require.NotNil(t, b.load(), "it was used at half an hour")
	require.Nil(t, b.loadHeader("N="+copied), "idle since the beginning")
	b.now = begun.Add(90*time.Minute + 15*time.Second)
	require.Nil(t, b.load(), "idle for an hour")

	for b.now = begun; b.now.Before(begun.Add(3 * time.Hour)); b.now = b.now.Add(30 * time.Minute) {
		b.cookies[cookieName] = b.rewritten(own)
		got := b.load()
		require.NotNil(t, got, b.now.Sub(begun))
		require.False(t, got.ExpiresAt.After(begun.Add(3*time.Hour)))
	}
	b.cookies[cookieName] = b.rewritten(own)
	require.Nil(t, b.load(), "Lifetime since the sign-in")
}

func TestSignOutReachesWhatAuthjsWroteAnew(t *testing.T) { // SE-08
	for _, bearer := range []bool{false, true} {
		b := newBox(t, session.Config{})
		require.NoError(t, b.start(ada()))
		own := b.cookies[cookieName]
		copies := []string{own, b.rewritten(own), b.rewritten(b.rewritten(own))}
		b.now = b.now.Add(time.Minute)
		copies = append(copies, b.rewritten(own))
		b.cookies[cookieName] = copies[len(copies)-1]
		if bearer {
			r := httptest.NewRequest("POST", "https://app.example/", nil)
			r.Header.Set("Authorization", "Bearer "+copies[1])
			require.NoError(t, b.End(httptest.NewRecorder(), r, true))
		} else {
			require.NoError(t, b.end())
		}
		for i, token := range copies {
			require.Nil(t, b.loadHeader("N="+token), "copy %d", i)
		}
		require.NoError(t, b.start(ada()))
		require.NotNil(t, b.load(), "another sign-in of the same person")
	}
}

func TestRenewalKeepsTheSignInOfWhatAuthjsWroteAnew(t *testing.T) {
	b := newBox(t, session.Config{})
	s := ada()
	require.NoError(t, b.start(s))
	b.cookies[cookieName] = b.rewritten(b.cookies[cookieName])
	b.now = b.now.Add(25 * time.Hour)
	got := b.load()
	require.NoError(t, b.renew(got))
	got = b.load()
	require.Equal(t, []any{s.ID, s.AuthTime}, []any{got.ID, got.AuthTime})
	require.Empty(t, got.Claims(), "the jti of Auth.js is gone")
}

func TestASessionOfAuthjsLastsAsLongAsAuthjsSays(t *testing.T) { // SE-03
	b := newBox(t, session.Config{MaxAge: time.Hour, Lifetime: 2 * time.Hour})
	b.cookies[cookieName] = sealed(`{"sub":"ada","jti":"1","iat":1790000000,"exp":1792592000}`)
	b.now = b.now.Add(29 * 24 * time.Hour)
	s := b.load()
	require.NotNil(t, s)
	require.Equal(t, "1", s.ID)
	require.Equal(t, int64(1792592000), s.ExpiresAt.Unix())

	// With an auth_time beside it, it is held to this configuration.
	b.cookies[cookieName] = sealed(`{"sub":"ada","jti":"1","auth_time":1790000000,"iat":1790000000,"exp":1792592000}`)
	require.Nil(t, b.load())
}

func TestSignInIDsThatSayNothing(t *testing.T) {
	for raw, want := range map[string]map[string]any{
		`""`: {"signin_id": ""}, `null`: {"signin_id": nil}, `7`: {"signin_id": 7.0}, `["x"]`: {"signin_id": []any{"x"}},
	} {
		for _, claims := range []string{`"jti":"1","signin_id":` + raw, `"signin_id":` + raw + `,"jti":"1"`} {
			s, ok := session.Decode([]byte(`{"exp":1,"iat":1,` + claims + `}`))
			require.True(t, ok)
			require.Equal(t, "1", s.ID, claims)
			require.Equal(t, want, s.Claims(), claims)
		}
	}
	for _, claims := range []string{`"jti":"1","signin_id":"2"`, `"signin_id":"2","jti":"1"`, `"signin_id":"2","jti":7`, `"signin_id":"2"`} {
		s, ok := session.Decode([]byte(`{"exp":1,"iat":1,` + claims + `}`))
		require.True(t, ok)
		require.Equal(t, "2", s.ID, claims)
	}
}

func TestAShorterMaxAgeCountsForWhatAStoreHas(t *testing.T) { // SE-03
	store := session.NewMemoryStore(0, nil)
	b := newBox(t, session.Config{Store: store})
	b.now = time.Now().Truncate(time.Second)
	require.NoError(t, b.start(ada()))
	other := newBox(t, session.Config{Store: store, MaxAge: time.Hour, UpdateAge: time.Minute})
	other.cookies = b.cookies
	other.now = b.now.Add(time.Hour + 14*time.Second)
	require.Equal(t, b.now.Add(time.Hour).Unix(), other.load().ExpiresAt.Unix())
	other.now = b.now.Add(time.Hour + 15*time.Second)
	require.Nil(t, other.load())
}
