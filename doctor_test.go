package auth_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oauth2"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

const doctorsSecret = "wrong-4711"

// patient is a site with one provider, which the doctor looks at.
type patient struct {
	idp  *providertest.Server
	site *httptest.Server
	a    *auth.Authenticator
}

func newPatient(t *testing.T, idp providertest.Config, provider func(*oidc.Config), config func(*auth.Config)) *patient {
	p := &patient{}
	var mu sync.Mutex
	p.site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		a := p.a
		mu.Unlock()
		a.ServeHTTP(w, r)
	}))
	t.Cleanup(p.site.Close)
	if idp.Clients == nil {
		idp.Clients = []providertest.Client{{ID: "app", Secret: "right"}}
	}
	p.idp = providertest.NewServer(idp)
	t.Cleanup(p.idp.Close)
	pc := oidc.Config{Name: "idp", Issuer: p.idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("right")}
	if provider != nil {
		provider(&pc)
	}
	op, err := oidc.New(pc)
	require.NoError(t, err)
	c := newConfig(op)
	c.URL = p.site.URL
	if config != nil {
		config(&c)
	}
	mu.Lock()
	defer mu.Unlock()
	p.a, err = auth.New(c)
	require.NoError(t, err)
	return p
}

func TestDoctorFindsNothing(t *testing.T) {
	p := newPatient(t, providertest.Config{}, nil, func(c *auth.Config) { c.Session.Store = session.NewMemoryStore(0, nil) })
	report := p.a.Doctor(context.Background())
	require.NoError(t, report.Err(), report.String())
	require.Equal(t, strings.ReplaceAll(`ok     site: it answers at SITE/api/auth
ok     sessions: they are kept in a store (*session.MemoryStore)
ok     provider idp: its metadata is in order; client_secret_basic, ID tokens signed by ["RS256"]
ok     provider idp: its sign-in page takes the request
ok     provider idp: it knows the client
`, "SITE", p.site.URL), report.String())
	for _, f := range report {
		require.Empty(t, f.Cure)
	}
}

func TestDoctorFinds(t *testing.T) {
	down := httptest.NewServer(http.NotFoundHandler())
	defer down.Close()
	for name, test := range map[string]struct {
		idp      providertest.Config
		faults   providertest.Faults
		provider func(*oidc.Config)
		config   func(*auth.Config)
		grade    auth.Grade
		about    string
		want     string // in the text or the cure
	}{
		"a wrong secret":   {provider: func(c *oidc.Config) { c.ClientSecret = auth.NewSecret(doctorsSecret) }, grade: auth.GradeFaulty, about: "provider idp", want: "refuses the client"},
		"a wrong client":   {provider: func(c *oidc.Config) { c.ClientID = "other" }, grade: auth.GradeFaulty, about: "provider idp", want: "register the callback there"},
		"a wrong callback": {idp: providertest.Config{Clients: []providertest.Client{{ID: "app", Secret: "right", RedirectURIs: []string{"https://old.example/cb"}}}}, grade: auth.GradeFaulty, about: "provider idp", want: "/api/auth/callback/idp"},
		"a wrong issuer":   {provider: func(c *oidc.Config) { c.Issuer += "/realms/x" }, grade: auth.GradeFaulty, about: "provider idp", want: "there is no discovery document"},
		"no keys": {faults: providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "keys" {
				providertest.WriteJSON(w, 200, map[string]any{"keys": []any{}})
			}
			return name == "keys"
		}}, grade: auth.GradeFaulty, about: "provider idp", want: "no key that may sign"},
		"keys that are down": {faults: providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "keys" {
				http.Error(w, "x", 500)
			}
			return name == "keys"
		}}, grade: auth.GradeFaulty, about: "provider idp", want: "jwks_uri"},
		"a clock that is slow": {provider: func(c *oidc.Config) { c.Now = func() time.Time { return time.Now().Add(-5 * time.Minute) } }, grade: auth.GradeFaulty, about: "provider idp", want: "apart"},
		"a code that counts": {faults: providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "token" {
				providertest.WriteJSON(w, 200, map[string]any{"access_token": "x", "token_type": "Bearer"})
			}
			return name == "token"
		}}, grade: auth.GradeFaulty, about: "provider idp", want: "made up"},
		"a token endpoint that is down": {faults: providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "token" {
				http.Error(w, "x", http.StatusServiceUnavailable)
			}
			return name == "token"
		}}, grade: auth.GradeDoubtful, about: "provider idp", want: "cannot be told"},
		"a sign-in page that is down": {faults: providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "authorize" {
				http.Error(w, "x", http.StatusServiceUnavailable)
			}
			return name == "authorize"
		}}, grade: auth.GradeDoubtful, about: "provider idp", want: "status 503"},
		"no address":                {config: func(c *auth.Config) { c.URL = "" }, grade: auth.GradeDoubtful, about: "site", want: "taken from each request"},
		"hosts":                     {config: func(c *auth.Config) { c.URL, c.AllowedHosts = "", []string{"app.example"} }, grade: auth.GradeFine, about: "site", want: "hosts that are allowed"},
		"http":                      {config: func(c *auth.Config) { c.URL = "http://app.example" }, grade: auth.GradeDoubtful, about: "site", want: "by http"},
		"nobody there":              {config: func(c *auth.Config) { c.URL = down.URL }, grade: auth.GradeDoubtful, about: "site", want: "nobody answers as this server would"},
		"a store that is down":      {config: func(c *auth.Config) { c.Session.Store = readOnlyStore{session.NewMemoryStore(0, nil)} }, grade: auth.GradeFaulty, about: "sessions", want: "read-only replica"},
		"a store that forgets":      {config: func(c *auth.Config) { c.Session.Store = forgetful{session.NewMemoryStore(0, nil)} }, grade: auth.GradeFaulty, about: "sessions", want: "reads go to another server"},
		"a provider that is silent": {config: func(c *auth.Config) { c.Providers = append(c.Providers, &stubProvider{name: "stub"}) }, grade: auth.GradeDoubtful, about: "provider stub", want: "cannot be asked"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, test.idp, test.provider, test.config)
			p.idp.SetFaults(test.faults)
			report := p.a.Doctor(context.Background())
			var found bool
			for _, f := range report {
				found = found || f.About == test.about && f.Grade == test.grade && strings.Contains(f.Text+f.Cure, test.want)
				require.True(t, f.Grade == auth.GradeFine || f.Cure != "", "%+v", f)
			}
			require.True(t, found, report.String())
			require.Equal(t, test.grade == auth.GradeFaulty, report.Err() != nil, report.String())
			require.NotContains(t, report.String(), doctorsSecret)
		})
	}
}

