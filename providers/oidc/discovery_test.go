package oidc_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

func TestMetadata(t *testing.T) { // DI-01, DI-07, DI-08, DI-10, DI-13, PK-02
	set := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { m[name] = value }
	}
	cases := []struct {
		name   string
		change func(map[string]any)
		ok     bool
	}{
		{"as it is", func(map[string]any) {}, true},
		{"issuer with more", func(m map[string]any) { m["issuer"] = m["issuer"].(string) + "INVALID" }, false},
		{"issuer with two slashes", func(m map[string]any) { m["issuer"] = m["issuer"].(string) + "//" }, false},
		{"issuer with a path", func(m map[string]any) { m["issuer"] = m["issuer"].(string) + "/a" }, false},
		{"issuer with a fragment", func(m map[string]any) { m["issuer"] = m["issuer"].(string) + "#" }, false},
		{"no issuer", func(m map[string]any) { delete(m, "issuer") }, false},
		{"no token endpoint", func(m map[string]any) { delete(m, "token_endpoint") }, false},
		{"no keys", func(m map[string]any) { delete(m, "jwks_uri") }, false},
		{"javascript", set("authorization_endpoint", "javascript:alert(1)"), false},
		{"data", set("authorization_endpoint", "data:text/html,x"), false},
		{"relative", set("token_endpoint", "/token"), false},
		{"fragment", set("authorization_endpoint", "https://x.example/#a"), false},
		{"user information", set("token_endpoint", "https://a:b@x.example/"), false},
		{"http elsewhere", set("userinfo_endpoint", "http://x.example/"), false},
		{"number", set("token_endpoint", 5), false},
		{"only none", set("id_token_signing_alg_values_supported", []string{"none", "HS256"}), false},
		{"none among others", set("id_token_signing_alg_values_supported", []string{"none", "RS256"}), true},
		{"no algorithms", func(m map[string]any) { delete(m, "id_token_signing_alg_values_supported") }, true},
		{"PKCE plain only", set("code_challenge_methods_supported", []string{"plain"}), true},
		{"no PKCE", func(m map[string]any) { delete(m, "code_challenge_methods_supported") }, true},
		{"post only", set("token_endpoint_auth_methods_supported", []string{"client_secret_post"}), true},
		{"pushed requests only, and nowhere to", set("require_pushed_authorization_requests", true), false},
		{"signed requests only", set("require_signed_request_object", true), false},
		{"pushed requests too", set("require_pushed_authorization_requests", false), true},
		{"client certificates only", set("token_endpoint_auth_methods_supported", []string{"tls_client_auth"}), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRelying(t, nil)
			r.idp.SetFaults(providertest.Faults{Metadata: c.change})
			_, err := r.signIn()
			require.Equal(t, c.ok, err == nil, "%v", err)
			if !c.ok {
				require.ErrorIs(t, err, auth.ErrMisconfigured)
				require.Zero(t, r.idp.Hits("authorize"))
			}
		})
	}
}

func TestAuthorizationEndpointKeepsItsQuery(t *testing.T) { // ST-20
	r := newRelying(t, nil)
	r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) {
		m["authorization_endpoint"] = m["authorization_endpoint"].(string) + "?tenant=x&state=evil"
	}})
	tx := r.transaction()
	raw, err := r.p.AuthCodeURL(context.Background(), tx)
	require.NoError(t, err)
	u, err := url.Parse(raw)
	require.NoError(t, err)
	require.Equal(t, []string{"x"}, u.Query()["tenant"])
	require.Equal(t, []string{tx.State}, u.Query()["state"])
}

