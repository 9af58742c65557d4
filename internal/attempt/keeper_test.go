package attempt_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/internal/attempt"
	"github.com/sallyport/auth/session"
)

func TestAttemptComesBackWhole(t *testing.T) { // ST-13
	for _, secure := range []bool{true, false} {
		c := newClock()
		k := newKeeper(c)
		for _, restarted := range []bool{true, false} {
			a := k.New("github", "https://app.example/cb", "/to?a=b&c=d#e", url.Values{"prompt": {"login"}, "login_hint": {"ada&b=c+d é"}}, restarted)
			w, b := httptest.NewRecorder(), &browser{}
			require.NoError(t, k.Begin(w, b.request(), a, secure))
			b.take(w)
			got, ok := k.Find(b.request(), a.State, secure)
			require.True(t, ok)
			require.True(t, a.Expires.Equal(got.Expires))
			require.True(t, a.Begun.Equal(got.Begun))
			got.Begun, got.Expires = a.Begun, a.Expires
			require.Equal(t, a, got)
			_, ok = k.Find(b.request(), a.State, !secure)
			require.False(t, ok, "a cookie of the other scheme is another cookie")
			_, ok = k.Find(b.request(), a.State+"x", secure)
			require.False(t, ok)
		}
	}
}

func TestCookieOfAnAttempt(t *testing.T) { // CK-01, CK-10, CB-06, PK-03
	k := newKeeper(newClock())
	for _, secure := range []bool{true, false} {
		a := k.New("github", "https://app.example/cb", "/to", nil, false)
		w := httptest.NewRecorder()
		require.NoError(t, k.Begin(w, httptest.NewRequest("POST", "/", nil), a, secure))
		told := w.Result().Cookies()
		require.Len(t, told, 1)
		cookie := told[0]
		prefix := map[bool]string{true: "__Host-", false: ""}[secure]
		require.Regexp(t, "^"+prefix+`authjs\.txn\.[A-Za-z0-9_-]{12}$`, cookie.Name)
		require.Equal(t, secure, cookie.Secure)
		require.True(t, cookie.HttpOnly)
		require.Equal(t, "/", cookie.Path)
		require.Empty(t, cookie.Domain)
		require.Equal(t, http.SameSiteLaxMode, cookie.SameSite, "nobody answers by form_post, which would need None")
		require.Equal(t, 3600, cookie.MaxAge, "longer than the attempt, for the page that was wanted")
		for _, secret := range []string{a.State, a.Nonce, a.Verifier} {
			require.NotContains(t, cookie.Name+cookie.Value, secret)
		}
	}
}

// newest checks that each of the last eight of begun finds its own page in b.
func newest(t *testing.T, k *attempt.Keeper, b *browser, begun []attempt.Attempt) {
	t.Helper()
	for _, a := range begun[len(begun)-8:] {
		got, ok := k.Find(b.request(), a.State, true)
		require.True(t, ok, "one of the newest eight is lost: %s", a.ReturnTo)
		require.Equal(t, a.ReturnTo, got.ReturnTo)
		require.Equal(t, a.Verifier, got.Verifier)
		w := httptest.NewRecorder()
		require.True(t, k.Use(w, b.request(), got, true))
		b.take(w)
	}
}

func TestNewestOfManyAttemptsInOneSecondFinish(t *testing.T) { // ST-15
	k, b := newKeeper(newClock()), &browser{}
	var begun []attempt.Attempt
	for i := range 20 {
		a, _ := b.begin(k, fmt.Sprintf("/tab/%d", i))
		begun = append(begun, a)
	}
	require.Len(t, b.cookies, 8)
	for _, a := range begun[:12] {
		_, ok := k.Find(b.request(), a.State, true)
		require.False(t, ok, "%s is dropped", a.ReturnTo)
	}
	newest(t, k, b, begun)
	require.Empty(t, b.cookies, "each that is used is deleted")
}

