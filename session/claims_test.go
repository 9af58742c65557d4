package session_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// sealed is a token of b's cookie with claims, which need not be any that this
// package writes.
func sealed(claims string) string {
	return session.NewCodec(cookieName, []session.Secret{first}).Seal([]byte(claims))
}

// lastTime is the end of the year 9999.
const lastTime = 253402300799

func TestTimesInATokenAreNumericDates(t *testing.T) { // JE-13, SE-14
	for raw, want := range map[string]int64{
		"1790000000": 1790000000, "1790000000.0": 1790000000, "1790000000.999": 1790000000, "1.79e9": 1790000000, "179000000000E-2": 1790000000,
		"0": 0, "-1": 0, "-0.5": 0, "-1790000000": 0, "-1e300": 0, "-1e400": 0, "1e-400": 0,
		"253402300799": lastTime, "253402300800": lastTime, "253402300799.5": lastTime,
		"9223372036854775807": lastTime, "9223372036854775808": lastTime, "-9223372036854775809": 0, "1e300": lastTime, "1e400": lastTime,
	} {
		s, ok := session.Decode([]byte(`{"exp":` + raw + `,"iat":` + raw + `,"auth_time":` + raw + `}`))
		require.True(t, ok, raw)
		for name, got := range map[string]time.Time{"exp": s.ExpiresAt, "iat": s.IssuedAt, "auth_time": s.AuthTime} {
			require.Equal(t, want, got.Unix(), "%s %s", name, raw)
			require.Zero(t, got.Nanosecond(), raw)
		}
		require.Empty(t, s.Claims(), raw)
	}
	for _, raw := range []string{`"1790000000"`, `true`, `null`, `[1790000000]`, `{}`, `""`} {
		for _, payload := range []string{`{"exp":` + raw + `,"iat":1}`, `{"iat":` + raw + `,"exp":1}`, `{"iat":1,"exp":1,"nbf":` + raw + `}`} {
			_, ok := session.Decode([]byte(payload))
			require.False(t, ok, payload)
		}
		s, ok := session.Decode([]byte(`{"exp":1,"iat":1,"auth_time":` + raw + `}`))
		require.True(t, ok, raw)
		require.Zero(t, s.AuthTime, raw)
		require.Len(t, s.Claims(), 1, raw)
	}
}

func TestATokenHasAnEndAndABeginning(t *testing.T) { // JE-13
	b := newBox(t, session.Config{})
	now := b.now.Unix()
	for claims, signedIn := range map[string]bool{
		fmt.Sprintf(`{"sub":"ada","iat":%d,"exp":%d}`, now, now+60):             true,
		fmt.Sprintf(`{"sub":"ada","iat":%d}`, now):                              false,
		fmt.Sprintf(`{"sub":"ada","exp":%d}`, now+60):                           false,
		fmt.Sprintf(`{"sub":"ada","iat":%d,"exp":%d.5}`, now, now-14):           true,
		fmt.Sprintf(`{"sub":"ada","iat":%d,"exp":%d.9}`, now, now-15):           false,
		fmt.Sprintf(`{"sub":"ada","iat":%d,"exp":%d}`, now+15, now+60):          true,
		fmt.Sprintf(`{"sub":"ada","iat":%d,"exp":%d}`, now+16, now+60):          false,
		fmt.Sprintf(`{"sub":"ada","iat":%d,"exp":%d,"exp":1}`, now, now+60):     false,
		fmt.Sprintf(`{"sub":"ada","iat":%d,"exp":%d} {}`, now, now+60):          false,
		fmt.Sprintf(`[{"sub":"ada","iat":%d,"exp":%d}]`, now, now+60):           false,
		fmt.Sprintf("{\"sub\":\"\xff\",\"iat\":%d,\"exp\":%d}", now, now+60):    false,
		fmt.Sprintf(`{"sub":"ada","IAT":%d,"EXP":%d}`, now, now+60):             false,
		fmt.Sprintf(`{"sub":"ada","iat":%d,"exp":%d,"nbf":0}`, now, now+60):     true,
		fmt.Sprintf(`{"iat":%d,"exp":%d,"nbf":%d}`, now, now+60, now+15):        true,
		fmt.Sprintf(`{"iat":%d,"exp":%d,"nbf":%d}`, now, now+60, now+16):        false,
		fmt.Sprintf(`{"iat":%d,"exp":%d,"nbf":%d.9}`, now, now+60, now+15):      true,
		fmt.Sprintf(`{"iat":%d,"exp":%d,"nbf":"%d"}`, now, now+60, now-1):       false,
		fmt.Sprintf(`{"iat":%d,"exp":%d,"auth_time":0}`, now, now+60):           false,
		fmt.Sprintf(`{"iat":%d,"exp":%d,"auth_time":%d}`, now, now+60, now-100): true,
		``:   false,
		`{}`: false,
	} {
		b.cookies[cookieName] = sealed(claims)
		require.Equal(t, signedIn, b.load() != nil, claims)
	}
}