func TestDiscoveryIsSharedAndRecovers(t *testing.T) { // DI-02 to DI-05
	r := newRelying(t, nil)
	var wait sync.WaitGroup
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := r.p.AuthCodeURL(cancelled, r.transaction())
	_ = err // may or may not have been quick enough
	for range 200 {
		wait.Go(func() {
			if _, err := r.p.AuthCodeURL(context.Background(), r.transaction()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	require.Equal(t, 1, r.idp.Hits("discovery"))

	down := newRelying(t, nil)
	down.idp.SetFaults(providertest.Faults{Endpoint: func(_ string, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(500); return true }})
	for range 50 {
		_, err = down.p.AuthCodeURL(context.Background(), down.transaction())
		require.ErrorIs(t, err, auth.ErrUnavailable)
	}
	require.Equal(t, 1, down.idp.Hits("discovery"), "I10: no hammering")
	down.idp.SetFaults(providertest.Faults{})
	down.advance(time.Minute)
	_, err = down.signIn()
	require.NoError(t, err)
	down.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
		if name == "discovery" || name == "keys" {
			w.WriteHeader(500)
		}
		return name == "discovery" || name == "keys"
	}})
	down.advance(23*time.Hour + 30*time.Minute)
	_, err = down.signIn()
	require.NoError(t, err, "DI-12, JW-04: what was good is kept")
}

// TestMetadataAge: it is fetched once a day, and serves a week longer while the issuer
// is down.
func TestMetadataAge(t *testing.T) { // DI-12
	r := newRelying(t, nil)
	down := false
	r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
		if down {
			w.WriteHeader(503)
		}
		return down
	}})
	for _, step := range []struct {
		advance time.Duration
		down    bool
		hits    int
		err     error
	}{
		{0, false, 1, nil},
		{24*time.Hour - 1, false, 1, nil},
		{1, false, 2, nil},
		{8*24*time.Hour - 1, true, 3, nil},
		{31 * time.Second, true, 4, auth.ErrUnavailable},
		{31 * time.Second, false, 5, nil},
	} {
		r.advance(step.advance)
		down = step.down
		_, err := r.p.AuthCodeURL(context.Background(), r.transaction())
		require.ErrorIs(t, err, step.err)
		require.Equal(t, step.hits, r.idp.Hits("discovery"))
	}
}

// TestDiscoveryErrors: which of them an operator can mend.
func TestDiscoveryErrors(t *testing.T) { // DI-01, DI-10, DI-11
	for name, test := range map[string]struct {
		status int
		body   string
		says   string
		class  error
	}{
		"not there":           {404, "", "there is no discovery document at http", auth.ErrMisconfigured},
		"gone":                {410, "", "answered with status 410", auth.ErrUnavailable},
		"created":             {201, "{}", "answered with status 201", auth.ErrUnavailable},
		"no JSON":             {200, "<html>", "is no JSON object", auth.ErrUnavailable},
		"of another issuer":   {200, `{"issuer":"https://evil.example"}`, `the issuer calls itself "https://evil.example"`, auth.ErrMisconfigured},
		"of nobody's":         {200, `{}`, `the issuer calls itself ""`, auth.ErrMisconfigured},
		"of a very long name": {200, `{"issuer":"` + strings.Repeat("~", 300) + `"}`, `"` + strings.Repeat("~", 200) + `"`, auth.ErrMisconfigured},
	} {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{Endpoint: func(_ string, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.body))
			return true
		}})
		_, err := r.p.AuthCodeURL(context.Background(), r.transaction())
		require.ErrorIs(t, err, test.class, name)
		require.ErrorContains(t, err, test.says, name)
	}
}

