package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// tellingStub is a provider that tells of logouts, and believes the token: a subject, a
// session's id and an id of its own.
type tellingStub struct{ *stubProvider }

func (tellingStub) VouchesFor(issuer string) bool { return issuer == "https://idp.example" }

func (tellingStub) VerifyLogout(_ context.Context, token string) (*auth.Logout, error) {
	parts := strings.Split(token, ":")
	if len(parts) != 3 {
		return nil, auth.ErrInvalidResponse
	}
	return &auth.Logout{Issuer: "https://idp.example", Subject: parts[0], SessionID: parts[1], TokenID: parts[2], IssuedAt: time.Now()}, nil
}

// newTellingSite has sessions in a store, of which each has the provider's id "sid of" whose
// it is.
func newTellingSite(t *testing.T, change func(*auth.Config)) *site {
	return newSite(t, func(c *auth.Config) {
		identity := func(code string) (*auth.Identity, error) {
			return &auth.Identity{Issuer: "https://idp.example", Subject: code, SessionID: "sid of " + code, IssuedAt: time.Now().Add(time.Minute)}, nil
		}
		c.Providers = []auth.Provider{tellingStub{&stubProvider{name: "stub", identity: identity}}, &stubProvider{name: "silent", identity: func(code string) (*auth.Identity, error) {
			return &auth.Identity{Issuer: "https://else.example", Subject: code, SessionID: "sid of " + code}, nil
		}}}
		c.Session = session.Config{Store: session.NewMemoryStore(0, nil)}
		c.BackChannelLogout, c.FrontChannelLogout = true, true
		if change != nil {
			change(c)
		}
	})
}

const backChannel = "/api/auth/backchannel-logout/stub"

func TestBackChannelLogout(t *testing.T) { // BC-02, BC-12, BC-15, LG-03
	for mode, change := range map[string]func(*auth.Config){
		"store": nil,
		"cookies": func(c *auth.Config) {
			c.Session, c.FrontChannelLogout = session.Config{Revocations: session.NewMemoryStore(0, nil)}, false
		},
	} {
		t.Run(mode, func(t *testing.T) {
			s := newTellingSite(t, change)
			ada, eve, op := s.browser(), s.browser(), s.browser()
			ada.signIn("ada")
			eve.signIn("eve")
			// As a page of any site could send it, with somebody's cookies: neither counts.
			got := eve.post(backChannel, formType, "ignored_parameter=x&logout_token="+url.QueryEscape("ada::1"), crossSite...)
			require.Equal(t, 200, got.StatusCode)
			require.Empty(t, got.text)
			require.Equal(t, "no-store", got.Header.Get("Cache-Control"))
			require.Empty(t, got.Cookies())
			require.Empty(t, ada.who())
			require.Equal(t, "eve", eve.who())
			e := s.last()
			require.Equal(t, auth.Event{Kind: auth.EventLoggedOut, Provider: "stub", Issuer: "https://idp.example", Subject: "ada", Client: e.Client}, e)
			ada.signIn("ada")

			require.Equal(t, 400, op.post(backChannel, formType, "logout_token=ada::1").StatusCode, "once")
			require.Equal(t, "ada", ada.who())
			require.Equal(t, 200, op.post(backChannel, formType, "logout_token=:sid+of+eve:2").StatusCode)
			require.Empty(t, eve.who())
			require.NotContains(t, s.log.String(), "ada::1")
		})
	}
}

func TestBackChannelLogoutRefuses(t *testing.T) { // BC-01, BC-03
	s := newTellingSite(t, nil)
	ada, op := s.browser(), s.browser()
	ada.signIn("ada")
	const good = "logout_token=ada::1"
	for name, test := range map[string]struct{ media, body string }{
		"JSON":                {"application/json", `{"logout_token":"ada::1"}`},
		"no type":             {"", good},
		"plain text":          {"text/plain", good},
		"a multipart body":    {"multipart/form-data; boundary=x", "--x--"},
		"no token":            {formType, "x=y"},
		"an empty one":        {formType, "logout_token="},
		"nothing":             {formType, ""},
		"two":                 {formType, good + "&" + good},
		"one in the address":  {formType, "x=y"},
		"a malformed form":    {formType, good + "&x=%zz"},
		"64 KiB and a byte":   {formType, good + "&x=" + strings.Repeat("x", 64<<10-len(good)-2)},
		"a MiB":               {formType, good + "&x=" + strings.Repeat("x", 1<<20)},
		"what is no token":    {formType, "logout_token=hunter2"},
		"nobody's":            {formType, "logout_token=::2"},
		"one without its jti": {formType, "logout_token=ada::"},
	} {
		t.Run(name, func(t *testing.T) {
			got := op.post(backChannel+"?"+good, test.media, test.body)
			require.Equal(t, 400, got.StatusCode)
			require.Contains(t, got.Header.Get("Cache-Control"), "no-store")
			require.JSONEq(t, `{"error":"invalid_request","error_description":"The logout token is not valid here."}`, got.text)
		})
	}
	for _, method := range []string{"GET", "HEAD", "PUT", "OPTIONS"} {
		got := op.send(method, backChannel+"?"+good, "")
		require.Equal(t, 405, got.StatusCode)
		require.Equal(t, "POST", got.Header.Get("Allow"))
	}
	for _, path := range []string{"silent", "unknown", "stub/x", ""} {
		require.Equal(t, 404, op.post("/api/auth/backchannel-logout/"+path, formType, good).StatusCode, path)
	}
	require.Equal(t, "ada", ada.who(), "no session is touched")
	require.NotContains(t, s.log.String(), "hunter2")
	require.Equal(t, 200, op.post(backChannel, formType+"; charset=utf-8", good+"&x="+strings.Repeat("x", 64<<10-len(good)-3)).StatusCode, "64 KiB")
	require.Empty(t, ada.who())
}

