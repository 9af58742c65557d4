package oidc_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// TestRPInitiatedLogout has the modules of the OpenID Foundation's plan
// oidcc-client-rp-initiated-logout-rp-basic, by their names.
func TestRPInitiatedLogout(t *testing.T) { // RP-01, RP-03
	for module, changed := range map[string]func(url.Values){
		"oidcc-client-test-rp-init-logout":             nil,
		"oidcc-client-test-rp-init-logout-other-state": func(q url.Values) { q.Set("state", q.Get("state")+"_INVALID") },
		"oidcc-client-test-rp-init-logout-no-state":    func(q url.Values) { q.Del("state") },
	} {
		t.Run(module, func(t *testing.T) {
			site, idp := newLogoutSite(t)
			idp.SetFaults(providertest.Faults{SignedOut: changed})
			require.Equal(t, site.URL+"/report", site.signIn())
			to := site.signOut("/bye")
			ended := idp.SignOuts()
			require.Len(t, ended, 1)
			require.NotEmpty(t, ended[0].Get("id_token_hint"), "which the provider has verified")
			require.Equal(t, site.URL+"/api/auth/signout/idp", ended[0].Get("post_logout_redirect_uri"))
			require.NotEmpty(t, ended[0].Get("state"), "or the other modules have nothing to look at")
			want := site.URL + "/bye"
			if changed != nil {
				want = site.URL + "/api/auth/signout"
			}
			require.Equal(t, want, to)
			require.Equal(t, "null", site.get("/api/auth/session"))
		})
	}
}

// TestTokensAreRevokedAtTheIssuer: what was kept, when its session has ended.
func TestTokensAreRevokedAtTheIssuer(t *testing.T) { // RF-07
	site, idp := newLogoutSite(t)
	revoked := make(chan url.Values, 1)
	idp.SetFaults(providertest.Faults{Endpoint: func(name string, _ http.ResponseWriter, r *http.Request) bool {
		if name == "revocation" {
			_ = r.ParseForm()
			revoked <- r.PostForm
		}
		return false
	}})
	site.signIn()
	site.signOut("/bye")
	require.Equal(t, "access_token", (<-revoked).Get("token_type_hint"))
}

// logoutSite is a site with one issuer, and a browser that follows redirects.
type logoutSite struct {
	*httptest.Server
	t      *testing.T
	client *http.Client
}

func newLogoutSite(t *testing.T) (*logoutSite, *providertest.Server) {
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: clientSecret, PostLogoutRedirectURIs: []string{server.URL + "/api/auth/signout/idp"}}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada"}},
	})
	t.Cleanup(idp.Close)
	p, err := oidc.New(oidc.Config{Name: "idp", Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret(clientSecret)})
	require.NoError(t, err)
	a, err := auth.New(auth.Config{
		Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: server.URL, Providers: []auth.Provider{p},
		SignOutAtProvider: true, KeepTokens: true, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	handler = a.Identify(http.NotFoundHandler())
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &logoutSite{server, t, &http.Client{Jar: jar}}, idp
}

func (s *logoutSite) get(path string) string {
	resp, err := s.client.Get(s.URL + path)
	require.NoError(s.t, err)
	return read(s.t, resp)
}

var csrfToken = regexp.MustCompile(`"csrfToken":"([0-9a-f]+)"`)

// post sends a form of the site, and returns where that leads in the end.
func (s *logoutSite) post(path, wanted string) string {
	form := url.Values{"csrfToken": {csrfToken.FindStringSubmatch(s.get("/api/auth/csrf"))[1]}, "callbackUrl": {wanted}}
	resp, err := s.client.PostForm(s.URL+path, form)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	return resp.Request.URL.String()
}

func (s *logoutSite) signIn() string { return s.post("/api/auth/signin/idp", "/report") }

func (s *logoutSite) signOut(wanted string) string { return s.post("/api/auth/signout", wanted) }

func read(t *testing.T, resp *http.Response) string {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body)
}