func TestNewestOfManyAttemptsInParallelFinish(t *testing.T) { // ST-15
	k, b := newKeeper(newClock()), &browser{}
	before := b.request() // no cookie came back before all had begun
	begun, answers := make([]attempt.Attempt, 20), make([]*httptest.ResponseRecorder, 20)
	var wait sync.WaitGroup
	for i := range begun {
		begun[i], answers[i] = k.New("github", "https://app.example/cb", fmt.Sprintf("/tab/%d", i), nil, false), httptest.NewRecorder()
		wait.Go(func() { _ = k.Begin(answers[i], before, begun[i], true) })
	}
	wait.Wait()
	for _, w := range answers {
		b.take(w)
	}
	require.Len(t, b.cookies, 20)
	next, _ := b.begin(k, "/next")
	require.Len(t, b.cookies, 8, "the next one makes order")
	newest(t, k, b, append(begun, next))
}

func TestNewestCountsByTimeBeforeOrder(t *testing.T) { // ST-15
	c := newClock()
	k, b := newKeeper(c), &browser{}
	var begun []attempt.Attempt
	for i := range 8 {
		a, _ := b.begin(k, fmt.Sprintf("/tab/%d", i))
		begun = append(begun, a)
		c.at = c.at.Add(time.Second)
	}
	slices.Reverse(b.cookies) // as a proxy, or another browser, may order them
	last, told := b.begin(k, "/last")
	require.Len(t, told, 2)
	_, ok := k.Find(b.request(), begun[0].State, true)
	require.False(t, ok, "the oldest goes")
	newest(t, k, b, append(begun, last))
}

func TestCookiesOfAttemptsAreBounded(t *testing.T) { // ST-15, CK-05, CK-12, RD-07
	for _, length := range []int{1, 60, 120, 200, 300, 500, 700, 1000, 1024, 2500} {
		c := newClock()
		k, b := newKeeper(c), &browser{}
		var last attempt.Attempt
		for range 20 {
			last, _ = b.begin(k, "/"+incompressible(length-1))
		}
		one := b.cookies[0]
		require.LessOrEqual(t, len(one.Name)+len(one.Value), 4096, "I2")
		total := 0
		for _, cookie := range b.cookies {
			total += len(cookie.Value)
		}
		require.LessOrEqual(t, total, 4600)
		fit := 1 + (4600-len(one.Value))/(len(one.Name)+len(one.Value)+3) // base64 of 16 bytes more or less
		require.InDelta(t, min(8, fit), len(b.cookies), 1, "no more are dropped than have to be, with a page of %d bytes", length)
		_, ok := k.Find(b.request(), last.State, true)
		require.True(t, ok, "the newest is there, whatever its size")
	}
}

// incompressible is a text of n letters and digits in which nothing comes back.
func incompressible(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	random, b := rand.New(rand.NewPCG(1, uint64(n))), make([]byte, n)
	for i := range b {
		b[i] = letters[random.IntN(len(letters))]
	}
	return string(b)
}

// TestLongReturnPaths: a path of 4 kB is kept whatever is in it, in cookies that
// browsers take, and is gone with its attempt.
func TestLongReturnPaths(t *testing.T) { // RD-07, CK-12
	dashboard := "/d/abc/logs?" + strings.Repeat("var-host=web-01&from=now-6h&panel=%7B%22expr%22%3A%22rate%28x%29%22%7D&", 60)
	for name, x := range map[string]struct {
		path    string
		cookies int
	}{
		"an address of a dashboard": {dashboard[:2500], 1}, "the longest of one": {dashboard[:4096], 1}, "nothing that comes back": {"/" + incompressible(4095), 2},
	} {
		k, b := newKeeper(newClock()), &browser{}
		a, told := b.begin(k, x.path)
		require.Len(t, told, x.cookies, name)
		for _, c := range told {
			require.LessOrEqual(t, len(c.Name)+len(c.Value)+len("; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"), 4096, name)
		}
		got, ok := k.Find(b.request(), a.State, true)
		require.True(t, ok, name)
		require.Equal(t, x.path, got.ReturnTo)
		w := httptest.NewRecorder()
		require.True(t, k.Use(w, b.request(), got, true))
		b.take(w)
		for _, c := range b.cookies {
			require.NotContains(t, c.Name, ".1", "both parts go: %s", name)
		}
	}
}