func TestNotBeforeIsAskedOnce(t *testing.T) { // JE-13
	b := newBox(t, session.Config{})
	b.cookies[cookieName] = sealed(b.claims(fmt.Sprintf(`,"nbf":%d`, b.now.Unix()+100)))
	require.Nil(t, b.load())
	b.now = b.now.Add(85 * time.Second)
	s := b.load()
	require.NotNil(t, s)
	require.NotContains(t, s.Claims(), "nbf")
	require.NoError(t, b.rewrite(s))
	payload, err := session.NewCodec(cookieName, []session.Secret{first}).Open(b.cookies[cookieName])
	require.NoError(t, err)
	require.NotContains(t, string(payload), "nbf")
}

// allClaims has a value for each claim that has a field.
const allClaims = `"jti":"1-2-3","sub":"ada","name":"Ada","email":"ada@example.com","email_verified":true,"picture":"https://example.com/a.png?b=1&c=2",` +
	`"provider":"github","provider_issuer":"https://github.com/login/oauth","provider_subject":"4711","preferred_username":"ada1815","groups":["a","b"],"signin_id":"1-2-3","auth_time":1790000000`

func TestEachClaimHasItsField(t *testing.T) { // JE-14
	b := newBox(t, session.Config{})
	b.cookies[cookieName] = sealed(fmt.Sprintf(`{%s,"iat":%d,"exp":%d}`, allClaims, b.now.Unix(), b.now.Unix()+60))
	s := b.load()
	require.Equal(t, "1-2-3 ada Ada ada@example.com true https://example.com/a.png?b=1&c=2 github https://github.com/login/oauth 4711 ada1815 [a b]",
		fmt.Sprint(s.ID, " ", s.Subject, " ", s.Name, " ", s.Email, " ", s.EmailVerified, " ", s.Picture, " ", s.Provider, " ", s.Issuer, " ", s.ProviderSubject, " ", s.Username, " ", s.Groups))
	require.Equal(t, []int64{1790000000, b.now.Unix(), b.now.Unix() + 60}, []int64{s.AuthTime.Unix(), s.IssuedAt.Unix(), s.ExpiresAt.Unix()})
	require.Empty(t, s.Claims())

	require.NoError(t, b.rewrite(s))
	payload, err := session.NewCodec(cookieName, []session.Secret{first}).Open(b.cookies[cookieName])
	require.NoError(t, err)
	end := b.now.Add(30 * 24 * time.Hour).Unix()
	require.Equal(t, fmt.Sprintf(`{%s,"iat":%d,"exp":%d}`, allClaims, b.now.Unix(), end), string(payload), "written as it was read, and no longer than it has to be")
}

func TestClaimsWithoutAValueAreNotWritten(t *testing.T) {
	b := newBox(t, session.Config{})
	require.NoError(t, b.start(&session.Session{}))
	payload, err := session.NewCodec(cookieName, []session.Secret{first}).Open(b.cookies[cookieName])
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal(payload, &claims))
	require.Len(t, claims, 5)
	for _, name := range []string{"jti", "signin_id", "auth_time", "iat", "exp"} {
		require.Contains(t, claims, name)
	}
}

func TestOnlyTrueVerifiesAnEmail(t *testing.T) {
	for _, raw := range []string{`false`, `"true"`, `1`, `"false"`, `null`, `[true]`} {
		s, ok := session.Decode([]byte(`{"exp":1,"iat":1,"email":"a@b.example","email_verified":` + raw + `}`))
		require.True(t, ok)
		require.False(t, s.EmailVerified, raw)
		require.Contains(t, s.Claims(), "email_verified", raw)
	}
}

func TestSetClaimChangesOneClaim(t *testing.T) {
	s := ada()
	before := *s
	for _, name := range []string{"a", "b", "c"} {
		require.NoError(t, s.SetClaim(name, name))
	}
	require.NoError(t, s.SetClaim("b", 2))
	require.NoError(t, s.SetClaim("", nil))
	require.Equal(t, map[string]any{"a": "a", "b": 2.0, "c": "c", "": nil}, s.Claims())

	earlier := *s
	require.NoError(t, s.SetClaim("a", "changed"))
	require.Equal(t, "a", earlier.Claims()["a"], "copies share what is never changed in place")
	require.Equal(t, []any{before.Subject, before.Name, before.Email, before.EmailVerified}, []any{s.Subject, s.Name, s.Email, s.EmailVerified})

	b := newBox(t, session.Config{})
	require.NoError(t, b.start(s))
	require.Equal(t, map[string]any{"a": "changed", "b": 2.0, "c": "c", "": nil}, b.load().Claims())
}

