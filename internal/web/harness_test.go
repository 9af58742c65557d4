package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

const testSecret = "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE="

// stubProvider is the least that a provider can be: it sends the browser to
// idp.example and believes the code, which is the subject's name.
type stubProvider struct {
	name     string
	identity func(code string) (*auth.Identity, error)
	mu       sync.Mutex
	codes    []string
}

func (p *stubProvider) Name() string { return p.name }

func (p *stubProvider) AuthCodeURL(_ context.Context, tx auth.Transaction) (string, error) {
	q := url.Values{"state": {tx.State}, "redirect_uri": {tx.RedirectURI}}
	for k, v := range tx.Params {
		q[k] = v
	}
	return "https://idp.example/authorize?" + q.Encode(), nil
}

func (p *stubProvider) Exchange(_ context.Context, _ auth.Transaction, response url.Values) (*auth.Identity, error) {
	if response.Get("error") == "access_denied" {
		return nil, auth.ErrDeclined
	}
	p.mu.Lock()
	p.codes = append(p.codes, response.Get("code"))
	p.mu.Unlock()
	if p.identity != nil {
		return p.identity(response.Get("code"))
	}
	return &auth.Identity{Issuer: "https://idp.example", Subject: response.Get("code"), Name: "Ada", Email: "ada@example.com", EmailVerified: true}, nil
}

func (p *stubProvider) exchanged() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.codes)
}

// site is an application behind Require, and the browsers that visit it.
type site struct {
	t      *testing.T
	server *httptest.Server
	stub   *stubProvider
	log    *safeBuffer
	mu     sync.Mutex
	now    time.Time
	seen   []string // subjects that reached the application
	events []auth.Event
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

func (s *site) clock() time.Time { s.mu.Lock(); defer s.mu.Unlock(); return s.now }

func (s *site) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func newSite(t *testing.T, change func(*auth.Config)) *site {
	return newGuardedSite(t, change, (*auth.Authenticator).Require)
}

// newGuardedSite is newSite, behind guard.
func newGuardedSite(t *testing.T, change func(*auth.Config), guard func(*auth.Authenticator, http.Handler) http.Handler) *site {
	s := &site{t: t, stub: &stubProvider{name: "stub"}, log: &safeBuffer{}, now: time.Now()}
	var handler http.Handler
	s.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(s.server.Close)
	config := auth.Config{
		Secrets:   []auth.Secret{auth.NewSecret(testSecret)},
		URL:       s.server.URL,
		Providers: []auth.Provider{s.stub, &stubProvider{name: "other"}},
		Logger:    slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:       s.clock,
		UserID:    auth.SubjectID,
		OnEvent: func(_ context.Context, e auth.Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.events = append(s.events, e)
		},
	}
	if change != nil {
		change(&config)
	}
	a, err := auth.New(config)
	require.NoError(t, err)
	handler = guard(a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, ok := auth.FromContext(r.Context())
		if !ok {
			t.Errorf("%s %s reached the application without a session", r.Method, r.URL)
			return
		}
		s.mu.Lock()
		s.seen = append(s.seen, who.Subject)
		s.mu.Unlock()
		fmt.Fprintf(w, "hello %s at %s", who.Subject, r.URL.RequestURI())
	}))
	return s
}