func TestPartsOfNoAttemptAreDeleted(t *testing.T) { // CK-05
	k, b := newKeeper(newClock()), &browser{}
	a, told := b.begin(k, "/"+incompressible(4095))
	require.Len(t, told, 2)
	b.cookies = b.cookies[1:] // the first part is lost
	_, ok := k.Find(b.request(), a.State, true)
	require.False(t, ok)
	b.begin(k, "/next")
	require.Len(t, b.cookies, 1)
	b.begin(k, "/"+incompressible(4000))
	b.begin(k, "/"+incompressible(4095))
	require.Len(t, b.cookies, 2, "the older one's parts go, both")
	b.begin(k, "/small")
	require.Len(t, b.cookies, 1, "and both count")
}

func TestPlantedPartsHideNoAttempt(t *testing.T) { // CK-02
	k, b := newKeeper(newClock()), &browser{}
	a, _ := b.begin(k, "/"+incompressible(4095))
	head, rest := b.cookies[0], b.cookies[1]
	planted := &http.Cookie{Name: head.Name, Value: strings.Repeat("x", len(head.Value))}
	part := &http.Cookie{Name: rest.Name, Value: "x"}
	for _, order := range [][]*http.Cookie{{planted, head, part, rest}, {part, planted, rest, head}, {rest, part, head, planted}} {
		_, ok := k.Find((&browser{order}).request(), a.State, true)
		require.True(t, ok)
	}
	many := &browser{}
	for range 40 {
		many.cookies = append(many.cookies, planted, part)
	}
	_, ok := k.Find((&browser{append(many.cookies, head, rest)}).request(), a.State, true)
	require.False(t, ok, "what one request costs is bounded")
}

func TestDeadAttemptsAreDeleted(t *testing.T) { // CK-05, CK-09
	c := newClock()
	k, b := newKeeper(c), &browser{}
	old, _ := b.begin(k, "/old")
	c.at = c.at.Add(5 * time.Minute)
	young, _ := b.begin(k, "/young")
	live := slices.Clone(b.names())
	seal := func(secret, salt, payload string) string {
		return session.NewCodec(salt, []session.Secret{session.NewSecret(secret)}).Seal([]byte(payload))
	}
	const salt = "sallyport.transaction"
	b.cookies = append(b.cookies,
		&http.Cookie{Name: "__Host-authjs.txn.garbage", Value: "x"},
		&http.Cookie{Name: "__Host-authjs.txn.empty", Value: ""},
		&http.Cookie{Name: "__Host-authjs.txn.mixed-up", Value: b.cookies[1].Value},
		&http.Cookie{Name: "__Host-authjs.txn.foreign", Value: seal(strings.Repeat("another secret, ", 4), salt, `{"s":"x"}`)},
		&http.Cookie{Name: "__Host-authjs.txn.session", Value: seal(testSecret, "__Host-authjs.session-token", `{"s":"x"}`)},
		&http.Cookie{Name: "__Host-authjs.txn.stateless", Value: seal(testSecret, salt, `{"p":"github"}`)},
		&http.Cookie{Name: "__Host-authjs.txn.text", Value: seal(testSecret, salt, `hello`)},
	)
	dead := b.names()[2:]
	others := []*http.Cookie{
		{Name: "authjs.txn.garbage", Value: "x"}, // of plain http: not this site's
		{Name: "__Host-authjs.csrf-token", Value: "x"},
		{Name: "__Secure-authjs.session-token", Value: "x"},
		{Name: "__host-authjs.txn.garbage", Value: "x"}, // CK-04: names count byte for byte
		{Name: "theme", Value: "dark"},
	}
	b.cookies = append(b.cookies, others...)

	_, told := b.begin(k, "/next")
	var deleted []string
	for _, cookie := range told {
		if cookie.MaxAge < 0 {
			deleted = append(deleted, cookie.Name)
			require.True(t, cookie.Secure && cookie.HttpOnly && cookie.Path == "/" && cookie.Domain == "" && cookie.Value == "")
		}
	}
	require.Equal(t, dead, deleted)
	require.Subset(t, b.names(), live)
	for _, cookie := range others {
		require.Contains(t, b.names(), cookie.Name)
	}

	c.at = old.Expires // its last second
	_, told = b.begin(k, "/last second")
	require.Len(t, told, 1)
	c.at = old.Expires.Add(time.Second)
	_, told = b.begin(k, "/a second late")
	require.Len(t, told, 2)
	require.Equal(t, live[0], told[0].Name)
	require.Negative(t, told[0].MaxAge)
	_, ok := k.Find(b.request(), young.State, true)
	require.True(t, ok)
}

