package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

const (
	chunk   = 3936 // Auth.js's
	written = 4 * chunk
)

var tokenSecrets = []string{"first-kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0a", "second-pQ8sT2wZ7bL4hF6gD0aR3eU9iOqXyE5", "drittes-Gehëimnis-ohne-Ende-0123456789"}

// deal gives both sides secrets such that what the sealing side's first one
// sealed is among the opening side's.
func (g generator) deal() (sealing, opening []string) {
	sealing = make([]string, 0, 3)
	for _, i := range g.Perm(3)[:1+g.Intn(3)] {
		sealing = append(sealing, tokenSecrets[i])
	}
	opening = slices.Clone(sealing[:1])
	for _, s := range tokenSecrets {
		if s != sealing[0] && g.Intn(2) == 0 {
			opening = slices.Insert(opening, g.Intn(len(opening)+1), s)
		}
	}
	return sealing, opening
}

func secretsOf(texts []string) (list []session.Secret) {
	for _, s := range texts {
		list = append(list, session.NewSecret(s))
	}
	return list
}

// managerOf renews whatever it sees.
func managerOf(t testing.TB, secrets []string) *session.Manager {
	m, err := session.NewManager(session.Config{UpdateAge: time.Nanosecond, MaxSetCookieBytes: 1 << 20}, secretsOf(secrets), time.Now)
	require.NoError(t, err)
	return m
}

func requestWith(cookie string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", cookie)
	return r
}

