package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/pages"
	"github.com/sallyport/auth/session"
)

func TestNewRefuses(t *testing.T) { // LG-06, PV-03, AC-07, MX-05
	stub := func(name string) auth.Provider { return &stubProvider{name: name} }
	code := stubVerifier{}
	for name, test := range map[string]struct {
		change func(*auth.Config)
		want   string
	}{
		"no secret":                   {func(c *auth.Config) { c.Secrets = nil }, "no secret"},
		"an empty secret":             {func(c *auth.Config) { c.Secrets = []auth.Secret{auth.NewSecret("")} }, "shorter than 32 bytes"},
		"a weak secret":               {func(c *auth.Config) { c.Secrets = []auth.Secret{auth.NewSecret(testSecret[:31])} }, "shorter than 32 bytes"},
		"a placeholder":               {func(c *auth.Config) { c.Secrets = []auth.Secret{auth.NewSecret("changeme-changeme-changeme-changeme")} }, "placeholder"},
		"one character":               {func(c *auth.Config) { c.Secrets = []auth.Secret{auth.NewSecret(strings.Repeat("a", 40))} }, "one character"},
		"a weak second secret":        {func(c *auth.Config) { c.Secrets = append(c.Secrets, auth.NewSecret("short")) }, "secret 2 of 2"},
		"nine secrets":                {func(c *auth.Config) { c.Secrets = make([]auth.Secret, 9) }, "at most 8"},
		"no way in":                   {func(c *auth.Config) { c.Providers = nil }, "nobody could sign in"},
		"an empty list":               {func(c *auth.Config) { c.Providers = []auth.Provider{} }, "nobody could sign in"},
		"a nil provider":              {func(c *auth.Config) { c.Providers = append(c.Providers, nil) }, "Providers[1] is nil"},
		"a provider of no name":       {func(c *auth.Config) { c.Providers = append(c.Providers, stub("")) }, `Providers[1] has the name ""`},
		"capitals":                    {func(c *auth.Config) { c.Providers = append(c.Providers, stub("GitHub")) }, "lower-case"},
		"a slash":                     {func(c *auth.Config) { c.Providers = append(c.Providers, stub("a/b")) }, "lower-case"},
		"a hyphen at the end":         {func(c *auth.Config) { c.Providers = append(c.Providers, stub("a-")) }, "lower-case"},
		"a line break":                {func(c *auth.Config) { c.Providers = append(c.Providers, stub("a\n")) }, "lower-case"},
		"an access code's name":       {func(c *auth.Config) { c.Providers = append(c.Providers, stub("access-code")) }, "is taken"},
		"one name twice":              {func(c *auth.Config) { c.Providers = append(c.Providers, stub("stub")) }, `two providers have the name "stub"`},
		"ReadOnly and providers":      {func(c *auth.Config) { c.ReadOnly = true }, "ReadOnly"},
		"ReadOnly and a code":         {func(c *auth.Config) { c.ReadOnly, c.Providers, c.AccessCode = true, nil, code }, "ReadOnly"},
		"ReadOnly and a backend":      {func(c *auth.Config) { c.ReadOnly, c.Providers, c.Backend = true, nil, stubBackend{} }, "ReadOnly"},
		"no URL":                      {func(c *auth.Config) { c.URL = "app.example" }, "Config.URL"},
		"a scheme":                    {func(c *auth.Config) { c.URL = "ftp://app.example" }, "Config.URL"},
		"a query":                     {func(c *auth.Config) { c.URL = "https://app.example/?x" }, "Config.URL"},
		"a fragment":                  {func(c *auth.Config) { c.URL = "https://app.example/#x" }, "Config.URL"},
		"a user":                      {func(c *auth.Config) { c.URL = "https://x@app.example/" }, "Config.URL"},
		"a host of its own":           {func(c *auth.Config) { c.URL = "https:///api/auth" }, "Config.URL"},
		"a control character":         {func(c *auth.Config) { c.URL = "https://app.example/\n" }, "Config.URL"},
		"an encoded path":             {func(c *auth.Config) { c.URL = "https://app.example/a%2fb" }, "not plain"},
		"a path of dots":              {func(c *auth.Config) { c.URL = "https://app.example/a/../b" }, "not plain"},
		"an empty segment":            {func(c *auth.Config) { c.URL = "https://app.example/a//b" }, "not plain"},
		"proxies":                     {func(c *auth.Config) { c.TrustedProxies = []string{"10.0.0.0/99"} }, "Config.TrustedProxies"},
		"proxies of nobody":           {func(c *auth.Config) { c.TrustedProxies, c.Forwarded = []string{}, true }, "Config.Forwarded"},
		"hosts beside URL":            {func(c *auth.Config) { c.AllowedHosts = []string{"app.example"} }, "beside Config.URL"},
		"hosts of nobody":             {func(c *auth.Config) { c.URL, c.AllowedHosts = "", []string{} }, "answer nobody"},
		"a host with a scheme":        {func(c *auth.Config) { c.URL, c.AllowedHosts = "", []string{"https://app.example"} }, "Config.AllowedHosts"},
		"an origin with a path":       {func(c *auth.Config) { c.ReturnOrigins = []string{"https://www.example.com/x"} }, "Config.ReturnOrigins"},
		"the second origin":           {func(c *auth.Config) { c.ReturnOrigins = []string{"https://www.example.com", "x"} }, `"x"`},
		"a header for no code":        {func(c *auth.Config) { c.AccessCodeHeaders = []string{"X-Access-Code"} }, "Config.AccessCode is not"},
		"a header that is none":       {func(c *auth.Config) { c.AccessCode, c.AccessCodeHeaders = code, []string{"X Access"} }, "AccessCodeHeaders"},
		"the cookie":                  {func(c *auth.Config) { c.AccessCode, c.AccessCodeHeaders = code, []string{"cookie"} }, "AccessCodeHeaders"},
		"a sign-in page away":         {func(c *auth.Config) { c.SignInURL = "https://elsewhere.example" }, "SignInURL"},
		"a user's claim with a field": {func(c *auth.Config) { c.UserIDClaim = "sub" }, "UserIDClaim"},
		"an error page away":          {func(c *auth.Config) { c.ErrorURL = "//elsewhere.example" }, "ErrorURL"},
		"an error page's query":       {func(c *auth.Config) { c.ErrorURL = "/x?y" }, "ErrorURL"},
		"language that is none":       {func(c *auth.Config) { c.Languages = []pages.Language{{Tag: "pt_BR"}} }, `Config.Languages: "pt_BR" is no language tag`},
		"templates of nothing":        {func(c *auth.Config) { c.Templates = template.New("x") }, "Config.Templates"},
		"a session's age":             {func(c *auth.Config) { c.Session.MaxAge = time.Second }, "MaxAge"},
		"a session's domain":          {func(c *auth.Config) { c.Session.CookieDomain = "x y" }, "CookieDomain"},
		"a session's cookie":          {func(c *auth.Config) { c.Session.CookieName = "x;y" }, "CookieName"},
	} {
		c := newConfig(stub("stub"))
		test.change(&c)
		a, err := auth.New(c)
		require.ErrorContains(t, err, test.want, name)
		require.Nil(t, a, name)
		require.NotContains(t, err.Error(), testSecret)
	}
}

