package session_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// memory is a store on the clock of b, which is there by the time it is asked.
func memory(b **box) *session.MemoryStore {
	return session.NewMemoryStore(0, func() time.Time { return (*b).now })
}

func (b *box) renew(s *session.Session) error {
	return b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Renew(w, r, s, true) })
}

func (b *box) rewrite(s *session.Session) error {
	return b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Rewrite(w, r, s, true) })
}

func (b *box) end() error {
	return b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.End(w, r, true) })
}

// loadHeader is what b makes of a Cookie header, in which N stands for the
// cookie's name.
func (b *box) loadHeader(header string) *session.Session {
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.Header["Cookie"] = []string{replaceNames(header)}
	s, err := b.Load(r, true)
	require.NoError(b.t, err)
	return s
}

func TestRewriteWritesTheSessionThatWasLoaded(t *testing.T) { // CK-02, CK-03
	var b *box
	store := memory(&b)
	spy := &spyStore{Store: store}
	b = newBox(t, session.Config{Store: spy})
	require.NoError(t, b.start(ada()))
	mine := b.cookies[cookieName]

	// Somebody else's value stands first. Their record is one that this node does
	// not read, and must not come to hold Ada's session.
	theirs := strings.Repeat("w", 43)
	key := keyOf(theirs)
	record := []byte("\x04x")
	require.NoError(t, store.Commit(context.Background(), key, record, b.now.Add(time.Hour)))
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.Header["Cookie"] = []string{cookieName + "=" + theirs + "; " + cookieName + "=" + mine}
	s, err := b.Load(r, true)
	require.NoError(t, err)
	s.Name = "Countess"
	w := httptest.NewRecorder()
	require.NoError(t, b.Rewrite(w, r, s, true))

	require.Equal(t, mine, w.Result().Cookies()[0].Value)
	require.Equal(t, "Countess", b.load().Name)
	data, _, _ := store.Find(context.Background(), key)
	require.Equal(t, record, data)
}

func TestCookieNameHasNoPrefixOfItsOwn(t *testing.T) { // CK-01
	for _, name := range []string{"__Secure-app", "__Host-app", "__secure-app", "__HOST-app", "__Http-app", "__Host-Http-app"} {
		_, err := session.NewManager(session.Config{CookieName: name}, []session.Secret{first}, time.Now)
		require.ErrorContains(t, err, "CookieName", name)
	}
	_, err := session.NewManager(session.Config{CookieName: "app__Secure-"}, []session.Secret{first}, time.Now)
	require.NoError(t, err)
}

func TestClaimsNestAsDeepAsTokensAreRead(t *testing.T) {
	for depth := 60; depth < 70; depth++ {
		b := newBox(t, session.Config{})
		s := ada()
		if s.SetClaim("deep", json.RawMessage(strings.Repeat("[", depth)+strings.Repeat("]", depth))) != nil {
			continue
		}
		require.NoError(t, b.start(s))
		require.NotNil(t, b.load(), "a claim %d deep was taken", depth)
	}
}

