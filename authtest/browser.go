package authtest

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/web"
	"github.com/sallyport/auth/session"
)

// Browser is somebody's, without scripts: it keeps cookies, follows redirects, and sends
// forms with all that is in them. Make it with [NewBrowser]. It is for one goroutine.
type Browser struct {
	// Client sends the requests, and has the cookies. It is there for what is no
	// navigation, such as what a script fetches, and for a Transport of one's own.
	Client *http.Client

	t      testing.TB
	origin *url.URL
	routes string
	at     *Page // nil before the first
}

// Page is what the browser came to.
type Page struct {
	Status int // of the last answer, as the rest
	Header http.Header
	URL    *url.URL // after the redirects
	Body   string
}

// NewBrowser returns the browser of somebody who has never been anywhere. address is the
// site's, as [auth.Config].URL has it: with the path of the routes, or without one where
// that is /api/auth.
//
// h answers there, with no server and no port, so that https://app.example is as good as
// any; all other addresses are real. If h is nil, so is the site's.
func NewBrowser(t testing.TB, address string, h http.Handler) *Browser {
	t.Helper()
	origin, routes, err := web.ParseURL(address)
	if err == nil && origin == nil {
		err = errors.New("want an address with a scheme and a host")
	}
	if err != nil {
		t.Fatalf("authtest: NewBrowser: %q: %v", address, err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatalf("authtest: NewBrowser: %v", err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		r.Header.Del("Origin") // which a form's POST has, and no navigation by GET
		if len(via) >= 10 {
			return errors.New("10 redirects, and no page")
		}
		return nil
	}}
	if h != nil {
		client.Transport = inside{origin, h}
	}
	return &Browser{Client: client, t: t, origin: origin, routes: routes}
}

// As has somebody signed in by [SignIn], from the next request on.
func (b *Browser) As(a *auth.Authenticator, s *session.Session) {
	b.t.Helper()
	b.Client.Jar.SetCookies(b.origin, SignIn(b.t, a, b.origin.String(), s))
}

// Get goes to path, or to a whole address, and returns the page that it ends at.
func (b *Browser) Get(path string) *Page {
	b.t.Helper()
	to, err := b.origin.Parse(path)
	if err != nil {
		b.t.Fatalf("authtest: Get: %v", err)
	}
	return b.visit("GET", to, nil)
}

// Submit posts the form of the page that the browser is at whose action is path, with the
// inputs that are in it, a CSRF token for one, and with fields beside them or in their
// place. What somebody has to choose, a button with a name or a box to tick, is among
// fields. The test ends where the page has no such form.
func (b *Browser) Submit(path string, fields url.Values) *Page {
	b.t.Helper()
	to, filled, ok := b.at.form(path)
	if !ok {
		b.t.Fatalf("authtest: no form that is sent to %s: the browser is at %s", path, b.at)
	}
	for name, values := range fields {
		filled[name] = values
	}
	return b.visit("POST", to, filled)
}

// SignIn presses the button of provider, has the identity provider of package providertest
// take the browser for subject's, and returns the page that comes of it: the one that
// somebody was on the way to, or a refusal. The subject "deny" declines.
//
// The button is on the page that the browser is at, or else on the sign-in page. The test
// ends where the identity provider does not ask who it is: see Ask of providertest.Config.
func (b *Browser) SignIn(provider, subject string) *Page {
	b.t.Helper()
	button := b.routes + "/signin/" + provider
	if _, _, ok := b.at.form(button); !ok {
		b.Get(b.routes + "/signin")
	}
	page := b.Submit(button, nil)
	to, ok := page.choice(subject)
	if !ok {
		b.t.Fatalf("authtest: no identity provider that asks, with Ask of providertest.Config, and has %q to choose: the browser is at %s", subject, page)
	}
	return b.visit("GET", to, nil)
}

// SignOut signs out, and returns the page that comes then. The test ends where nobody is
// signed in.
func (b *Browser) SignOut() *Page {
	b.t.Helper()
	b.Get(b.routes + "/signout")
	return b.Submit(b.routes+"/signout", nil)
}

// visit sends what a navigation does.
func (b *Browser) visit(method string, to *url.URL, form url.Values) *Page {
	b.t.Helper()
	r := &http.Request{Method: method, URL: to, Header: http.Header{
		"Accept": {"text/html"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"},
	}}
	if method == "POST" {
		r.Body = io.NopCloser(strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.at.URL.Scheme+"://"+b.at.URL.Host)
	}
	resp, err := b.Client.Do(r)
	if err != nil {
		b.t.Fatalf("authtest: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatalf("authtest: %v", err)
	}
	b.at = &Page{resp.StatusCode, resp.Header, resp.Request.URL, string(body)}
	return b.at
}

// inside answers the requests to origin by handler, and has all others sent.
type inside struct {
	origin  *url.URL
	handler http.Handler
}

// RoundTrip implements [http.RoundTripper].
func (i inside) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != i.origin.Scheme || r.URL.Host != i.origin.Host {
		return http.DefaultTransport.RoundTrip(r)
	}
	body := io.Reader(http.NoBody)
	if r.Body != nil {
		defer r.Body.Close()
		body = r.Body
	}
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.RequestURI(), body)
	in.Host, in.Header = r.URL.Host, r.Header.Clone()
	if i.origin.Scheme == "https" {
		in.TLS = &tls.ConnectionState{HandshakeComplete: true}
	}
	w := httptest.NewRecorder()
	i.handler.ServeHTTP(w, in)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}
