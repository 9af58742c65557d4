package session_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// inCookies cuts token after each of sizes.
func inCookies(token string, sizes ...int) string {
	var pairs []string
	for i, size := range sizes {
		n := min(size, len(token))
		pairs = append(pairs, fmt.Sprint("N.", i, "=", token[:n]))
		token = token[n:]
	}
	return strings.Join(pairs, "; ") + token
}

// names are those of the cookies that the last answer set, or deleted.
func (b *box) names(deleted bool) (list []string) {
	for _, c := range b.set {
		if (c.MaxAge < 0) == deleted {
			list = append(list, strings.Replace(c.Name, cookieName, "N", 1))
		}
	}
	sort.Strings(list)
	return list
}

func TestWhatIsOnTheWire(t *testing.T) { // CK-01, CK-09, CK-10
	for _, one := range []struct {
		name   string
		config session.Config
		secure bool
		begin  string
		end    []string
	}{
		{"https", session.Config{}, true, "__Secure-authjs.session-token=V; Path=/; Expires=Wed, 21 Oct 2026 14:13:20 GMT; HttpOnly; Secure; SameSite=Lax",
			[]string{"__Secure-authjs.session-token=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax"}},
		{"http", session.Config{}, false, "authjs.session-token=V; Path=/; Expires=Wed, 21 Oct 2026 14:13:20 GMT; HttpOnly; SameSite=Lax",
			[]string{"authjs.session-token=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; SameSite=Lax"}},
		{"a domain", session.Config{CookieDomain: "example.com", CookieName: "app_1.s-t"}, true,
			"__Secure-app_1.s-t=V; Path=/; Domain=example.com; Expires=Wed, 21 Oct 2026 14:13:20 GMT; HttpOnly; Secure; SameSite=Lax",
			[]string{"__Secure-app_1.s-t=; Path=/; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
				"__Secure-app_1.s-t=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax"}},
	} {
		b := newBox(t, one.config)
		w := httptest.NewRecorder()
		require.NoError(t, b.Start(w, b.request(), ada(), one.secure), one.name)
		require.Len(t, w.Header()["Set-Cookie"], 1, one.name)
		c := w.Result().Cookies()[0]
		require.Equal(t, one.begin, strings.Replace(w.Header().Get("Set-Cookie"), c.Value, "V", 1), one.name)

		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(c)
		s, err := b.Load(r, one.secure)
		require.NoError(t, err)
		require.NotNil(t, s, one.name)
		s, err = b.Load(r, !one.secure)
		require.NoError(t, err)
		require.Nil(t, s, one.name)
		w = httptest.NewRecorder()
		require.NoError(t, b.End(w, r, one.secure))
		require.Equal(t, one.end, w.Header()["Set-Cookie"], one.name)
	}
}

// TestABrowser goes from the sign-in to the sign-out with net/http's cookie jar.
func TestABrowser(t *testing.T) { // CK-07, CK-09, CK-13, SE-04
	m, err := session.NewManager(session.Config{}, []session.Secret{first}, time.Now)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /in/{size}", func(w http.ResponseWriter, r *http.Request) {
		s := ada()
		require.NoError(t, s.SetClaim("pad", strings.Repeat("x", len(r.PathValue("size"))*1000)))
		require.NoError(t, m.Start(w, r, s, true))
	})
	mux.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) {
		s, err := m.Load(r, true)
		require.NoError(t, err)
		if s == nil {
			return
		}
		require.NoError(t, m.Renew(w, r, s, true))
		_, _ = fmt.Fprint(w, s.Subject, len(s.Claims()["pad"].(string)))
	})
	mux.HandleFunc("GET /out", func(w http.ResponseWriter, r *http.Request) { require.NoError(t, m.End(w, r, true)) })
	server := httptest.NewTLSServer(mux)
	defer server.Close()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := server.Client()
	client.Jar = jar
	address, err := url.Parse(server.URL)
	require.NoError(t, err)
	get := func(path string) (body string, set int) {
		answer, err := client.Get(server.URL + path)
		require.NoError(t, err)
		defer func() { _ = answer.Body.Close() }()
		raw, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return string(raw), len(answer.Header["Set-Cookie"])
	}
	for _, one := range []struct{ size, cookies int }{{10, 4}, {1, 1}, {5, 2}, {8, 3}, {2, 1}, {10, 4}} {
		_, _ = get("/in/" + strings.Repeat("i", one.size))
		require.Equal(t, one.cookies, len(jar.Cookies(address)), one.size)
		for range 20 {
			body, set := get("/who")
			require.Equal(t, fmt.Sprint("ada", one.size*1000), body)
			require.Zero(t, set)
		}
	}
	cookies := jar.Cookies(address)
	_, _ = get("/out")
	require.Empty(t, jar.Cookies(address))
	jar.SetCookies(address, cookies)
	body, _ := get("/who")
	require.Empty(t, body)
}