func TestLateAttemptIsFound(t *testing.T) { // ST-08: the page that was wanted is still known
	c := newClock()
	k, b := newKeeper(c), &browser{}
	a, _ := b.begin(k, "/wanted")
	c.at = c.at.Add(attempt.Life + time.Minute)
	got, ok := k.Find(b.request(), a.State, true)
	require.True(t, ok)
	require.Equal(t, "/wanted", got.ReturnTo)
	require.True(t, c.at.After(got.Expires), "its user sees that it is too late")
}

func TestNoOtherCookieIsAnAttempt(t *testing.T) { // ST-03, ST-04, ST-11, ST-13
	k, b := newKeeper(newClock()), &browser{}
	a, _ := b.begin(k, "/a")
	other, _ := b.begin(k, "/b")
	name, value := b.cookies[0].Name, b.cookies[0].Value
	seal := func(secret, salt string, v any) string {
		payload, err := json.Marshal(v)
		require.NoError(t, err)
		return session.NewCodec(salt, []session.Secret{session.NewSecret(secret)}).Seal(payload)
	}
	content := map[string]any{"p": "github", "s": a.State, "n": "n", "v": "v", "u": "u", "r": "/evil", "e": int64(4102444800)}
	const salt = "sallyport.transaction"
	find := func(value string) bool {
		one := &browser{[]*http.Cookie{{Name: name, Value: value}}}
		_, ok := k.Find(one.request(), a.State, true)
		return ok
	}
	require.True(t, find(value))
	require.True(t, find(seal(testSecret, salt, content)), "the key is one of its own, and the same on every node")
	for i := 0; i < len(value); i += 5 {
		tampered := []byte(value)
		tampered[i] ^= 1
		require.False(t, find(string(tampered)), "byte %d", i)
	}
	for name, value := range map[string]string{
		"none":           "",
		"cut":            value[:len(value)-1],
		"another's":      b.cookies[1].Value,
		"another secret": seal(strings.Repeat("another secret, ", 4), salt, content),
		"a session's":    seal(testSecret, "__Secure-authjs.session-token", content),
		"no object":      seal(testSecret, salt, "text"),
		"state is none":  seal(testSecret, salt, map[string]any{"s": ""}),
		"odd parameters": seal(testSecret, salt, map[string]any{"s": a.State, "q": "%zz"}),
		"state differs":  seal(testSecret, salt, map[string]any{"s": a.State + "x"}),
	} {
		require.False(t, find(value), name)
	}
	_, ok := k.Find((&browser{}).request(), "", true)
	require.False(t, ok)
	const ofNoState = "__Host-authjs.txn.47DEQpj8HBSa" // the hash of nothing
	for _, value := range []string{"x", seal(testSecret, salt, map[string]any{"p": "github"})} {
		_, ok = k.Find((&browser{[]*http.Cookie{{Name: ofNoState, Value: value}}}).request(), "", true)
		require.False(t, ok, "no state names no attempt")
	}
	_, ok = k.Find((&browser{b.cookies[1:]}).request(), a.State, true)
	require.False(t, ok)
	_, ok = k.Find((&browser{b.cookies[1:]}).request(), other.State, true)
	require.True(t, ok)
}