// keyOf is a cookie's value as the store knows it.
func keyOf(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

func TestConfigIsChecked(t *testing.T) { // JE-12
	eight := make([]session.Secret, 8)
	for i := range eight {
		eight[i] = session.NewSecret(strings.Repeat(string(rune('a'+i)), 4) + first.Reveal())
	}
	one := eight[:1]
	for _, c := range []struct {
		name    string
		config  session.Config
		secrets []session.Secret
		want    string // in the error; "" is none
	}{
		{"the zero value", session.Config{}, one, ""},
		{"eight secrets", session.Config{}, eight, ""},
		{"nine", session.Config{}, append(eight[:8:8], first), "9 secrets: at most 8"},
		{"none", session.Config{}, nil, "no secret"},
		{"a weak one", session.Config{}, []session.Secret{first, session.NewSecret("short")}, "secret 2 of 2: session: the secret is shorter"},
		{"a minute", session.Config{MaxAge: time.Minute}, one, ""},
		{"less", session.Config{MaxAge: time.Minute - 1}, one, "MaxAge of a minute or more"},
		{"MaxAge is negative", session.Config{MaxAge: -time.Hour}, one, "MaxAge"},
		{"UpdateAge is short", session.Config{UpdateAge: 1}, one, ""},
		{"UpdateAge is negative", session.Config{UpdateAge: -1}, one, "UpdateAge not negative"},
		{"Lifetime is MaxAge", session.Config{MaxAge: time.Hour, Lifetime: time.Hour}, one, ""},
		{"Lifetime is less", session.Config{MaxAge: time.Hour, Lifetime: time.Hour - 1}, one, "Lifetime of MaxAge or more"},
		{"Lifetime is less than the default MaxAge", session.Config{Lifetime: time.Hour}, one, ""},
		{"UpdateAge is MaxAge", session.Config{MaxAge: time.Hour, UpdateAge: time.Hour}, one, "less than MaxAge"},
		{"UpdateAge is the default MaxAge", session.Config{UpdateAge: 30 * 24 * time.Hour}, one, "less than MaxAge"},
		{"UpdateAge is just less", session.Config{MaxAge: time.Hour, UpdateAge: time.Hour - 1}, one, ""},
		{"the default Lifetime", session.Config{MaxAge: 90 * 24 * time.Hour}, one, ""},
		{"more than it", session.Config{MaxAge: 90*24*time.Hour + 1}, one, "Lifetime"},
		{"a name", session.Config{CookieName: "Az0._-"}, one, ""},
		{"a name with a space", session.Config{CookieName: "a b"}, one, "CookieName"},
		{"a name with a semicolon", session.Config{CookieName: "a;b"}, one, "CookieName"},
		{"a name with a line break", session.Config{CookieName: "a\n"}, one, "CookieName"},
		{"a domain", session.Config{CookieDomain: "a-1.example.com"}, one, ""},
		{"a domain with a dot before it", session.Config{CookieDomain: ".example.com"}, one, "CookieDomain"},
		{"a domain with a port", session.Config{CookieDomain: "example.com:80"}, one, "CookieDomain"},
		{"a domain of one label", session.Config{CookieDomain: "com"}, one, "CookieDomain"},
	} {
		m, err := session.NewManager(c.config, c.secrets, time.Now)
		if c.want == "" {
			require.NoError(t, err, c.name)
			require.NotNil(t, m, c.name)
			continue
		}
		require.ErrorContains(t, err, c.want, c.name)
		require.Nil(t, m, c.name)
	}
}

func TestWeakSecrets(t *testing.T) { // JE-12
	for _, weak := range []string{"", "x", strings.Repeat("ab", 15) + "c", strings.Repeat("\x00", 32), strings.Repeat("日", 11),
		"CHANGEME-kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6", "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6change-me", "change_me-kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6",
		"Your-Secret-kY3nC0p9V1xJm5Q8sT2wZ7bL4", "your_secret-kY3nC0p9V1xJm5Q8sT2wZ7bL4", "YOURSECRET-kY3nC0p9V1xJm5Q8sT2wZ7bL4",
		"example-secret-kY3nC0p9V1xJm5Q8sT2wZ7", "insert-secret-kY3nC0p9V1xJm5Q8sT2wZ7b", "replace-this-kY3nC0p9V1xJm5Q8sT2wZ7bL",
		"secretsecretsecretsecretsecretsecret"} {
		err := session.CheckSecret(session.NewSecret(weak))
		require.ErrorContains(t, err, "openssl rand -base64 32", weak)
		if len(weak) > 1 {
			require.NotContains(t, err.Error(), weak, "LG-01")
		}
	}
	for _, good := range []string{strings.Repeat("ab", 16), strings.Repeat("a", 31) + "b", "b" + strings.Repeat("a", 31), "secret" + first.Reveal(), strings.Repeat("\xff\xfe", 16)} {
		require.NoError(t, session.CheckSecret(session.NewSecret(good)), good)
	}
	require.Error(t, session.CheckSecret(session.Secret{}))
}

func TestDefaultTimes(t *testing.T) { // SE-03, CK-13
	b := newBox(t, session.Config{})
	begun := b.now
	day := 24 * time.Hour
	require.NoError(t, b.start(ada()))
	s := b.load()
	require.Equal(t, begun.Add(30*day), s.ExpiresAt)
	b.now = begun.Add(day - 1)
	require.False(t, b.Due(s))
	b.now = begun.Add(day)
	require.True(t, b.Due(s))
	b.now = begun.Add(30*day + 15*time.Second - 1)
	require.NotNil(t, b.load())
	b.now = begun.Add(30*day + 15*time.Second)
	require.Nil(t, b.load())

	for b.now = begun.Add(25 * day); b.now.Before(begun.Add(90 * day)); b.now = b.now.Add(25 * day) {
		s = b.load()
		require.NoError(t, b.renew(s))
		require.Equal(t, b.now, s.IssuedAt)
		require.Equal(t, begun, s.AuthTime)
		end := b.now.Add(30 * day)
		if last := begun.Add(90 * day); end.After(last) {
			end = last
		}
		require.Equal(t, end, s.ExpiresAt)
		require.Equal(t, end.UTC(), b.set[0].Expires)
	}
	b.now = begun.Add(90*day - 1)
	require.NotNil(t, b.load())
	b.now = begun.Add(90 * day)
	require.Nil(t, b.load(), "Lifetime has no leeway")
	require.True(t, b.Due(s))
}

// TestSomebodyAtWorkStaysSignedIn: MaxAge ends a session that is not used.
func TestSomebodyAtWorkStaysSignedIn(t *testing.T) { // SE-03
	for _, c := range []session.Config{{MaxAge: time.Minute}, {MaxAge: time.Hour}, {MaxAge: 24 * time.Hour}, {MaxAge: 4 * 24 * time.Hour}, {Lifetime: 8 * time.Hour}} {
		b := newBox(t, c)
		begun := b.now
		require.NoError(t, b.start(ada()))
		age := c.MaxAge
		if age == 0 {
			age = c.Lifetime
		}
		require.Equal(t, begun.Add(age), b.load().ExpiresAt)
		for c.MaxAge > 0 && b.now.Before(begun.Add(10*age)) {
			b.now = b.now.Add(age*2/5 - time.Second)
			s := b.load()
			require.NotNil(t, s, "%v, after %v", c, b.now.Sub(begun))
			require.NoError(t, b.renew(s))
		}
	}
	b := newBox(t, session.Config{MaxAge: time.Hour})
	require.NoError(t, b.start(ada()))
	s := b.load()
	b.now = b.now.Add(15*time.Minute - 1)
	require.False(t, b.Due(s))
	b.now = b.now.Add(1)
	require.True(t, b.Due(s), "a quarter")
}

func TestAClockBetweenSeconds(t *testing.T) { // SE-14
	b := newBox(t, session.Config{MaxAge: time.Hour, UpdateAge: time.Minute, Lifetime: time.Hour})
	b.now = b.now.Add(time.Second / 2)
	s := ada()
	require.NoError(t, b.start(s))
	require.Equal(t, b.now.Truncate(time.Second), s.IssuedAt)
	require.Equal(t, s.IssuedAt.Add(time.Hour), s.ExpiresAt)
	require.Equal(t, b.now, s.AuthTime)
	got := b.load()
	require.Equal(t, []time.Time{s.IssuedAt, s.ExpiresAt, s.IssuedAt}, []time.Time{got.IssuedAt, got.ExpiresAt, got.AuthTime})
}

func TestAClockThatGoesBack(t *testing.T) { // SE-14
	b := newBox(t, session.Config{})
	require.NoError(t, b.start(ada()))
	begun := b.now
	s := b.load()
	b.now = begun.Add(-15 * time.Second)
	require.NotNil(t, b.load())
	require.False(t, b.Due(s))
	b.now = begun.Add(-16 * time.Second)
	require.Nil(t, b.load(), "also a token that was verified before")
	require.NoError(t, b.renew(s))
	require.Empty(t, b.set)
	b.now = begun.Add(-time.Hour)
	require.NoError(t, b.start(ada()))
	require.NotNil(t, b.load())
}

func TestIDsAreRandomUUIDs(t *testing.T) { // SE-01, SE-02
	seen := map[string]bool{}
	for range 200 {
		b := newBox(t, session.Config{})
		s := ada()
		s.ID = "chosen-by-somebody-else"
		require.NoError(t, b.start(s))
		require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, s.ID)
		require.False(t, seen[s.ID])
		seen[s.ID] = true
		require.Equal(t, s.ID, b.load().ID)
	}
	bits := map[byte]bool{}
	for id := range seen {
		for _, at := range []int{14, 15, 19, 20} {
			bits[id[at]] = true
		}
	}
	require.Len(t, bits, 16, "nothing but the version and the variant is fixed")
}