func TestEndDeletesWhatTheRequestBrings(t *testing.T) { // CK-09, CK-12
	token := sealed(`{}`)
	for _, one := range []struct {
		name, header string
		deleted      []string
	}{
		{"nothing", "a=b", nil},
		{"broken", "N=x", []string{"N"}},
		{"empty", "N=", []string{"N"}},
		{"a chunk", "N.0=x", []string{"N.0"}},
		{"a hole", "N.0=x; N.2=x; N.19=x", []string{"N.0", "N.19", "N.2"}},
		{"all forms", "N=" + token + "; N.0=x; N.20=x; N.99999=x", []string{"N", "N.0", "N.20", "N.99999"}},
		{"not ours", "N.01=x; N.-1=x; N.x=x; N.=x; N-1=x; Nx=x; xN=x; N.1e0=x; N.0x1=x; N.99999999999999999999=x", nil},
	} {
		b := newBox(t, session.Config{})
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", replaceNames(one.header))
		require.NoError(t, b.End(w, r, true))
		b.set = w.Result().Cookies()
		require.Equal(t, one.deleted, b.names(true), one.name)
		require.Empty(t, b.names(false), one.name)
		require.Equal(t, one.deleted != nil, b.HasCookie(r, true), one.name)
		require.False(t, b.HasCookie(r, false), one.name)
	}

	many := "N.0=x"
	for i := 20; i < 200; i++ {
		many += fmt.Sprint("; N.", i, "=x")
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", replaceNames(many))
	require.NoError(t, newBox(t, session.Config{}).End(w, r, true))
	require.Len(t, w.Result().Cookies(), 12, "an answer is bounded too")
}

func TestHasCookieKnowsV4(t *testing.T) {
	b := newBox(t, session.Config{})
	for header, want := range map[string]bool{
		"": false, v4Cookie + "=x": true, v4Cookie + ".1=x": true, v4Cookie[len("__Secure-"):] + "=x": false, "a=" + v4Cookie: false,
		strings.Repeat("a=b; ", 3001) + v4Cookie + "=x": false, v4Cookie + "=x; " + strings.Repeat("a=b; ", 3001): true,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", header)
		require.Equal(t, want, b.HasCookie(r, true), header[:min(len(header), 60)])
	}
}

func TestHowChunksAreRead(t *testing.T) { // CK-04, CK-06, CK-08
	b := newBox(t, session.Config{})
	token := sealed(b.claims(`,"pad":"` + strings.Repeat("x", 400) + `"`))
	small := func(n int) []int {
		sizes := make([]int, n)
		for i := range sizes {
			sizes[i] = len(token)/n + 1
		}
		return sizes
	}
	whole := "N=" + token
	two := inCookies(token, 300, 5000)
	for _, one := range []struct {
		name, header string
		signedIn     bool
	}{
		{"one chunk", inCookies(token, 5000), true},
		{"two", two, true},
		{"20", inCookies(token, small(20)...), true},
		{"21", inCookies(token, small(21)...), false},
		{"the last is missing", inCookies(token, small(4)...)[:len(token)/2], false},
		{"an empty one in between", inCookies(token, 300, 0, 5000), false},
		{"from 1 on", strings.NewReplacer("N.0", "N.1", "N.1", "N.2").Replace(two), false},
		{"one more behind", two + "; N.2=x", true},
		{"one more far behind", two + "; N.20=x", true},
		{"twice, junk behind", two + "; N.0=x; N.1=x", true},
		{"twice, junk before", "N.0=x; " + two, true},
		{"twice, the last one is junk of the right length", "N.1=" + strings.Repeat("x", len(token)-300) + "; " + two, true},
		{"an empty one before", "N.0=; " + two, true},
		{"quoted", `N="` + token + `"`, true},
		{"without spaces", "a=b;" + cookieName + "=" + token + ";c=d", true},
		{"with tabs", "a=b;\t " + cookieName + "=" + token + " \t; c=d", true},
		{"no value before it", "a; ; ;N; " + whole, true},
		{"3000 cookies", strings.Repeat("a=b; ", 2999) + whole, true},
		{"3001 cookies", strings.Repeat("a=b; ", 3000) + whole, false},
		{"3001 cookies, ours first", whole + strings.Repeat("; a=b", 3000), false},
		{"200 of the name", strings.Repeat("N=x; ", 199) + whole, true},
		{"3000 of the name", strings.Repeat("N=x; ", 2999) + whole, true},
		{"another case", strings.ToUpper(cookieName) + "=" + token, false},
		{"a space in the name", "N =" + token, false},
	} {
		require.Equal(t, one.signedIn, b.loadHeader(one.header) != nil, one.name)
	}

	r := httptest.NewRequest("GET", "/", nil)
	r.Header["Cookie"] = append([]string{"a=b"}, strings.Split(replaceNames(two), "; ")...)
	s, err := b.Load(r, true)
	require.NoError(t, err)
	require.NotNil(t, s, "HTTP/2 may send a line for each cookie: RFC 9113 8.2.3")
}

func TestTheNewestTokenWins(t *testing.T) { // CK-02
	b := newBox(t, session.Config{})
	at := func(sub string, age int64) string {
		return sealed(fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, sub, b.now.Unix()-age, b.now.Unix()+3600))
	}
	older, newer, same, future := at("older", 100), at("newer", 50), at("same", 50), at("future", -100)
	for header, want := range map[string]string{
		"N=" + older + "; N=" + newer:                                               "newer",
		"N=" + newer + "; N=" + older:                                               "newer",
		"N=" + older + "; N=x; N=" + newer:                                          "newer",
		"N=" + newer + "; N=" + older + "; N=x":                                     "newer",
		"N=" + newer + "; N=" + same:                                                "newer",
		"N=" + same + "; N=" + newer:                                                "same",
		"N=" + older + "; N=" + future:                                              "older",
		"N=" + older + "; " + inCookies(newer, 5000):                                "older",
		inCookies(newer, 5000):                                                      "newer",
		"N=" + future + "; " + inCookies(older, 5000):                               "older",
		"N=" + older + "; N=" + newer + "; N=" + older + "; N=" + same:              "newer",
		strings.Repeat("N="+older+"; ", 7) + "N=" + newer + "; N=" + at("ninth", 1): "ninth",
	} {
		s := b.loadHeader(header)
		require.NotNil(t, s)
		require.Equal(t, want, s.Subject)
	}
}

