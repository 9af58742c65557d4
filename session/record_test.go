package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// everything is a session with all that a store keeps.
func everything(t testing.TB) *session.Session {
	s := &session.Session{
		ID: "id", Subject: "subject", Name: "Ada, Gräfin", Email: "ada@example.com", EmailVerified: true, Picture: "https://example.com/a",
		Provider: "corp", Issuer: "https://idp.example", ProviderSubject: "own", ProviderSession: "sid", Username: "ada", Device: "Firefox",
		Address: "192.0.2.1", TokenLabel: "backup", Machine: true, Groups: []string{"a", "", strings.Repeat("g", 200), "a"},
		AuthTime: time.Unix(1, 0), IssuedAt: time.Unix(1790000000, 0), ExpiresAt: time.Unix(253402300799, 0),
		ProviderTokens: &session.ProviderTokens{AccessToken: "at", RefreshToken: "rt", IDToken: "it", TokenType: "Bearer", Scope: "openid", ExpiresAt: time.Unix(1790000001, 0)},
	}
	require.NoError(t, s.SetClaim("acr", "strong"))
	require.NoError(t, s.SetClaim("deep", map[string]any{"a": []int{1, 2}}))
	return s
}

func TestARecordHasAllOfASession(t *testing.T) { // SE-06
	s := everything(t)
	got, ok := session.OfRecord(session.RecordOf(s))
	require.True(t, ok)
	require.Equal(t, s.Claims(), got.Claims())
	require.Equal(t, session.RecordOf(s), session.RecordOf(got))
	require.Equal(t, *s.ProviderTokens, *got.ProviderTokens)
	require.Equal(t, s.Groups, got.Groups)
	require.Equal(t, []any{s.ID, s.Subject, s.Name, s.Email, s.EmailVerified, s.Picture, s.Provider, s.Issuer, s.ProviderSubject, s.ProviderSession, s.Username, s.Device, s.Address, s.TokenLabel, s.Machine},
		[]any{got.ID, got.Subject, got.Name, got.Email, got.EmailVerified, got.Picture, got.Provider, got.Issuer, got.ProviderSubject, got.ProviderSession, got.Username, got.Device, got.Address, got.TokenLabel, got.Machine})
	require.Equal(t, []time.Time{s.AuthTime, s.IssuedAt, s.ExpiresAt}, []time.Time{got.AuthTime, got.IssuedAt, got.ExpiresAt})

	least := &session.Session{IssuedAt: time.Unix(1, 0), ExpiresAt: time.Unix(2, 0), ProviderTokens: &session.ProviderTokens{}}
	got, ok = session.OfRecord(session.RecordOf(least))
	require.True(t, ok)
	require.True(t, got.AuthTime.IsZero())
	require.Equal(t, session.ProviderTokens{}, *got.ProviderTokens)
	require.False(t, got.Machine || got.EmailVerified)
}

// TestARecordSaysWhatATokenSays: what stands in a session that no token could say.
func TestARecordSaysWhatATokenSays(t *testing.T) {
	s := &session.Session{Name: "a\xffb", IssuedAt: time.Unix(-5, 0), ExpiresAt: time.Unix(1<<60, 0), Groups: []string{"\xc3"}}
	got, ok := session.OfRecord(session.RecordOf(s))
	require.True(t, ok)
	require.Equal(t, "a\uFFFDb", got.Name)
	require.Equal(t, []string{"\uFFFD"}, got.Groups)
	require.Equal(t, time.Unix(0, 0), got.IssuedAt)
	require.Equal(t, time.Unix(253402300799, 0), got.ExpiresAt)

	read, ok := session.Decode([]byte(`{"name":5,"email":null,"iat":1,"exp":2}`))
	require.True(t, ok)
	read.Name = "Ada" // the claim of another type gives way, as in a token
	got, ok = session.OfRecord(session.RecordOf(read))
	require.True(t, ok)
	require.Equal(t, "Ada", got.Name)
	require.Equal(t, map[string]any{"email": nil}, got.Claims())
}

// TestWhatIsNoRecord is whatever is not written. \x11\x01\x12\x02 are the times, which have to
// be there.
func TestWhatIsNoRecord(t *testing.T) { // SE-06
	const times = "\x11\x01\x12\x02"
	_, ok := session.OfRecord([]byte("\x02\x01a" + times + "\x13"))
	require.True(t, ok)
	for name, text := range map[string]string{
		"nothing":                     "",
		"no field":                    "\x00" + times,
		"a field that there is not":   "\x0e\x00" + times,
		"a field of a later version":  times + "\x17\x00",
		"a field twice":               "\x02\x01a\x02\x01b" + times,
		"another order":               "\x03\x01a\x02\x01b" + times,
		"a time twice":                "\x11\x01\x11\x01\x12\x02",
		"no end":                      "\x11\x01",
		"no beginning":                "\x12\x01",
		"a text that is cut":          "\x02\x05a",
		"a text of a long length":     "\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a",
		"a length that does not end":  "\x02\xff",
		"a length of eleven bytes":    "\x02\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00" + times,
		"a text without a length":     "\x02",
		"a time beyond the year 9999": "\x11\x01\x12\xff\xff\xff\xff\xff\xff\xff\x7f",
		"tokens that are cut":         times + "\x14\x01a\x01b",
		"a group that is cut":         times + "\x15\x01a\x15\x05b",
		"a group's field alone":       times + "\x15",
		"a claim without a value":     times + "\x16\x01a",
		"a group behind a claim":      times + "\x16\x01a\x011\x15\x01a",
		"verified twice":              times + "\x13\x13",
	} {
		_, ok := session.OfRecord([]byte(text))
		require.False(t, ok, name)
	}
}

// FuzzRecord: whatever is read is written as it was read.
func FuzzRecord(f *testing.F) { // SE-06
	f.Add(session.RecordOf(everything(f)))
	f.Add([]byte("\x02\x01a\x11\x01\x12\x02\x13\x15\x01g\x15\x00\x16\x01n\x011"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, ok := session.OfRecord(text)
		if !ok {
			return
		}
		again, ok := session.OfRecord(session.RecordOf(s))
		require.True(t, ok)
		require.Equal(t, session.RecordOf(s), session.RecordOf(again))
		require.LessOrEqual(t, len(s.Groups), len(text))
	})
}