// TestBackChannelLogoutIsAskedFor: without it, there is no such address.
func TestBackChannelLogoutIsAskedFor(t *testing.T) {
	s := newTellingSite(t, func(c *auth.Config) { c.BackChannelLogout, c.FrontChannelLogout = false, false })
	ada := s.browser()
	ada.signIn("ada")
	require.Equal(t, 404, ada.post(backChannel, formType, "logout_token=ada::1").StatusCode)
	require.Equal(t, 404, ada.get("/api/auth/frontchannel-logout/stub?iss=https://idp.example&sid=sid+of+ada").StatusCode)
	require.Equal(t, "ada", ada.who())
}

// TestBackChannelLogoutWithoutAStore: 400, as the specification has it, and the same token
// counts later.
func TestBackChannelLogoutWithoutAStore(t *testing.T) { // BC-03, BC-06, SE-06
	down := &downLister{MemoryStore: session.NewMemoryStore(0, nil)}
	s := newTellingSite(t, func(c *auth.Config) { c.Session.Store = down })
	ada, op := s.browser(), s.browser()
	ada.signIn("ada")
	down.err = errDown
	got := op.post(backChannel, formType, "logout_token=ada::1")
	require.Equal(t, 400, got.StatusCode)
	require.Contains(t, got.text, "temporarily_unavailable")
	got = op.get("/api/auth/frontchannel-logout/stub?iss=https://idp.example&sid=sid+of+ada")
	require.Equal(t, 503, got.StatusCode)
	down.err = nil
	require.Equal(t, "ada", ada.who())
	require.Equal(t, 200, op.post(backChannel, formType, "logout_token=ada::1").StatusCode)
	require.Empty(t, ada.who())
}

// downLister fails when it is told to.
type downLister struct {
	*session.MemoryStore
	err error
}

func (d *downLister) Find(ctx context.Context, key string) ([]byte, bool, error) {
	if d.err != nil {
		return nil, false, d.err
	}
	return d.MemoryStore.Find(ctx, key)
}

func (d *downLister) List(ctx context.Context, list string) ([]string, error) {
	if d.err != nil {
		return nil, d.err
	}
	return d.MemoryStore.List(ctx, list)
}

// TestBackChannelLogoutDuringTheSignIn: the person has signed out there, and comes back
// here with the code.
func TestBackChannelLogoutDuringTheSignIn(t *testing.T) { // BC-13
	s := newTellingSite(t, nil)
	ada, op := s.browser(), s.browser()
	state := ada.start("stub", "/").Get("state")
	require.Equal(t, 200, op.post(backChannel, formType, "logout_token=:sid+of+ada:1").StatusCode)
	got := ada.back("stub", state, "ada")
	require.Equal(t, 400, got.StatusCode)
	require.Empty(t, ada.who())
	require.ErrorIs(t, s.last().Err, auth.ErrLoggedOut)
	require.Equal(t, "Expired", s.last().Reason)
}

// TestBackChannelLogoutAsksNobody: neither who has sent it, nor at which host.
func TestBackChannelLogoutAsksNobody(t *testing.T) { // BC-14, BC-15
	backend := &personBackend{location: "https://backend.example/handshake"}
	down := &downLister{MemoryStore: session.NewMemoryStore(0, nil)}
	a := newAuth(t, func(c *auth.Config) {
		c.Providers = []auth.Provider{tellingStub{&stubProvider{name: "stub"}}}
		c.URL, c.AllowedHosts = "", []string{"app.example"}
		c.Backend, c.BackChannelLogout = backend, true
		c.Session.Store = down
	})
	for _, h := range []http.Handler{a, a.Require(http.NotFoundHandler()), a.Identify(http.NotFoundHandler())} {
		for _, host := range []string{"app.example", "10.0.0.7:3000"} {
			for _, down.err = range []error{nil, errDown} {
				got := serve(h, "POST", "http://"+host+backChannel, "logout_token=x", "Content-Type", formType, "Cookie", "authjs.session-token="+strings.Repeat("A", 43), "X-Person", "ada")
				require.Equal(t, 400, got.Code)
				require.Contains(t, got.Body.String(), "invalid_request", "the store was not asked")
			}
		}
	}
	require.Zero(t, backend.asked)
}