// serve is an identity provider with a path, whose issuer is named as it says.
func serve(t *testing.T, path string) *providertest.IdP {
	var idp *providertest.IdP
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { idp.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	idp = providertest.New(providertest.Config{Issuer: server.URL + path,
		Clients: []providertest.Client{{ID: "app", Secret: "s"}}, People: []providertest.Person{{Subject: "ada", Name: "Ada"}}})
	return idp
}

// TestIssuerAsPeoplePasteIt: what is mended, and what is not.
func TestIssuerAsPeoplePasteIt(t *testing.T) { // DI-01, DI-14, ID-09
	const document = "/.well-known/openid-configuration"
	for name, test := range map[string]struct {
		path, cut, add string // of the issuer; what is cut from it, and added to it, in the configuration
		err            error
	}{
		"as it is":                      {"/realms/main", "", "", nil},
		"a slash too many":              {"/realms/main", "", "/", nil},
		"a slash too few":               {"/realms/main/", "/", "", nil},
		"at the root, a slash too many": {"", "", "/", nil},
		"at the root, a slash too few":  {"/", "/", "", nil},
		"the document":                  {"/realms/main", "", document, nil},
		"the document, of a slash":      {"/realms/main/", "/", document, nil},
		"the document, and a slash":     {"/realms/main", "", document + "/", nil},
		"letters":                       {"/realms/Stra%C3%9Fe%201", "Stra%C3%9Fe%201", "Straße 1", nil},
		"letters, and a slash":          {"/realms/Stra%C3%9Fe", "Stra%C3%9Fe", "Straße/", nil},
		"letters, of the issuer":        {"/realms/Straße", "Straße", "Stra%C3%9Fe", nil},
		"another letter":                {"/realms/Stra%C3%9Fe", "Stra%C3%9Fe", "Strasse", auth.ErrMisconfigured},
		"an encoded slash":              {"/realms/main", "realms/main", "realms%2Fmain", auth.ErrMisconfigured},
		"two slashes":                   {"/realms/main", "", "//", auth.ErrMisconfigured},
		"another path":                  {"/realms/main", "main", "other", auth.ErrMisconfigured},
		"in capitals":                   {"/realms/main", "main", "MAIN", auth.ErrMisconfigured},
		"the document, of another path": {"/realms/main", "main", "other" + document, auth.ErrMisconfigured},
		"the document twice":            {"/realms/main", "", document + document, auth.ErrMisconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			idp := serve(t, test.path)
			issuer := strings.TrimSuffix(idp.Issuer(), test.cut) + test.add
			p, err := oidc.New(oidc.Config{Name: "idp", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret("s")})
			require.NoError(t, err)
			id, err := providertest.SignIn(p, nil)
			require.ErrorIs(t, err, test.err)
			if err == nil {
				require.Equal(t, idp.Issuer(), id.Issuer, "as the issuer spells it")
			}
		})
	}
	t.Run("scheme and host in capitals", func(t *testing.T) {
		var idp *providertest.IdP
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.Host, "localhost:") { // Keycloak would call itself so
				t.Errorf("asked as %q", r.Host)
			}
			idp.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		rest := strings.TrimPrefix(server.URL, "http://127.0.0.1") + "/realms/Main"
		idp = providertest.New(providertest.Config{Issuer: "http://localhost" + rest,
			Clients: []providertest.Client{{ID: "app", Secret: "s"}}, People: []providertest.Person{{Subject: "ada", Name: "Ada"}}})
		p, err := oidc.New(oidc.Config{Name: "idp", Issuer: "HTTP://LocalHost" + rest, ClientID: "app", ClientSecret: auth.NewSecret("s")})
		require.NoError(t, err)
		id, err := providertest.SignIn(p, nil)
		require.NoError(t, err)
		require.Equal(t, "http://localhost"+rest, id.Issuer)

		idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m["issuer"] = "http://LOCALHOST" + rest }, IDToken: func(m map[string]any) { m["iss"] = "http://LOCALHOST" + rest },
			Callback: func(v url.Values) { v.Set("iss", "http://LOCALHOST"+rest) }})
		p, err = oidc.New(oidc.Config{Name: "idp", Issuer: "http://localhost" + rest, ClientID: "app", ClientSecret: auth.NewSecret("s")})
		require.NoError(t, err)
		id, err = providertest.SignIn(p, nil)
		require.NoError(t, err)
		require.Equal(t, "http://LOCALHOST"+rest, id.Issuer, "as the issuer spells it")
	})
	for name, fault := range map[string]providertest.Faults{
		"an ID token of the other spelling": {IDToken: func(m map[string]any) { m["iss"] = m["iss"].(string) + "/" }},
		"a callback of the other spelling":  {Callback: func(v url.Values) { v.Set("iss", v.Get("iss")+"/") }},
		"metadata alone in capitals":        {Metadata: func(m map[string]any) { m["issuer"] = "HTTP" + strings.TrimPrefix(m["issuer"].(string), "http") }},
		"an ID token in capitals":           {IDToken: func(m map[string]any) { m["iss"] = "HTTP" + strings.TrimPrefix(m["iss"].(string), "http") }},
		"a callback in capitals":            {Callback: func(v url.Values) { v.Set("iss", "HTTP"+strings.TrimPrefix(v.Get("iss"), "http")) }},
	} {
		t.Run(name, func(t *testing.T) {
			idp := serve(t, "/realms/main")
			idp.SetFaults(fault)
			p, err := oidc.New(oidc.Config{Name: "idp", Issuer: idp.Issuer() + "/", ClientID: "app", ClientSecret: auth.NewSecret("s")})
			require.NoError(t, err)
			_, err = providertest.SignIn(p, nil)
			require.ErrorIs(t, err, auth.ErrInvalidResponse)
		})
	}
}

