package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// shownAt is somebody who signed in here so long ago, and to the provider at the time
// that it says, if it says one.
func shownAt(t *testing.T, ago time.Duration, said any) *session.Session {
	s := &session.Session{Subject: "ada", AuthTime: time.Now().Add(-ago)}
	if said != nil {
		require.NoError(t, s.SetClaim("provider_auth_time", said))
	}
	return s
}

func TestRequireFresh(t *testing.T) { // ID-21
	before := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	rule, epoch := auth.RequireFresh(15*time.Minute), time.Unix(1_800_000_000, 0)
	for name, test := range map[string]struct {
		session *session.Session
		fresh   bool
	}{
		"just now":                                 {shownAt(t, 0, before(0)), true},
		"within it":                                {shownAt(t, 14*time.Minute, before(14*time.Minute)), true},
		"longer ago":                               {shownAt(t, 16*time.Minute, before(16*time.Minute)), false},
		"here just now, there longer ago":          {shownAt(t, 0, before(16*time.Minute)), false},
		"here longer ago, there in the future":     {shownAt(t, 16*time.Minute, before(-time.Hour)), false},
		"where the provider says nothing":          {shownAt(t, 14*time.Minute, nil), true},
		"nothing, and longer ago":                  {shownAt(t, 16*time.Minute, nil), false},
		"where the provider says no time":          {shownAt(t, 0, "today"), false},
		"by the clock of whoever asks":             {&session.Session{AuthTime: epoch, AsOf: epoch.Add(14 * time.Minute)}, true},
		"by that clock, longer ago":                {&session.Session{AuthTime: epoch, AsOf: epoch.Add(16 * time.Minute)}, false},
		"a session of Auth.js's that says no time": {&session.Session{Subject: "ada"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := rule(test.session)
			if test.fresh {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, auth.ErrSignInAgain)
			require.ErrorContains(t, err, "15m0s")
		})
	}
	require.Panics(t, func() { auth.RequireFresh(time.Minute - 1) })
}

func TestRequireACR(t *testing.T) { // ID-21
	values := []string{"phr", "mfa"}
	rule := auth.RequireACR(values...)
	values[0] = "pwd" // is the caller's
	for name, test := range map[string]struct {
		acr any
		ok  bool
	}{
		"the first": {"phr", true}, "another": {"mfa", true},
		"none": {nil, false}, "one that is not asked for": {"pwd", false}, "another case": {"MFA", false},
		"both in one": {"phr mfa", false}, "empty": {"", false}, "a list": {[]string{"mfa"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session.Session{Subject: "ada"}
			if test.acr != nil {
				require.NoError(t, s.SetClaim("acr", test.acr))
			}
			err := rule(s)
			if test.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, auth.ErrSignInAgain)
			require.False(t, errors.Is(err, auth.ErrNotAllowed))
		})
	}
	for _, wrong := range [][]string{nil, {""}, {"mfa", ""}, {"a b"}, {`a"b`}, {`a\b`}, {"a\nb"}, {"é"}} {
		require.Panics(t, func() { auth.RequireACR(wrong...) }, "%q", wrong)
	}
}

// TestStrengthOfASignInIsKept: with the session, as far as it is any.
func TestStrengthOfASignInIsKept(t *testing.T) { // ID-21
	who := byProvider(t, &auth.Identity{Issuer: "https://idp.example", Subject: "ada", AuthTime: time.Unix(1e9, 5), ACR: "mfa", AMR: []string{"pwd", "otp"},
		Claims: map[string]any{"plan": "free"}})
	require.Equal(t, map[string]any{"provider_auth_time": 1e9, "acr": "mfa", "amr": []any{"pwd", "otp"}, "plan": "free"}, who.Claims())

	for name, id := range map[string]auth.Identity{
		"nothing":     {},
		"too long":    {ACR: strings.Repeat("x", 256), AMR: []string{strings.Repeat("x", 256)}},
		"too many":    {AMR: strings.Split(strings.Repeat("x", 17), "")},
		"unprintable": {ACR: "m\x00fa", AMR: []string{"o\ntp"}},
	} {
		t.Run(name, func(t *testing.T) {
			id.Issuer, id.Subject = "https://idp.example", "ada"
			require.Empty(t, byProvider(t, &id).Claims())
		})
	}
}