type readOnlyStore struct{ session.Store }

func (readOnlyStore) Commit(context.Context, string, []byte, time.Time) error {
	return errors.New("read-only replica")
}

type forgetful struct{ session.Store }

func (forgetful) Commit(context.Context, string, []byte, time.Time) error { return nil }

// TestDoctorLooksAtTheProxy: what is in front may be another server's, or pass too little.
func TestDoctorLooksAtTheProxy(t *testing.T) {
	for want, change := range map[string]func(http.Handler) http.Handler{
		"as the callback of idp": func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				providertest.WriteJSON(w, 200, map[string]any{"idp": map[string]any{"callbackUrl": "https://other.example/cb"}})
			})
		},
		"raise the proxy's limit": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if len(r.Header.Get("Cookie")) > 2000 {
					http.Error(w, "Request Header Or Cookie Too Large", 400)
					return
				}
				next.ServeHTTP(w, r)
			})
		},
	} {
		p := newPatient(t, providertest.Config{}, nil, nil)
		var next http.Handler = p.a
		p.site.Config.Handler = change(next)
		report := p.a.Doctor(context.Background())
		require.ErrorContains(t, report.Err(), "auth: site: ", report.String())
		require.Contains(t, report.String(), want)
	}
}

func TestDoctorOfOAuth2(t *testing.T) {
	idp := providertest.NewServer(providertest.Config{Clients: []providertest.Client{{ID: "app", Secret: "right"}}})
	defer idp.Close()
	for secret, want := range map[string]string{"right": "it knows the client", doctorsSecret: "refuses the client"} {
		p, err := oauth2.New(oauth2.Config{
			Name: "gh", ClientID: "app", ClientSecret: auth.NewSecret(secret), AuthURL: idp.Issuer() + "/login/oauth/authorize", TokenURL: idp.Issuer() + "/login/oauth/access_token",
			Issuer: idp.Issuer() + "/login/oauth", Identify: func(context.Context, *oauth2.API) (*auth.Identity, error) { return nil, nil },
		})
		require.NoError(t, err)
		c := newConfig(p)
		c.URL = ""
		a, err := auth.New(c)
		require.NoError(t, err)
		report := a.Doctor(context.Background()).String()
		require.Contains(t, report, want)
		require.Contains(t, report, "its sign-in page takes the request")
		require.NotContains(t, report, doctorsSecret)
	}
}

func TestReportIsForATerminal(t *testing.T) {
	r := auth.Report{{About: "provider x", Grade: auth.GradeFaulty, Text: "it says \x1b[2J\u202e", Cure: "a\nb"}}
	require.Equal(t, "FAULT  provider x: it says  [2J \n       -> a b\n", r.String())
}

// TestStartSaysWhatThereIs: what an operator looks for in the log of a start.
func TestStartSaysWhatThereIs(t *testing.T) {
	var log bytes.Buffer
	c := newConfig(&stubProvider{name: "one"}, &stubProvider{name: "two"})
	c.Logger, c.AccessCode, c.URL, c.TrustedProxies = slog.New(slog.NewTextHandler(&log, nil)), stubVerifier{}, "https://app.example/x/api/auth", []string{"10.0.0.0/8"}
	_, err := auth.New(c)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(log.String(), "\n"))
	for _, want := range []string{
		"people sign in by one, two, access-code", "https://app.example/x/api/auth/callback/one https://app.example/x/api/auth/callback/two", "sessions=cookies", "trusted_proxies=10.0.0.0/8", "user_ids=provider|subject",
	} {
		require.Contains(t, log.String(), want)
	}
	log.Reset()
	c.URL, c.TrustedProxies, c.Providers, c.AccessCode, c.Session.Store = "", nil, c.Providers[:1], nil, session.NewMemoryStore(0, nil)
	_, err = auth.New(c)
	require.NoError(t, err)
	for _, want := range []string{"<address of the site>/api/auth/callback/one", "*session.MemoryStore", "loopback and private", "user_ids=subjects"} {
		require.Contains(t, log.String(), want)
	}
}