// browser keeps cookies and follows no redirect by itself.
type browser struct {
	s *site
	*http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	client := s.server.Client()
	return &browser{s, &http.Client{Transport: client.Transport, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type answer struct {
	*http.Response
	text string
}

// do sends what a page does: a form, or none.
func (b *browser) do(method, path string, form url.Values, headers ...string) answer {
	b.s.t.Helper()
	before := []string{"Accept", "text/html"}
	if form != nil {
		before = append(before, "Content-Type", "application/x-www-form-urlencoded")
	}
	return b.send(method, path, form.Encode(), append(before, headers...)...)
}

// post sends what a script does: body, of the type media.
func (b *browser) post(path, media, body string, headers ...string) answer {
	b.s.t.Helper()
	return b.send("POST", path, body, append([]string{"Content-Type", media}, headers...)...)
}

func (b *browser) send(method, path, body string, headers ...string) answer {
	b.s.t.Helper()
	target := path
	if strings.HasPrefix(path, "/") {
		target = b.s.server.URL + path
	}
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	require.NoError(b.s.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.Do(req)
	require.NoError(b.s.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(b.s.t, err)
	b.s.invariants(resp, string(text))
	return answer{resp, string(text)}
}

func (b *browser) get(path string, headers ...string) answer {
	return b.do("GET", path, nil, headers...)
}

func (b *browser) csrf() string {
	var v struct{ CsrfToken string }
	require.NoError(b.s.t, json.Unmarshal([]byte(b.get("/api/auth/csrf").text), &v))
	return v.CsrfToken
}

// start begins a sign-in and returns the state that the provider was given.
func (b *browser) start(provider, callbackURL string) url.Values {
	b.s.t.Helper()
	got := b.do("POST", "/api/auth/signin/"+provider, url.Values{"csrfToken": {b.csrf()}, "callbackUrl": {callbackURL}})
	require.Equal(b.s.t, 303, got.StatusCode, got.text)
	u, err := got.Location()
	require.NoError(b.s.t, err)
	require.Equal(b.s.t, "idp.example", u.Host)
	return u.Query()
}

func (b *browser) back(provider, state, code string, headers ...string) answer {
	return b.get("/api/auth/callback/"+provider+"?"+url.Values{"state": {state}, "code": {code}}.Encode(), headers...)
}

func (b *browser) signIn(subject string) {
	b.s.t.Helper()
	got := b.back("stub", b.start("stub", "/").Get("state"), subject)
	require.Equal(b.s.t, 303, got.StatusCode, got.text)
	require.Equal(b.s.t, subject, b.who())
}

// who is the subject that /session shows, or "".
func (b *browser) who() string {
	var v *struct{ User struct{ ID string } }
	require.NoError(b.s.t, json.Unmarshal([]byte(b.get("/api/auth/session").text), &v))
	if v == nil {
		return ""
	}
	return v.User.ID
}

func (b *browser) cookies() []*http.Cookie {
	u, _ := url.Parse(b.s.server.URL)
	return b.Jar.Cookies(u)
}

func (b *browser) cookiesNamed(prefix string) (list []*http.Cookie) {
	for _, c := range b.cookies() {
		if strings.HasPrefix(c.Name, prefix) {
			list = append(list, c)
		}
	}
	return list
}

// invariants hold for every answer: I1 to I5 of the security requirements.
func (s *site) invariants(resp *http.Response, body string) {
	s.t.Helper()
	for _, c := range resp.Cookies() {
		require.True(s.t, c.HttpOnly && c.Secure && c.Path == "/" && c.SameSite != 0, "I2: %s", c.Name)
		require.LessOrEqual(s.t, len(c.Name)+len(c.Value), 4096, "I2")
		require.Contains(s.t, resp.Header.Get("Cache-Control"), "no-store", "I3")
	}
	logo := resp.StatusCode == 200 && strings.HasPrefix(resp.Request.URL.Path, "/api/auth/logo/") // the same for everybody, for ever
	if strings.HasPrefix(resp.Request.URL.Path, "/api/auth") && !logo {
		require.Contains(s.t, resp.Header.Get("Cache-Control"), "no-store", "I3")
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		require.Equal(s.t, "nosniff", resp.Header.Get("X-Content-Type-Options"), "I4")
		ancestors := "'none'"
		if resp.StatusCode == 200 && strings.HasPrefix(resp.Request.URL.Path, "/api/auth/frontchannel-logout/") {
			ancestors = "https://idp.example"
		} else if resp.Request.Header.Get("Sec-Fetch-Dest") == "iframe" {
			ancestors = "*"
		}
		require.Contains(s.t, resp.Header.Get("Content-Security-Policy"), "frame-ancestors "+ancestors, "I4")
		require.Contains(s.t, resp.Header.Get("Content-Security-Policy"), "form-action", "I4")
	}
	if l := resp.Header.Get("Location"); l != "" {
		require.True(s.t, strings.HasPrefix(l, s.server.URL+"/") || strings.HasPrefix(l, "https://idp.example/"), "I5: %s", l)
	}
	require.NotContains(s.t, body+s.log.String(), testSecret, "I1")
}

func (s *site) kinds() (kinds []auth.EventKind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (s *site) reasons() (reasons []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Reason != "" {
			reasons = append(reasons, e.Reason)
		}
	}
	return reasons
}

// sealedCookie signs ada in at a and returns her session cookie.
func sealedCookie(t testing.TB, a *auth.Authenticator, p auth.Provider) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest("GET", "https://app.example/api/auth/csrf", nil))
	token := strings.Split(strings.Split(w.Body.String(), `":"`)[1], `"`)[0]
	r := httptest.NewRequest("POST", "https://app.example/api/auth/signin/"+p.Name(), strings.NewReader("csrfToken="+token))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(w.Result().Cookies()[0])
	w = httptest.NewRecorder()
	a.ServeHTTP(w, r)
	to, err := w.Result().Location()
	require.NoError(t, err)
	r = httptest.NewRequest("GET", "https://app.example/api/auth/callback/"+p.Name()+"?code=ada&state="+to.Query().Get("state"), nil)
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	w = httptest.NewRecorder()
	a.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if strings.HasSuffix(c.Name, "session-token") {
			return c
		}
	}
	t.Fatalf("no session: %d %s", w.Code, w.Body)
	return nil
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// newAuth is an Authenticator at https://app.example with one provider.
func newAuth(t testing.TB, change func(*auth.Config)) *auth.Authenticator {
	t.Helper()
	c := auth.Config{
		Secrets: []auth.Secret{auth.NewSecret(testSecret)}, URL: "https://app.example", Providers: []auth.Provider{&stubProvider{name: "stub"}},
		Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&c)
	}
	a, err := auth.New(c)
	require.NoError(t, err)
	return a
}

// serve has h answer a request, with headers that may stand more than once.
func serve(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// cookieHeader is cookies as a browser sends them.
func cookieHeader(cookies ...*http.Cookie) string {
	var pairs []string
	for _, c := range cookies {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// last is the newest event.
func (s *site) last() auth.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events[len(s.events)-1]
}

const (
	sessionCookie = "__Secure-authjs.session-token"
	csrfCookie    = "__Host-authjs.csrf-token"
)

// plant puts a cookie into the browser.
func (b *browser) plant(name, value string) {
	u, _ := url.Parse(b.s.server.URL)
	b.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Secure: true, Path: "/"}})
}

// personBackend signs in whoever sends the header X-Person.
type personBackend struct {
	header   http.Header
	location string
	err      error // of every decision
	failOut  error // of every sign-out
	asked    int
	out      []string // who signed out
}

func (p *personBackend) Authenticate(r *http.Request, _ *url.URL) (*auth.Decision, error) {
	p.asked++
	if p.err != nil {
		return nil, p.err
	}
	d := &auth.Decision{Header: p.header, Location: p.location, Value: "decided"}
	if who := r.Header.Get("X-Person"); who != "" {
		d.Session = &session.Session{Issuer: "https://backend.example", Subject: who, Provider: "backend", IssuedAt: time.Now().Add(-48 * time.Hour), ExpiresAt: time.Now().Add(time.Minute)}
	}
	return d, nil
}

func (*personBackend) SignInURL(_ *auth.Decision, returnTo string) string {
	return "https://backend.example/sign-in?to=" + url.QueryEscape(returnTo)
}

func (p *personBackend) SignOut(w http.ResponseWriter, _ *http.Request, s *session.Session, secure bool) error {
	if p.failOut != nil {
		return p.failOut
	}
	p.out = append(p.out, s.Subject)
	http.SetCookie(w, &http.Cookie{Name: "backend", Path: "/", MaxAge: -1, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode})
	return nil
}