func TestPlantedCookieHidesNoAttempt(t *testing.T) { // CK-02
	k, b := newKeeper(newClock()), &browser{}
	a, _ := b.begin(k, "/a")
	b.begin(k, "/b")
	name := b.cookies[0].Name
	for _, planted := range []string{"x", "", b.cookies[1].Value} {
		for _, order := range [][]*http.Cookie{{{Name: name, Value: planted}, b.cookies[0]}, {b.cookies[0], {Name: name, Value: planted}}} {
			got, ok := k.Find((&browser{order}).request(), a.State, true)
			require.True(t, ok)
			require.Equal(t, "/a", got.ReturnTo)
		}
	}
}

func TestAttemptOutlivesItsSecret(t *testing.T) { // rotation
	const next = "Zr4pS7uYbQ1xK9mN2vT6wE8hJ3cF5aG0dL4oP7iRtUs="
	c, b := newClock(), &browser{}
	a, _ := b.begin(newKeeper(c), "/a")
	_, ok := newKeeper(c, next, testSecret).Find(b.request(), a.State, true)
	require.True(t, ok)
	_, ok = newKeeper(c, next).Find(b.request(), a.State, true)
	require.False(t, ok)
	b = &browser{}
	a, _ = b.begin(newKeeper(c, next, testSecret), "/a")
	_, ok = newKeeper(c, next).Find(b.request(), a.State, true)
	require.True(t, ok, "the first seals")
}

func TestBoundOfCookiesIsExact(t *testing.T) { // CK-05
	ofSize := map[int]int{} // length of a path that makes a value of so many bytes
	for length := 1; length <= 700; length += 8 {
		b := &browser{}
		b.begin(newKeeper(newClock()), strings.Repeat("x", length))
		ofSize[len(b.cookies[0].Value)] = length
	}
	const name = len("__Host-authjs.txn.") + 12
	for _, over := range []int{0, 1} { // bytes above the bound
		var lengths []int // of four attempts, and of a fifth beside which they just fit, or do not
		for a := range ofSize {
			for b := range ofSize {
				for i := range 5 {
					if c, ok := ofSize[4600+over-(i*a+(4-i)*b+4*name)]; ok {
						lengths = slices.Concat(slices.Repeat([]int{ofSize[a]}, i), slices.Repeat([]int{ofSize[b]}, 4-i), []int{c})
					}
				}
			}
		}
		require.NotNil(t, lengths)
		k, b := newKeeper(newClock()), &browser{}
		for _, length := range lengths {
			b.begin(k, strings.Repeat("x", length))
		}
		require.Len(t, b.cookies, 5-over, lengths)
	}
}

// TestPlantedCookiesDoNotGrowTheAnswer: over http anybody on the line, or a sibling
// domain, can plant cookies of these names.
func TestPlantedCookiesDoNotGrowTheAnswer(t *testing.T) { // CK-05
	k := attempt.NewKeeper("authjs", []session.Secret{session.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, time.Now, false)
	r := httptest.NewRequest("POST", "http://app.example/", nil)
	for i := range 200 {
		r.AddCookie(&http.Cookie{Name: fmt.Sprintf("authjs.txn.planted%d", i), Value: "x"})
	}
	w := httptest.NewRecorder()
	require.NoError(t, k.Begin(w, r, k.New("stub", "http://app.example/cb", "/", nil, false), false))
	require.Len(t, w.Result().Cookies(), 17, "16 deleted, and the attempt")
}