// TestTemplateIsNotMended: an issuer of many tenants is its template, and not its address.
func TestTemplateIsNotMended(t *testing.T) { // DI-01, EN-01
	r := newRelying(t, func(c *oidc.Config) { c.IssuerTemplate = "https://login.example/{tenantid}/v2.0" })
	for _, slash := range []string{"", "/"} {
		r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m["issuer"] = r.idp.Issuer() + slash }})
		_, err := r.p.AuthCodeURL(context.Background(), r.transaction())
		require.ErrorIs(t, err, auth.ErrMisconfigured)
		r.advance(time.Minute)
	}
}

func TestIssuerWithoutScheme(t *testing.T) { // DI-14, LG-06
	for issuer, want := range map[string]string{
		"id.example.com":           `want an absolute https address: "https://id.example.com", not "id.example.com"`,
		"id.example.com/realms/a/": `: "https://id.example.com/realms/a/", not "id.example.com/realms/a/"`,
		"id.example.com:8443/a":    `: "https://id.example.com:8443/a", not`,
		"//id.example.com":         `: "https://id.example.com", not "//id.example.com"`,
		"localhost:8080/realms/a":  `: "http://localhost:8080/realms/a", not`,
		"127.0.0.1:8080":           `: "http://127.0.0.1:8080", not`,
		"id.example.com/a" + "/.well-known/openid-configuration": `: "https://id.example.com/a", not`,
	} {
		_, err := oidc.New(oidc.Config{Name: "idp", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret("s")})
		require.ErrorContains(t, err, want)
	}
	for _, issuer := range []string{"", "/", "user:password@id.example.com"} {
		_, err := oidc.New(oidc.Config{Name: "idp", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret("s")})
		require.ErrorContains(t, err, "absolute https address")
		require.NotContains(t, err.Error(), "password")
	}
}

// TestNonceThatIsLeftOut: refused, with the way on.
func TestNonceThatIsLeftOut(t *testing.T) { // NO-02
	for what, change := range map[string]func(map[string]any){
		"missing": func(m map[string]any) { delete(m, "nonce") },
		"null":    func(m map[string]any) { m["nonce"] = nil },
		"another": func(m map[string]any) { m["nonce"] = "another" },
	} {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{IDToken: change})
		_, err := r.signIn()
		require.ErrorIs(t, err, auth.ErrInvalidResponse, what)
		require.Equal(t, what != "another", strings.Contains(err.Error(), "LinkedIn"), "%v", err)
	}
}