func TestPlantedCookieSignsNobodyOut(t *testing.T) { // SE-01, CK-02, CK-03
	b := newBox(t, session.Config{})
	b.cookies[cookieName] = "planted"
	require.NoError(t, b.start(ada()))
	require.NotEqual(t, "planted", b.cookies[cookieName])
	require.NotNil(t, b.load())

	// The session that a browser had before the sign-in is not the one after it.
	mallory := newBox(t, session.Config{})
	mallory.now = mallory.now.Add(-time.Hour)
	require.NoError(t, mallory.start(&session.Session{Subject: "mallory"}))
	before := mallory.cookies[cookieName]
	b.cookies = map[string]string{cookieName: before}
	require.Equal(t, "mallory", b.load().Subject)
	id := b.load().ID
	require.NoError(t, b.start(ada()))
	require.Equal(t, "ada", b.load().Subject)
	require.NotEqual(t, id, b.load().ID)
	require.Nil(t, b.loadHeader("N="+before))
}

func TestSignOutEndsTheTokenHere(t *testing.T) { // SE-04
	b := newBox(t, session.Config{})
	require.NoError(t, b.start(ada()))
	token := b.cookies[cookieName]
	b.now = b.now.Add(25 * time.Hour)
	require.NoError(t, b.renew(b.load()))
	renewed := b.cookies[cookieName]
	require.NotEqual(t, token, renewed)
	require.NoError(t, b.end())
	require.Nil(t, b.loadHeader("N="+token), "the token before the renewal is of the same session")
	require.Nil(t, b.loadHeader("N="+renewed))
	require.NoError(t, b.end(), "twice is no error")

	// A token without an id counts until it expires, and ends nobody else's.
	b.cookies[cookieName] = sealed(b.claims(""))
	require.NoError(t, b.end())
	require.Empty(t, b.cookies)
	require.NotNil(t, b.loadHeader("N="+sealed(b.claims(""))))
	b.cookies[cookieName] = sealed(b.claims(`,"jti":"1"`))
	require.NoError(t, b.end())
	require.Nil(t, b.loadHeader("N="+sealed(b.claims(`,"jti":"1"`))))
	require.NotNil(t, b.loadHeader("N="+sealed(b.claims(`,"jti":"2"`))))
}