func TestClaimsThatCannotBeSet(t *testing.T) {
	s := ada()
	require.NoError(t, s.SetClaim("kept", true))
	for _, name := range []string{"jti", "sub", "name", "email", "email_verified", "picture", "provider", "provider_issuer", "provider_subject", "preferred_username", "groups", "signin_id", "auth_time", "iat", "exp", "nbf"} {
		require.ErrorContains(t, s.SetClaim(name, "x"), name, name)
	}
	require.Error(t, s.SetClaim("a\xff", "x"))
	for _, value := range []any{make(chan int), func() {}, json.RawMessage(`{`), json.RawMessage(`{"a":1,"a":2}`)} {
		require.ErrorContains(t, s.SetClaim("kept", value), `"kept"`)
	}
	require.Equal(t, map[string]any{"kept": true}, s.Claims())
	require.Equal(t, "ada Ada ada@example.com true github [a b]", fmt.Sprint(s.Subject, " ", s.Name, " ", s.Email, " ", s.EmailVerified, " ", s.Provider, " ", s.Groups))
}

func TestClaimReadsIntoAType(t *testing.T) {
	s := ada()
	require.NoError(t, s.SetClaim("first", 1))
	require.NoError(t, s.SetClaim("level", 7))
	level := 3
	found, err := s.Claim("none", &level)
	require.False(t, found)
	require.NoError(t, err)
	require.Equal(t, 3, level)
	found, err = s.Claim("level", &level)
	require.True(t, found)
	require.NoError(t, err)
	require.Equal(t, 7, level)
	var text string
	found, err = s.Claim("level", &text)
	require.True(t, found)
	require.Error(t, err)
	found, _ = s.Claim("sub", &text)
	require.False(t, found, "a claim that has a field")
}

func TestClaimsOfTheOtherSideAreKeptAsTheyStand(t *testing.T) { // JE-14
	b := newBox(t, session.Config{})
	raw := `"big":12345678901234567890.10,"html":"<a href=\"x\">&amp;</a>","sp\u0061ce":{ "a" : [ 1 , 2 ] }`
	b.cookies[cookieName] = sealed(b.claims("," + raw))
	s := b.load()
	require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Rewrite(w, r, s, true) }))
	payload, err := session.NewCodec(cookieName, []session.Secret{first}).Open(b.cookies[cookieName])
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(payload), `,"roles":["admin"],`+strings.Replace(raw, `\u0061`, "a", 1)+"}"), string(payload))
}

// TestAClaimOfAnotherTypeStandsOnce: it is kept until its field has a value, and then
// gives way to that.
func TestAClaimOfAnotherTypeStandsOnce(t *testing.T) { // JE-14
	for _, name := range []string{"jti", "sub", "name", "email", "email_verified", "picture", "provider", "provider_issuer", "provider_subject", "preferred_username", "groups", "signin_id", "auth_time"} {
		b := newBox(t, session.Config{})
		b.cookies[cookieName] = sealed(fmt.Sprintf(`{%q:{"odd":1},"iat":%d,"exp":%d}`, name, b.now.Unix(), b.now.Unix()+60))
		s := b.load()
		require.NotNil(t, s, name)
		require.Equal(t, map[string]any{"odd": 1.0}, s.Claims()[name])
		require.NoError(t, b.rewrite(s))
		s = b.load()
		require.NotNil(t, s, "%s twice", name)
		if name == "auth_time" {
			require.Empty(t, s.Claims(), "it has one now")
			continue
		}
		require.Equal(t, map[string]any{"odd": 1.0}, s.Claims()[name], name)
		s.ID, s.Subject, s.Name, s.Email, s.EmailVerified, s.Picture, s.Provider, s.Issuer = "1", "ada", "Ada", "a@example.com", true, "https://example.com/a", "p", "https://p.example"
		s.ProviderSubject, s.Username, s.Groups = "0", "ada", []string{"a"}
		require.NoError(t, b.rewrite(s))
		s = b.load()
		require.NotNil(t, s, "%s twice", name)
		require.Empty(t, s.Claims(), name)
	}
}
