package auth_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// TestUserIDClaimSaysWhatUserIDSays: for whatever way in, whatever a provider or the
// application has put there.
func TestUserIDClaimSaysWhatUserIDSays(t *testing.T) { // ID-39
	stub := &stubProvider{name: "stub", identity: &auth.Identity{
		Issuer: "https://idp.example", Subject: "ada", Claims: map[string]any{"userId": "another"},
	}}
	c := newConfig(stub)
	c.UserIDClaim = "userId"
	c.Enrich = func(_ context.Context, s *session.Session, _ *auth.Identity) error {
		s.Subject = "user-1"
		return s.SetClaim("role", "admin")
	}
	a, err := auth.New(c)
	require.NoError(t, err)
	who := sessionOf(t, sealedCookie(t, a, stub))
	require.Equal(t, map[string]any{"role": "admin", "userId": "user-1"}, who.Claims())
	require.Equal(t, "user-1", a.UserID(who))

	codes := stubVerifier{identity: &auth.Identity{Issuer: "access-code", Subject: "code_1"}}
	c.AccessCode = codes
	a, err = auth.New(c)
	require.NoError(t, err)
	who = sessionOf(t, sealedCookie(t, a, stub))
	require.Equal(t, "stub|user-1", who.Claims()["userId"])
	require.Equal(t, "stub|user-1", a.UserID(who))

	who = whoIn(t, sendCode(t, codes, func(c *auth.Config) { c.UserIDClaim = "userId" }))
	require.Equal(t, map[string]any{"userId": "code_1"}, who.Claims())
	who = whoIn(t, sendCode(t, codes, func(c *auth.Config) { c.Providers, c.UserIDClaim = []auth.Provider{stub}, "userId" }))
	require.Equal(t, map[string]any{"userId": "access-code|code_1"}, who.Claims())
	require.Empty(t, byCode(t, codes.identity).Claims())
}

// TestUserIDOfASessionThatAuthjsBegan: the other side has said who it is.
func TestUserIDOfASessionThatAuthjsBegan(t *testing.T) { // ID-39
	c := newConfig()
	c.ReadOnly, c.UserIDClaim = true, "userId"
	a, err := auth.New(c)
	require.NoError(t, err)
	for value, want := range map[any]string{"u-1": "u-1", "": "ada", 7: "ada", nil: "ada"} {
		s := &session.Session{Subject: "ada"}
		require.NoError(t, s.SetClaim("userId", value))
		require.Equal(t, want, a.UserID(s), value)
	}
	require.Equal(t, "ada", a.UserID(&session.Session{Subject: "ada"}))

	s := &session.Session{Provider: "stub", Subject: "ada"}
	require.NoError(t, s.SetClaim("userId", "eve"))
	require.Equal(t, "ada", a.UserID(s), "of one that was begun here, UserID says it")

	c.UserIDClaim = ""
	a, err = auth.New(c)
	require.NoError(t, err)
	s = &session.Session{Subject: "ada"}
	require.NoError(t, s.SetClaim("userId", "u-1"))
	require.Equal(t, "ada", a.UserID(s), "a claim of some other application's")
}