func TestChangesAreOneRequests(t *testing.T) { // MW-11
	b := newBox(t, session.Config{})
	s := ada()
	require.NoError(t, s.SetClaim("a", 1))
	require.NoError(t, b.start(s))
	one, two := b.load(), b.load()
	one.Groups[0], one.Name = "changed", "changed"
	one.Groups = append(one.Groups[:1], "changed")
	require.NoError(t, one.SetClaim("a", 2))
	require.NoError(t, one.SetClaim("b", 2))
	for _, other := range []*session.Session{two, b.load()} {
		require.Equal(t, []string{"a", "b"}, other.Groups)
		require.Equal(t, "Ada", other.Name)
		require.Equal(t, map[string]any{"a": 1.0}, other.Claims())
	}
	require.NoError(t, b.rewrite(one))
	one.Groups[0] = "changed once more"
	require.Equal(t, []string{"changed", "changed"}, b.load().Groups)
}

func TestAuthJSSessionGetsAnEnd(t *testing.T) { // SE-03
	b := newBox(t, session.Config{})
	begun := b.now
	b.cookies[cookieName] = sealed(b.claims(`,"jti":"1"`))
	require.Zero(t, b.load().AuthTime)
	for b.load() != nil && b.now.Before(begun.Add(200*24*time.Hour)) {
		s := b.load()
		require.NoError(t, b.renew(s))
		b.now = b.now.Add(25 * time.Hour)
		require.Equal(t, "1", s.ID)
	}
	require.InDelta(t, 90*24, b.now.Sub(begun).Hours(), 25)
}

