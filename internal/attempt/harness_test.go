package attempt_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/sallyport/auth/internal/attempt"
	"github.com/sallyport/auth/session"
)

const testSecret = "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE="

// clock stands still unless a test sets it on.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time { return c.at }

func newKeeper(c *clock, secrets ...string) *attempt.Keeper {
	if secrets == nil {
		secrets = []string{testSecret}
	}
	var list []session.Secret
	for _, s := range secrets {
		list = append(list, session.NewSecret(s))
	}
	return attempt.NewKeeper("authjs", list, c.now, false)
}

// browser keeps cookies in the order in which it got them: RFC 6265 5.4.
type browser struct{ cookies []*http.Cookie }

func (b *browser) request() *http.Request {
	r := httptest.NewRequest("POST", "/", nil)
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	return r
}

// take does what a browser does with an answer, and returns what it was told.
func (b *browser) take(w *httptest.ResponseRecorder) []*http.Cookie {
	told := w.Result().Cookies()
	for _, c := range told {
		same := func(old *http.Cookie) bool { return old.Name == c.Name }
		switch i := slices.IndexFunc(b.cookies, same); {
		case c.MaxAge < 0:
			b.cookies = slices.DeleteFunc(b.cookies, same)
		case i >= 0:
			b.cookies[i] = c
		default:
			b.cookies = append(b.cookies, c)
		}
	}
	return told
}

// begin starts an attempt that wants to get to the page to.
func (b *browser) begin(k *attempt.Keeper, to string) (attempt.Attempt, []*http.Cookie) {
	a := k.New("github", "https://app.example/api/auth/callback/github", to, nil, false)
	w := httptest.NewRecorder()
	if err := k.Begin(w, b.request(), a, true); err != nil {
		panic(err)
	}
	return a, b.take(w)
}

func (b *browser) names() (names []string) {
	for _, c := range b.cookies {
		names = append(names, c.Name)
	}
	return names
}
