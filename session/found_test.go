package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// of is a token of sub, which was issued age seconds ago, with pad in it.
func (b *box) of(sub string, age, pad int) string {
	return sealed(fmt.Sprintf(`{"jti":"id of %s","sub":%q,"pad":%q,"iat":%d,"exp":%d}`, sub, sub, strings.Repeat("x", pad), b.now.Unix()-int64(age), b.now.Unix()+3600))
}

func TestWhatABrowserBringsEndsAtOnce(t *testing.T) { // CK-02, CK-03, SE-01, SE-04
	for name, do := range map[string]func(*box, http.ResponseWriter, *http.Request) error{
		"sign-out": func(b *box, w http.ResponseWriter, r *http.Request) error { return b.End(w, r, true) },
		"sign-in":  func(b *box, w http.ResponseWriter, r *http.Request) error { return b.Start(w, r, ada(), true) },
	} {
		for _, upgrade := range []bool{false, true} {
			b := newBox(t, session.Config{UpgradeV4: upgrade})
			v4 := func(sub string, pad int) string {
				b.cookies = map[string]string{}
				b.v4Token(strings.Replace(b.claims(fmt.Sprintf(`,"jti":%q,"pad":%q`, sub, strings.Repeat("x", pad))), `"ada"`, `"`+sub+`"`, 1))
				var pairs []string
				for key, value := range b.cookies {
					pairs = append(pairs, key+"="+value)
				}
				return strings.Join(pairs, "; ")
			}
			parts := []string{"N=" + b.of("one", 10, 0), "N=x", "N=" + b.of("two", 20, 0), "N=" + b.of("three", 0, 0), inCookies(b.of("four", 0, 5000), 3936, 5000),
				"N.0=x", inCookies(b.of("five", 0, 5000), 3936, 5000), v4("six", 0), v4("seven", 5000), v4("eight", 0)}
			b.cookies = map[string]string{}
			bearer := "Bearer " + b.of("nine", 0, 0)
			ask := func(part, authorization string) *session.Session {
				r := httptest.NewRequest("GET", "/", nil)
				r.Header.Set("Cookie", replaceNames(part))
				r.Header.Set("Authorization", authorization)
				s, err := b.Load(r, true)
				require.NoError(t, err)
				return s
			}
			count := 0
			for _, part := range parts {
				if ask(part, "") != nil {
					count++
				}
			}
			require.Equal(t, 8, count)
			require.NotNil(t, ask("", bearer))

			r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
			r.Header.Set("Cookie", replaceNames(strings.Join(parts, "; ")))
			r.Header.Set("Authorization", bearer)
			require.NoError(t, do(b, w, r))
			for _, part := range parts {
				require.Nil(t, ask(part, ""), "%s: %.60s", name, part)
			}
			require.Nil(t, ask("", bearer), name)
			deletedV4 := strings.Contains(strings.Join(w.Header()["Set-Cookie"], "\n"), v4Cookie)
			require.Equal(t, name == "sign-out" || upgrade, deletedV4, name)
		}
	}
}

func TestATokenOfAFastClockEndsToo(t *testing.T) { // SE-04, SE-14
	b := newBox(t, session.Config{})
	token := b.of("ada", -60, 0)
	b.cookies[cookieName] = token
	require.Nil(t, b.load(), "its time has not come")
	require.NoError(t, b.end())
	b.now = b.now.Add(time.Minute)
	require.Nil(t, b.loadHeader("N="+token))
}

func TestJunkStopsNoRenewal(t *testing.T) { // CK-02
	for name, c := range map[string]session.Config{"cookie": {}, "store": {Store: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}} {
		b := newBox(t, c)
		require.NoError(t, b.start(ada()))
		b.now = b.now.Add(25 * time.Hour)
		header := replaceNames(planted(20) + "N=x; N=" + b.cookies[cookieName] + "; N=y")
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.Header.Set("Cookie", header)
		s, err := b.Load(r, true)
		require.NoError(t, err)
		require.NoError(t, b.Renew(w, r, s, true))
		require.Len(t, w.Result().Cookies(), 1, name)
		require.Equal(t, b.now, s.IssuedAt, name)
		require.Equal(t, name == "store", w.Result().Cookies()[0].Value == b.cookies[cookieName], "%s: a store's key stays", name)
		require.Equal(t, b.now, b.loadHeader(header+"; N="+w.Result().Cookies()[0].Value).IssuedAt, "%s: and it is what is loaded next", name)
	}
}

func TestForgedTokensHideNothing(t *testing.T) { // CK-02, CK-06, JE-01
	b := newBox(t, session.Config{})
	forged := func(token string, n int) string {
		raw := []byte(token)
		raw[len(raw)-60-n] = map[bool]byte{true: 'B', false: 'A'}[raw[len(raw)-60-n] == 'A']
		return string(raw)
	}
	small, large := b.of("ada", 0, 0), b.of("ada", 0, 5000)
	var plain, chunks []string
	for i := range 100 {
		plain = append(plain, "N="+forged(small, i))
	}
	for i := range 6 {
		chunks = append(chunks, inCookies(forged(large, i), 3936, 5000))
	}
	require.Equal(t, "ada", b.loadHeader(strings.Join(plain, "; ")+"; N="+small).Subject)
	require.Equal(t, "ada", b.loadHeader(strings.Join(plain, "; ")+"; "+inCookies(large, 3936, 5000)).Subject)
	require.Equal(t, "ada", b.loadHeader(strings.Join(chunks, "; ")+"; "+inCookies(large, 3936, 5000)).Subject)
	require.Nil(t, b.loadHeader(strings.Join(append(plain, chunks...), "; ")))
}