func TestWhichTokenCounts(t *testing.T) {
	b := newBox(t, session.Config{UpgradeV4: true})
	named := func(name string) string { return strings.Replace(b.claims(""), `"sub":"ada"`, `"sub":"`+name+`"`, 1) }
	ask := func(cookies map[string]string, bearer string) *session.Session {
		b.cookies = cookies
		r := b.request()
		if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
		s, err := b.Load(r, true)
		require.NoError(t, err)
		return s
	}
	b.v4Token(named("v4"))
	v4 := b.cookies[v4Cookie]
	v5, bearer := sealed(named("v5")), sealed(named("bearer"))
	all := map[string]string{cookieName: v5, v4Cookie: v4}
	s := ask(all, bearer)
	require.Equal(t, "v5 false", fmt.Sprint(s.Subject, " ", s.ReadOnly()))
	all[cookieName] = "x"
	s = ask(all, bearer)
	require.Equal(t, "v4 false", fmt.Sprint(s.Subject, " ", s.ReadOnly()))
	all[v4Cookie] = "x"
	s = ask(all, bearer)
	require.Equal(t, "bearer true", fmt.Sprint(s.Subject, " ", s.ReadOnly()))
	require.Nil(t, ask(all, "x"))
	require.Nil(t, ask(all, v4), "v4's is no bearer token")
	require.Nil(t, ask(map[string]string{cookieName: v4}, ""), "JE-09: v4's token under v5's name")
	require.Nil(t, ask(map[string]string{v4Cookie: v5}, ""), "JE-09: v5's token under v4's name")
}

func TestReadOnlySessionsAreNotRenewed(t *testing.T) {
	b := newBox(t, session.Config{UpdateAge: time.Minute})
	require.NoError(t, b.start(ada()))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+b.cookies[cookieName])
	b.now = b.now.Add(time.Hour)
	s, err := b.Load(r, true)
	require.NoError(t, err)
	before := *s
	require.False(t, b.Due(s))
	w := httptest.NewRecorder()
	require.NoError(t, b.Renew(w, r, s, true))
	require.NoError(t, b.Rewrite(w, r, s, true))
	require.Empty(t, w.Header())
	require.Equal(t, before, *s)
	require.False(t, b.load().ReadOnly(), "the cookie's is not")
}

func TestV4WithASecondSecret(t *testing.T) { // JE-10, JE-14
	b := newBox(t, session.Config{})
	b.v4Token(b.claims(""))
	rotated := newBox(t, session.Config{}, second, first)
	rotated.cookies = b.cookies
	require.Equal(t, "ada", rotated.load().Subject)
	without := newBox(t, session.Config{}, second)
	without.cookies = b.cookies
	require.Nil(t, without.load())

	// v4 over http has the name without the prefix, and the same key.
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", v4Cookie[len("__Secure-"):]+"="+b.cookies[v4Cookie])
	s, err := b.Load(r, false)
	require.NoError(t, err)
	require.Equal(t, "ada", s.Subject)
	s, err = b.Load(r, true)
	require.NoError(t, err)
	require.Nil(t, s)
}