func TestNewTellsEveryProblemAtOnce(t *testing.T) { // LG-06
	_, err := auth.New(auth.Config{
		Secrets: []auth.Secret{auth.NewSecret("short")}, URL: "x", TrustedProxies: []string{"x"}, ReturnOrigins: []string{"a", "b"},
		Providers:         []auth.Provider{nil, &stubProvider{name: "A"}, &stubProvider{name: "x"}, &stubProvider{name: "x"}, &stubProvider{name: "access-code"}},
		AccessCodeHeaders: []string{"X-Access-Code"}, SignInURL: "x", ErrorURL: "y", Templates: template.New("x"), Languages: []pages.Language{{}},
		Session: session.Config{CookieName: " "},
	})
	for _, want := range []string{
		"shorter than 32", "CookieName", "Config.URL", "TrustedProxies", `"a"`, `"b"`, "Providers[0] is nil", `"A"`,
		`two providers have the name "x"`, "taken", "AccessCodeHeaders", "SignInURL", "ErrorURL", "Templates", "Languages",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestNewTakesEachWayInAlone(t *testing.T) {
	for name, change := range map[string]func(*auth.Config){
		"a provider":     func(c *auth.Config) { c.Providers = []auth.Provider{&stubProvider{name: "a-1"}} },
		"an access code": func(c *auth.Config) { c.AccessCode = stubVerifier{} },
		"a backend":      func(c *auth.Config) { c.Backend = stubBackend{} },
		"another's":      func(c *auth.Config) { c.ReadOnly = true },
	} {
		c := newConfig()
		change(&c)
		_, err := auth.New(c)
		require.NoError(t, err, name)
	}
}

func TestAddressOfTheRoutes(t *testing.T) { // ST-17, HO-01
	for address, want := range map[string]string{
		"https://app.example":            "https://app.example/api/auth",
		"https://app.example/":           "https://app.example/api/auth",
		"https://APP.example/auth":       "https://app.example/auth",
		"https://app.example/auth/":      "https://app.example/auth",
		"http://localhost:3000/api/auth": "http://localhost:3000/api/auth",
		"":                               "http://request.example/api/auth",
	} {
		c := newConfig(&stubProvider{name: "stub"})
		c.URL = address
		a, err := auth.New(c)
		require.NoError(t, err, address)
		r := httptest.NewRequest("GET", "http://request.example/page", nil)
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		a.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		require.Equal(t, want+"/signin?callbackUrl=%2Fpage", w.Header().Get("Location"), address)
	}
}

func TestRequireIdentifyAndRoutes(t *testing.T) { // MW-01, MW-10, MW-12
	stub := &stubProvider{name: "stub"}
	a, err := auth.New(newConfig(stub))
	require.NoError(t, err)
	cookie := sealedCookie(t, a, stub)
	var reached []string
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		who, ok := auth.FromContext(r.Context())
		if !ok {
			require.Nil(t, who)
			reached = append(reached, "nobody")
			return
		}
		reached = append(reached, who.Subject)
	})
	ask := func(h http.Handler, path string, signedIn bool) int {
		r := httptest.NewRequest("GET", "https://app.example"+path, nil)
		if signedIn {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, 401, ask(a.Require(next), "/", false))
	require.Equal(t, 401, ask(a.RequireRule(auth.Identified)(next), "/", false))
	require.Equal(t, 200, ask(a.Identify(next), "/", false))
	require.Equal(t, 200, ask(a.Require(next), "/", true))
	require.Equal(t, 200, ask(a.RequireRule(auth.Identified)(next), "/", true))
	require.Equal(t, 403, ask(a.RequireRule(func(*session.Session) error { return auth.ErrNotAllowed })(next), "/", true))
	require.Equal(t, 200, ask(a.Identify(next), "/", true))
	require.Equal(t, 404, ask(a, "/", true), "the routes alone")
	require.Equal(t, 200, ask(a, "/api/auth/session", true))
	require.Equal(t, []string{"nobody", "ada", "ada", "ada"}, reached)
	who, ok := auth.FromContext(context.Background())
	require.False(t, ok)
	require.Nil(t, who)
	require.Nil(t, auth.BackendValue(context.Background()))
}

func TestEventOfASignIn(t *testing.T) { // LG-03
	var events []auth.Event
	stub := &stubProvider{name: "stub", identity: &auth.Identity{Issuer: "https://idp.example", Subject: "ada"}}
	c := newConfig(stub)
	c.OnEvent = func(_ context.Context, e auth.Event) { events = append(events, e) }
	c.Enrich = func(_ context.Context, s *session.Session, _ *auth.Identity) error {
		s.Subject = "user-7"
		return nil
	}
	a, err := auth.New(c)
	require.NoError(t, err)
	who := sessionOf(t, sealedCookie(t, a, stub))
	require.Equal(t, "user-7", who.Subject)
	require.Equal(t, []auth.Event{{Kind: auth.EventSignedIn, Provider: "stub", Issuer: "https://idp.example", Subject: "ada", Client: netip.MustParseAddr("192.0.2.1")}}, events,
		"who signed in is who the provider says, whatever the application calls them")
}

func TestEventOfAnAccessCode(t *testing.T) { // LG-03, AC-13
	for name, test := range map[string]struct {
		v    stubVerifier
		want auth.Event
	}{
		"right": {stubVerifier{identity: &auth.Identity{Issuer: "access-code", Subject: "code_1", Name: "board"}},
			auth.Event{Kind: auth.EventSignedIn, Provider: "access-code", Issuer: "access-code", Subject: "code_1", Label: "board"}},
		"wrong":   {stubVerifier{err: auth.ErrWrongCode}, auth.Event{Kind: auth.EventSignInFailed, Provider: "access-code", Reason: "CredentialsSignin"}},
		"limited": {stubVerifier{err: &auth.LimitError{RetryAfter: time.Minute}}, auth.Event{Kind: auth.EventSignInFailed, Provider: "access-code", Reason: "RateLimited"}},
		"down":    {stubVerifier{err: auth.ErrStore}, auth.Event{Kind: auth.EventSignInFailed, Provider: "access-code", Reason: "StoreUnavailable"}},
	} {
		var events []auth.Event
		sendCode(t, test.v, func(c *auth.Config) {
			c.OnEvent = func(_ context.Context, e auth.Event) { events = append(events, e) }
		})
		require.Len(t, events, 1, name)
		got := events[0]
		require.Equal(t, "192.0.2.1", got.Client.String(), name)
		if test.v.err != nil {
			require.ErrorIs(t, got.Err, test.v.err, name)
			require.Len(t, got.RequestID, 14, name)
		}
		got.Client, got.Err, got.RequestID = test.want.Client, nil, ""
		require.Equal(t, test.want, got, name)
	}
}

func TestLoggerAndClockAreOptional(t *testing.T) {
	var log strings.Builder
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	stub := &stubProvider{name: "stub"}
	a, err := auth.New(newConfig(stub))
	require.NoError(t, err)
	who := sessionOf(t, sealedCookie(t, a, stub))
	require.WithinDuration(t, time.Now(), who.AuthTime, time.Minute)
	require.Contains(t, log.String(), "auth: signed_in")

	var own strings.Builder
	c := newConfig(stub)
	c.Logger = slog.New(slog.NewTextHandler(&own, nil))
	c.Now = func() time.Time { return time.Now().Add(-3 * time.Second) }
	a, err = auth.New(c)
	require.NoError(t, err)
	require.True(t, sessionOf(t, sealedCookie(t, a, stub)).AuthTime.Before(time.Now().Add(-time.Second)))
	require.Contains(t, own.String(), "auth: signed_in")
	require.Equal(t, 1, strings.Count(log.String(), "auth: signed_in"))
}

func TestNewStartsNothing(t *testing.T) { // LG-05
	_, err := auth.New(newConfig(&stubProvider{name: "stub"}))
	require.NoError(t, err)
	r := httptest.NewRequest("GET", "/api/auth/session", nil)
	_, pattern := http.DefaultServeMux.Handler(r)
	require.Empty(t, pattern, "no route is registered by itself")
}

func TestNoOptionTurnsACheckOff(t *testing.T) { // LG-07
	for _, config := range []any{auth.Config{}, session.Config{}, auth.Parts{}} {
		kind := reflect.TypeOf(config)
		for i := range kind.NumField() {
			require.NotRegexp(t, `(?i)skip|disable|insecure|unsafe|allow[^e]|ignore|without|noverify`, kind.Field(i).Name, "%s of %s", kind.Field(i).Name, kind)
		}
	}
}

// TestSettingsThatMeanNothing: each field beside each set of ways in. What keeps
// people out, or is a mistake, is an error where nothing would come of it.
func TestSettingsThatMeanNothing(t *testing.T) { // PV-03
	ways := map[string]func(*auth.Config){
		"providers": func(c *auth.Config) { c.Providers = []auth.Provider{&stubProvider{name: "stub"}} },
		"code":      func(c *auth.Config) { c.AccessCode = stubVerifier{} },
		"backend":   func(c *auth.Config) { c.Backend = &stubBackend{} },
		"read-only": func(c *auth.Config) { c.ReadOnly = true },
		"providers, code": func(c *auth.Config) {
			c.Providers, c.AccessCode = []auth.Provider{&stubProvider{name: "stub"}}, stubVerifier{}
		},
		"backend, code": func(c *auth.Config) { c.Backend, c.AccessCode = &stubBackend{}, stubVerifier{} },
		"providers, backend": func(c *auth.Config) {
			c.Providers, c.Backend = []auth.Provider{&stubProvider{name: "stub"}}, &stubBackend{}
		},
	}
	for _, test := range []struct {
		field string
		set   func(*auth.Config)
		means string // beside which ways in it means something
	}{
		{"Policy", func(c *auth.Config) {
			c.Policy = func(context.Context, string, *auth.Identity) error { return nil }
		}, "providers; backend; providers, code; backend, code; providers, backend"},
		{"Enrich", func(c *auth.Config) {
			c.Enrich = func(context.Context, *session.Session, *auth.Identity) error { return nil }
		}, "providers; providers, code; providers, backend"},
		{"ReturnTo", func(c *auth.Config) {
			c.ReturnTo = func(_ context.Context, _ *session.Session, to string) string { return to }
		}, "providers; code; providers, code; backend, code; providers, backend"},
		{"Update", func(c *auth.Config) {
			c.Update = func(context.Context, *session.Session, json.RawMessage) error { return nil }
		}, "providers; code; providers, code; backend, code; providers, backend"},
		{"UserIDClaim", func(c *auth.Config) { c.UserIDClaim = "userId" }, "providers; code; read-only; providers, code; backend, code; providers, backend"},
		{"SignInURL", func(c *auth.Config) { c.SignInURL = "/login" }, "providers; code; read-only; providers, code; backend, code; providers, backend"},
		{"NextAuthV4", func(c *auth.Config) { c.NextAuthV4 = true }, "providers; code; backend; providers, code; backend, code; providers, backend"},
		{"ReturnOrigins", func(c *auth.Config) { c.ReturnOrigins = []string{"https://www.example.com"} }, "providers; code; backend; read-only; providers, code; backend, code; providers, backend"},
		{"FrameAncestors", func(c *auth.Config) { c.FrameAncestors = []string{"https://portal.example.com"} }, "providers; code; backend; providers, code; backend, code; providers, backend"},
		{"Session.SameSiteNone", func(c *auth.Config) { c.Session.SameSiteNone = true }, "providers; code; providers, code; backend, code; providers, backend"},
		{"Session.Public", func(c *auth.Config) { c.Session.Public = func(*session.Session, *session.View) {} }, "providers; code; backend; providers, code; backend, code; providers, backend"},
		{"Session.Revalidate", func(c *auth.Config) {
			c.Session.Revalidate = func(context.Context, *session.Session) error { return nil }
		}, "providers; code; providers, code; backend, code; providers, backend"},
		{"Session.UpgradeV4", func(c *auth.Config) { c.Session.UpgradeV4 = true }, "providers; code; backend; providers, code; backend, code; providers, backend"},
		{"AccessCodeHeaders", func(c *auth.Config) { c.AccessCodeHeaders = []string{"X-Access-Code"} }, "code; providers, code; backend, code"},
		{"AccessCodeHeaders", func(c *auth.Config) { c.AccessCodeHeaders = []string{"authorization"} }, "code; providers, code"},
	} {
		means := strings.Split(test.means, "; ")
		for way, set := range ways {
			c := auth.Config{Secrets: []auth.Secret{auth.NewSecret(testSecret)}}
			set(&c)
			test.set(&c)
			_, err := auth.New(c)
			if slices.Contains(means, way) {
				require.NoError(t, err, "%s beside %s", test.field, way)
			} else {
				require.ErrorContains(t, err, test.field, "%s beside %s", test.field, way)
			}
		}
	}
}

func TestReady(t *testing.T) { // SE-06
	c := newConfig(&stubProvider{name: "stub"})
	a, err := auth.New(c)
	require.NoError(t, err)
	require.NoError(t, a.Ready(t.Context()))
	c.Session.Store = deadStore{}
	a, err = auth.New(c)
	require.NoError(t, err, "New asks nobody")
	require.ErrorIs(t, a.Ready(t.Context()), auth.ErrStore)
}

// deadStore is down.
type deadStore struct{ session.Store }

func (deadStore) Find(context.Context, string) ([]byte, bool, error) {
	return nil, false, errors.New("connection refused")
}