func TestWhatForgedTokensCostIsBounded(t *testing.T) { // CK-06, CK-08
	b := newBox(t, session.Config{})
	token := b.of("ada", 0, 5000)
	var pairs []string
	for n := range 150 {
		for i := range 20 {
			pairs = append(pairs, fmt.Sprintf("N.%d=%s%03d", i, "a.b.c.d."+strings.Repeat("x", 40), n))
		}
	}
	begun := time.Now()
	require.Nil(t, b.loadHeader(strings.Join(pairs, "; ")))
	require.Nil(t, b.loadHeader(strings.ReplaceAll(strings.Join(pairs, "; "), "a.b.c.d.", "")))
	for i := range pairs {
		pairs[i] = fmt.Sprintf("N.%d=%s", i%2, map[bool]string{true: token[:3936], false: token[3936:len(token)-1] + "_"}[i%2 == 0])
	}
	require.Nil(t, b.loadHeader(strings.Join(pairs, "; ")))
	require.Less(t, time.Since(begun), 5*time.Second)
}

func TestWhatAnAnswerDeletesIsBounded(t *testing.T) { // CK-09, CK-12
	var many strings.Builder
	for _, name := range []string{"N", v4Cookie} {
		for i := 40; i >= 0; i-- {
			fmt.Fprintf(&many, "%s.%d=x; %s=x; ", name, i, name)
		}
	}
	for domain, most := range map[string]int{"": 12, "a-rather-long-name.example.com": 12} {
		b := newBox(t, session.Config{CookieDomain: domain, UpgradeV4: true})
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", replaceNames(many.String()))
		require.True(t, b.HasCookie(r, true))
		w := httptest.NewRecorder()
		require.NoError(t, b.End(w, r, true))
		require.Len(t, w.Result().Cookies(), most)
		size := 0
		for _, line := range w.Header()["Set-Cookie"] {
			size += len("Set-Cookie: \r\n") + len(line)
		}
		require.Less(t, size, 3500, "nginx passes 4 kB of an answer's header, the others included")
		var names []string
		for _, c := range w.Result().Cookies() {
			names = append(names, c.Name)
		}
		for _, name := range []string{cookieName, cookieName + ".0", v4Cookie, v4Cookie + ".0"} {
			require.Contains(t, names, name, "no token is left")
		}

		for _, pad := range []int{0, 10_000} {
			s := ada()
			require.NoError(t, s.SetClaim("pad", strings.Repeat("x", pad)))
			w = httptest.NewRecorder()
			require.NoError(t, b.Start(w, r, s, true))
			require.LessOrEqual(t, len(w.Result().Cookies()), 4+2*most)
		}
	}
}

func TestAnEmptyChunkIsDeletedToo(t *testing.T) { // CK-09
	b := newBox(t, session.Config{})
	b.cookies[cookieName+".3"] = ""
	require.True(t, b.HasCookie(b.request(), true))
	require.NoError(t, b.end())
	require.Empty(t, b.cookies)
}

func TestANewerNodesRecordIsNotReplaced(t *testing.T) { // SE-07
	b, store := newStored(t, session.Config{})
	require.NoError(t, b.start(ada()))
	s := b.load()
	newer := []byte("\x04x")
	require.NoError(t, store.Store.Commit(context.Background(), store.keys[0], newer, b.now.Add(time.Hour)))
	require.NoError(t, b.rewrite(s))
	require.Empty(t, b.set)
	data, _, _ := store.Store.Find(context.Background(), store.keys[0])
	require.Equal(t, newer, data)

	// Signing out is another matter: its cookie goes, and a copy of that would count.
	require.NoError(t, b.end())
	_, there, _ := store.Store.Find(context.Background(), store.keys[0])
	require.False(t, there)
}

func TestV4UnderItsOwnNameIsV4(t *testing.T) { // JE-09, JE-14
	for _, upgrade := range []bool{false, true} {
		for _, first := range []string{"cookie", "bearer"} {
			b := newBox(t, session.Config{CookieName: "next-auth.session-token", UpgradeV4: upgrade, UpdateAge: time.Minute})
			b.v4Token(b.claims(`,"jti":"1"`))
			byBearer := func() {
				r := httptest.NewRequest("GET", "/", nil)
				r.Header.Set("Authorization", "Bearer "+b.cookies[v4Cookie])
				s, err := b.Load(r, true)
				require.NoError(t, err)
				require.Nil(t, s, "v4's is no bearer token")
			}
			if first == "bearer" {
				byBearer()
			}
			for range 3 {
				require.Equal(t, !upgrade, b.load().ReadOnly(), "however often it was verified")
				byBearer()
			}
			b.now = b.now.Add(time.Hour)
			s := b.load()
			require.Equal(t, upgrade, b.Due(s))
			require.NoError(t, b.renew(s))
			require.Equal(t, upgrade, len(b.set) == 1)
			require.NotNil(t, b.load(), "what was written is not deleted in the same answer")
			require.Equal(t, !upgrade, b.load().ReadOnly())
			require.NoError(t, b.start(ada()))
			require.Equal(t, "github", b.load().Provider)
			require.False(t, b.load().ReadOnly())
			require.NoError(t, b.end())
			require.Len(t, b.set, 1)
		}
	}

	// The two versions' own names, in both orders.
	for _, upgrade := range []bool{false, true} {
		b := newBox(t, session.Config{UpgradeV4: upgrade})
		b.v4Token(b.claims(`,"jti":"1"`))
		for range 3 {
			require.Equal(t, !upgrade, b.load().ReadOnly())
			token := b.cookies[v4Cookie]
			require.Nil(t, b.loadHeader("N="+token))
		}
	}
}