func TestATokenThatWasVerifiedIsRemembered(t *testing.T) { // JE-09
	b := newBox(t, session.Config{})
	require.NoError(t, b.start(ada()))
	token := b.cookies[cookieName]
	require.False(t, session.Remembered(b.Manager, token, true))
	require.NotNil(t, b.load())
	require.True(t, session.Remembered(b.Manager, token, true))
	require.False(t, session.Remembered(b.Manager, token, false))
	for _, bad := range []string{"x", token + "A", sealed(`{}`), sealed(b.claims(fmt.Sprintf(`,"nbf":%d`, b.now.Unix()+100)))} {
		require.Nil(t, b.loadHeader("N="+bad))
		require.False(t, session.Remembered(b.Manager, bad, true), "SE-08: strangers fill nothing")
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "authjs.session-token="+token)
	s, err := b.Load(r, false)
	require.NoError(t, err)
	require.Nil(t, s, "under its own name only")
	require.NotNil(t, b.load())
}

func TestATokenShowsNothing(t *testing.T) { // JE-16, SE-02
	b := newBox(t, session.Config{})
	s := ada()
	require.NoError(t, s.SetClaim("access_token", "tell-nobody"))
	require.NoError(t, b.start(s))
	token := b.cookies[cookieName]
	for _, part := range strings.Split(token, ".") {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		require.NoError(t, err)
		for _, inside := range []string{"ada", "Ada", "example.com", "tell-nobody", first.Reveal()} {
			require.NotContains(t, string(raw), inside)
		}
	}
	var stored *box
	stored = newBox(t, session.Config{Store: memory(&stored)})
	require.NoError(t, stored.start(ada()))
	for _, one := range []*box{b, stored} {
		require.NotContains(t, fmt.Sprintf("%+v %#v", *one.load(), *one.load()), one.cookies[cookieName], "a session that is logged is no cookie")
	}

	down, store := newStored(t, session.Config{})
	require.NoError(t, down.start(ada()))
	store.fail = "Find"
	_, err := down.Load(down.request(), true)
	require.NotContains(t, err.Error(), down.cookies[cookieName])
	require.NotContains(t, err.Error(), store.keys[0])
}

func TestASlowRenewalIsOfTheEndedSession(t *testing.T) { // SE-12
	b := newBox(t, session.Config{})
	require.NoError(t, b.start(ada()))
	b.now = b.now.Add(25 * time.Hour)
	slow, s := b.request(), b.load()
	require.NoError(t, b.end())
	w := httptest.NewRecorder()
	require.NoError(t, b.Renew(w, slow, s, true))
	require.Empty(t, w.Result().Cookies(), "nothing is written for a session that was signed out of")
	require.Equal(t, b.now.Add(-25*time.Hour), s.IssuedAt)
}

func TestALongTokenIsRememberedAsAWhole(t *testing.T) { // JE-01, CK-06
	b := newBox(t, session.Config{})
	s := ada()
	require.NoError(t, s.SetClaim("pad", strings.Repeat("x", 4000)))
	require.NoError(t, b.start(s))
	require.Len(t, b.cookies, 2)
	require.NotNil(t, b.load())
	good := b.cookies[cookieName+".1"]
	for _, at := range []int{0, 1, len(good) / 2, len(good) - 50, len(good) - 2} {
		bad := []byte(good)
		bad[at] ^= 1
		b.cookies[cookieName+".1"] = string(bad)
		require.Nil(t, b.load(), at)
		b.cookies[cookieName+".1"] = good[:at]
		require.Nil(t, b.load(), at)
	}
	b.cookies[cookieName+".1"] = good
	require.NotNil(t, b.load())
}