// sent is the Cookie header of a browser that had none before.
func sent(w *httptest.ResponseRecorder) string {
	var pairs []string
	for _, c := range w.Result().Cookies() {
		if c.MaxAge >= 0 {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	return strings.Join(pairs, "; ")
}

// cut is a Cookie header with token in as many chunks as it takes.
func cut(name, token string) string {
	if len(token) <= chunk {
		return name + "=" + token
	}
	var pairs []string
	for part := range slices.Chunk([]byte(token), chunk) {
		pairs = append(pairs, name+"."+strconv.Itoa(len(pairs))+"="+string(part))
	}
	return strings.Join(pairs, "; ")
}

func cookieNameOf(secure, v4 bool) string {
	name := "authjs.session-token"
	if v4 {
		name = "next-auth.session-token"
	}
	if secure {
		return "__Secure-" + name
	}
	return name
}

func quote(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

// textFields are the claims that Auth.js puts in and that have a field here.
func textFields(s *session.Session) map[string]*string {
	return map[string]*string{"sub": &s.Subject, "name": &s.Name, "email": &s.Email, "picture": &s.Picture}
}

// stamped is what the token of s adds to, or replaces in, the claims c.
func stamped(c claims, s *session.Session) claims {
	c = c.with(claims{"jti": quote(s.ID), "signin_id": quote(s.ID), "iat": quote(s.IssuedAt.Unix()), "exp": quote(s.ExpiresAt.Unix())})
	if !s.AuthTime.IsZero() {
		c["auth_time"] = quote(s.AuthTime.Unix())
	}
	return c
}

// TestAuthJSOpensOurs seals here and opens with decode and getToken of
// @auth/core, which must find the same claims.
func TestAuthJSOpensOurs(t *testing.T) { // JE-08, JE-10, JE-14, CK-06
	g := generator{rand.New(rand.NewSource(6))}
	const n = 260
	var jobs []job
	chunked, large := 0, 0
	for range n {
		ours, theirs := g.deal()
		secure := g.Intn(2) == 0
		one := job{Name: cookieNameOf(secure, false), Secrets: theirs, Secure: secure}
		c := g.claims(g.size(60_000))
		s := &session.Session{Provider: "github", EmailVerified: true, Groups: []string{"a", "林"}}
		own := claims{"provider": quote("github"), "email_verified": quote(true), "groups": quote(s.Groups)}
		fill(t, s, c)
		w := httptest.NewRecorder()
		err := managerOf(t, ours).Start(w, requestWith(""), s, secure)
		one.Want = stamped(c.with(own), s)
		one.Cookie = sent(w)
		if err != nil {
			require.ErrorIs(t, err, session.ErrTooLarge)
			require.Empty(t, one.Cookie)
			token := session.NewCodec(one.Name, secretsOf(ours)).Seal(quote(one.Want))
			require.Greater(t, len(token), written)
			one.Cookie = cut(one.Name, token)
			large++
		}
		if strings.Contains(one.Cookie, ".1=") {
			chunked++
		}
		jobs = append(jobs, one)
		one.Token, one.Cookie = joined(one.Cookie), ""
		jobs = append(jobs, one)
	}
	requireSame(t, jobs)
	require.Greater(t, chunked, 40)
	require.Greater(t, large, 15)
	t.Logf("%d sessions, %d in chunks, %d too large to be written", n, chunked, large)
}

// fill makes c the session's.
func fill(t *testing.T, s *session.Session, c claims) {
	fields := textFields(s)
	for name, raw := range c {
		if field, ok := fields[name]; ok {
			require.NoError(t, json.Unmarshal(raw, field))
		} else {
			require.NoError(t, s.SetClaim(name, raw))
		}
	}
}

// joined is the token in a Cookie header of one session.
func joined(cookie string) string {
	var b strings.Builder
	for _, pair := range strings.Split(cookie, "; ") {
		_, value, _ := strings.Cut(pair, "=")
		b.WriteString(value)
	}
	return b.String()
}

// requireSame requires that all jobs open and give what they want.
func requireSame(t *testing.T, jobs []job) {
	t.Helper()
	for i, d := range authjs(t, jobs) {
		require.True(t, d.Opened, "%d: %.300s", i, quote(jobs[i].Want))
		require.True(t, d.Same, "%d: want %.3000s\ngot %.3000s", i, quote(jobs[i].Want), d.Claims)
	}
}

// TestOursOpensAuthJS lets Auth.js v5 and next-auth v4 write sessions, which
// must open here with the same claims, and keep them all through a renewal.
func TestOursOpensAuthJS(t *testing.T) { // JE-08, JE-10, JE-14, CK-06
	g := generator{rand.New(rand.NewSource(7))}
	const n = 260
	var jobs []job
	var openers [][]string
	for i := range n {
		theirs, ours := g.deal()
		one := job{Secrets: theirs, Secure: g.Intn(2) == 0, V4: i%4 == 3, GCM: i%4 == 2, Claims: g.claims(g.size(44_000))}
		one.Name = cookieNameOf(one.Secure, one.V4)
		if g.Intn(8) == 0 {
			// No type that a field has: kept as it stands.
			one.Claims = one.Claims.with(claims{"sub": quote(5), "name": g.value(0), "groups": quote("a")})
			if text := string(one.Claims["name"]); text == "null" || strings.HasPrefix(text, `"`) {
				delete(one.Claims, "name")
			}
		}
		jobs, openers = append(jobs, one), append(openers, ours)
	}
	var renewed []job
	kinds := map[string]int{}
	for i, d := range authjs(t, jobs) {
		require.NotEmpty(t, d.Cookie, "%d: %.300s", i, quote(jobs[i].Claims))
		kind, again := readAndRenew(t, jobs[i], d.Cookie, openers[i])
		kinds[kind]++
		if again.Cookie != "" {
			renewed = append(renewed, again)
		}
	}
	requireSame(t, renewed)
	for _, kind := range []string{"v4", "renewed", "renewed in chunks", "too large to be written"} {
		require.Greater(t, kinds[kind], 10, kind)
	}
	t.Logf("%d sessions: %v", n, kinds)
}

// readAndRenew loads what the other side wrote and compares it. again opens what
// the renewal makes of it.
func readAndRenew(t *testing.T, one job, cookie string, secrets []string) (kind string, again job) {
	m := managerOf(t, secrets)
	r := requestWith(cookie)
	s, err := m.Load(r, one.Secure)
	require.NoError(t, err)
	require.NotNil(t, s, "%v of %d bytes: %.3000s", one.V4, len(joined(cookie)), quote(one.Claims))
	requireClaims(t, one.Claims, s)
	require.NotEmpty(t, s.ID)
	require.WithinDuration(t, time.Now().Add(30*24*time.Hour), s.ExpiresAt, time.Minute)

	w := httptest.NewRecorder()
	err = m.Renew(w, r, s, one.Secure)
	if one.V4 {
		require.NoError(t, err)
		require.Empty(t, w.Result().Cookies(), "next-auth v4 renews its own")
		return "v4", again
	}
	again = job{Name: one.Name, Secrets: secrets, Secure: one.Secure, Want: stamped(one.Claims, s), Cookie: sent(w)}
	switch {
	case errors.Is(err, session.ErrTooLarge):
		require.Empty(t, again.Cookie)
		codec := session.NewCodec(one.Name, secretsOf(secrets))
		payload, err := codec.Open(joined(cookie))
		require.NoError(t, err)
		again.Cookie, again.Want = cut(one.Name, codec.Seal(payload)), decoded(t, payload)
		return "too large to be written", again
	case strings.Contains(again.Cookie, ".1="):
		kind = "renewed in chunks"
	default:
		kind = "renewed"
	}
	require.NoError(t, err)
	return kind, again
}

func decoded(t *testing.T, payload []byte) (c claims) {
	require.NoError(t, json.Unmarshal(payload, &c))
	return c
}

// requireClaims requires that s has what is in want, and nothing more.
func requireClaims(t *testing.T, want claims, s *session.Session) {
	t.Helper()
	got := s.Claims()
	for name, field := range textFields(s) {
		if *field != "" {
			got[name] = *field
		}
	}
	require.Len(t, got, len(want), "%.3000s\n%.3000s", quote(want), fmt.Sprint(got))
	for name, raw := range want {
		var v any
		require.NoError(t, json.Unmarshal(raw, &v))
		require.Equal(t, v, got[name], name)
	}
}