func TestHowMuchIsWritten(t *testing.T) { // CK-07
	count := map[int]int{}
	b := newBox(t, session.Config{})
	for size := 0; size < 12_500; size += 11 {
		b.cookies = map[string]string{}
		s := ada()
		require.NoError(t, s.SetClaim("pad", strings.Repeat("x", size)))
		err := b.start(s)
		if err != nil {
			require.Equal(t, session.ErrTooLarge, err)
			require.Empty(t, b.set)
			require.Greater(t, size, 11_000)
			count[5]++
			continue
		}
		require.NotNil(t, b.load())
		count[len(b.set)]++
		for i, c := range b.set {
			if len(b.set) == 1 {
				require.Equal(t, cookieName, c.Name)
				require.LessOrEqual(t, len(c.Value), 3936)
				continue
			}
			require.Equal(t, fmt.Sprint(cookieName, ".", i), c.Name)
			require.Equal(t, i < len(b.set)-1, len(c.Value) == 3936)
			require.LessOrEqual(t, len(c.Value), 3936)
		}
	}
	require.Len(t, count, 5)
	require.Less(t, count[5], 130)
}

func TestASessionThatIsTooLargeChangesNothing(t *testing.T) { // CK-07
	b := newBox(t, session.Config{})
	require.NoError(t, b.start(ada()))
	token := b.cookies[cookieName]
	s := b.load()
	require.NoError(t, s.SetClaim("pad", strings.Repeat("x", 20_000)))
	b.now = b.now.Add(25 * time.Hour)
	theirs := &session.Session{Subject: "ada"} // Auth.js began it
	require.NoError(t, theirs.SetClaim("pad", strings.Repeat("x", 20_000)))
	for _, write := range []func() error{
		func() error { return b.rewrite(s) }, func() error { return b.renew(s) }, func() error { return b.rewrite(theirs) }, func() error { return b.start(s) },
	} {
		require.ErrorIs(t, write(), session.ErrTooLarge)
		require.Empty(t, b.set)
	}
	require.Zero(t, theirs.AuthTime)
	require.Equal(t, token, b.cookies[cookieName])
	require.NotNil(t, b.load(), "the session before goes on")

	stored := newBox(t, session.Config{Store: session.NewMemoryStore(0, func() time.Time { return b.now })})
	require.NoError(t, stored.start(s), "a store has room")
	require.Len(t, stored.set, 1)
}
