package github_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/github"
	"github.com/sallyport/auth/providers/providertest"
)

// api answers GitHub's API paths with what a test says: status, Link header, JSON.
type api map[string]func(w http.ResponseWriter, r *http.Request)

func says(status int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func signIn(t *testing.T, c github.Config, a api) (*auth.Identity, error) {
	t.Helper()
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
		People:  []providertest.Person{{Subject: "ada", Username: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true}},
	})
	t.Cleanup(idp.Close)
	idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(name, "/user") { // GH-05
			require.Equal(t, "application/json", r.Header.Get("Accept"))
			require.NotEmpty(t, r.Header.Get("User-Agent"))
			require.False(t, r.URL.Query().Has("access_token"))
		}
		answer, ok := a[name]
		if ok {
			answer(w, r)
		}
		return ok
	}})
	c.BaseURL, c.ClientID, c.ClientSecret = idp.Issuer(), "app", auth.NewSecret("app-secret")
	p, err := github.New(c)
	require.NoError(t, err)
	return providertest.SignIn(p, nil)
}

func TestEmail(t *testing.T) { // GH-01
	var many strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&many, `{"email":"a%d@example.com","primary":false,"verified":true},`, i)
	}
	for name, test := range map[string]struct {
		status     int
		body, want string
		fails      error
	}{
		"primary and verified":     {200, `[{"email":"b@example.com","verified":true},{"email":"a@example.com","primary":true,"verified":true,"visibility":null}]`, "a@example.com", nil},
		"primary is unverified":    {200, `[{"email":"b@example.com","verified":true},{"email":"a@example.com","primary":true,"verified":false}]`, "", nil},
		"none is verified":         {200, `[{"email":"a@example.com","primary":true}]`, "", nil},
		"no address at all":        {200, `[]`, "", nil},
		"ten thousand":             {200, `[` + many.String() + `{"email":"a@example.com","primary":true,"verified":true}]`, "a@example.com", nil},
		"not permitted":            {403, `{"message":"Resource not accessible by integration"}`, "", nil},
		"not found":                {404, `{"message":"Not Found"}`, "", nil},
		"verified is text":         {200, `[{"email":"a@example.com","primary":true,"verified":"true"}]`, "", auth.ErrInvalidResponse},
		"something else than JSON": {200, `<html>`, "", auth.ErrInvalidResponse},
		"the token is refused":     {401, `{"message":"Bad credentials"}`, "", auth.ErrInvalidResponse},
		"too many requests":        {429, `{}`, "", auth.ErrUnavailable},
		"down":                     {502, ``, "", auth.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := signIn(t, github.Config{}, api{"/user/emails": says(test.status, test.body)})
			if test.fails != nil {
				require.ErrorIs(t, err, test.fails)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, id.Email)
			require.Equal(t, test.want != "", id.EmailVerified)
		})
	}
	limited := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.WriteHeader(403)
	}
	_, err := signIn(t, github.Config{}, api{"/user/emails": limited})
	require.ErrorIs(t, err, auth.ErrUnavailable, "GH-05: a rate limit is not the absence of an address")
}

func TestSubjectIsTheNumber(t *testing.T) { // GH-02
	for body, want := range map[string]string{
		`{"id":9007199254740993,"login":"ada"}`:     "9007199254740993",
		`{"id":1,"login":"ada","name":null}`:        "1",
		`{"id":"1","login":"ada"}`:                  "",
		`{"id":1.5,"login":"ada"}`:                  "",
		`{"id":0,"login":"ada"}`:                    "",
		`{"id":-1,"login":"ada"}`:                   "",
		`{"login":"ada"}`:                           "",
		`{"id":1,"id":2,"login":"ada"}`:             "",
		`{"id":92233720368547758079,"login":"ada"}`: "",
		`[{"id":1}]`:                                "",
	} {
		id, err := signIn(t, github.Config{}, api{"/user": says(200, body)})
		if want == "" {
			require.ErrorIs(t, err, auth.ErrInvalidResponse, body)
			continue
		}
		require.NoError(t, err, body)
		require.Equal(t, want, id.Subject)
		require.Equal(t, "ada", id.Name, "the login stands in for a name")
	}
}

func TestMembers(t *testing.T) { // GH-04
	pages := func(found int, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			page := 1
			_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
			if page == found {
				says(200, body)(w, r)
				return
			}
			w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?per_page=100&page=1>; rel="first", <http://%s%s?per_page=100&page=%d>; rel="next"`, r.Host, r.URL.Path, r.Host, r.URL.Path, page+1))
			says(200, `[{"login":"elsewhere"}]`)(w, r)
		}
	}
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", `<https://evil.example/user/orgs?page=2>; rel="next"`)
		says(200, `[]`)(w, r)
	}
	org := github.Config{Organizations: []string{"Acme"}}
	team := github.Config{Teams: []string{"acme/core"}}
	both := github.Config{Organizations: []string{"other"}, Teams: []string{"acme/core"}}
	for name, test := range map[string]struct {
		config github.Config
		api    api
		want   error
	}{
		"a member, spelt otherwise":      {org, api{"/user/orgs": says(200, `[{"login":"aCME"}]`)}, nil},
		"a name that only begins so":     {org, api{"/user/orgs": says(200, `[{"login":"acme-evil"}]`)}, auth.ErrNotAllowed},
		"of no organization":             {org, api{}, auth.ErrNotAllowed},
		"on the second page":             {org, api{"/user/orgs": pages(2, `[{"login":"acme"}]`)}, nil},
		"on a page too far":              {org, api{"/user/orgs": pages(11, `[{"login":"acme"}]`)}, auth.ErrNotAllowed},
		"the next page is elsewhere":     {org, api{"/user/orgs": elsewhere}, auth.ErrNotAllowed},
		"single sign-on is missing":      {org, api{"/user/orgs": says(403, `{}`)}, auth.ErrNotAllowed},
		"organizations cannot be read":   {org, api{"/user/orgs": says(500, ``)}, auth.ErrUnavailable},
		"organizations are no list":      {org, api{"/user/orgs": says(200, `{"login":"acme"}`)}, auth.ErrNotAllowed},
		"in the team":                    {team, api{"/user/teams": says(200, `[{"slug":"core","organization":{"login":"acme"}}]`)}, nil},
		"in another organization's team": {team, api{"/user/teams": says(200, `[{"slug":"core","organization":{"login":"evil"}}]`)}, auth.ErrNotAllowed},
		"one rule is enough":             {both, api{"/user/orgs": says(200, `[{"login":"other"}]`), "/user/teams": says(200, `[]`)}, nil},
		"one rule cannot be read":        {both, api{"/user/orgs": says(403, `{}`), "/user/teams": says(200, `[{"slug":"core","organization":{"login":"acme"}}]`)}, auth.ErrNotAllowed},
		"teams are not asked for":        {org, api{"/user/teams": func(http.ResponseWriter, *http.Request) { t.Error("nobody wants to know") }}, auth.ErrNotAllowed},
		"either rule admits":             {both, api{"/user/teams": says(200, `[{"slug":"core","organization":{"login":"acme"}}]`)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := signIn(t, test.config, test.api)
			if test.want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, test.want)
			if test.want == auth.ErrUnavailable {
				require.NotErrorIs(t, err, auth.ErrNotAllowed, "it may be otherwise later")
			}
		})
	}
	for body, want := range map[string]string{`[]`: "a member of none", `{}`: "membership cannot be read"} {
		_, err := signIn(t, org, api{"/user/orgs": says(200, body)})
		require.ErrorContains(t, err, want, "for the operator")
	}
}

func TestUserCannotBeRead(t *testing.T) { // GH-05, UI-04
	for status, want := range map[int]error{503: auth.ErrUnavailable, 429: auth.ErrUnavailable, 401: auth.ErrInvalidResponse} {
		_, err := signIn(t, github.Config{}, api{"/user": says(status, `{}`)})
		require.ErrorIs(t, err, want)
		require.ErrorContains(t, err, fmt.Sprintf("/user answered status %d", status))
	}
}

// anywhere answers for every host, and keeps what it was asked.
type anywhere struct{ asked []string }

func (a *anywhere) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked = append(a.asked, r.URL.Scheme+"://"+r.URL.Host+r.URL.Path)
	answer := httptest.NewRecorder()
	answer.WriteString(`{"access_token":"at","token_type":"bearer"}`)
	return answer.Result(), nil
}

// TestAddresses: github.com and what is at ghe.com have their API at a host of its own,
// a server below its own address, whatever it is called.
func TestAddresses(t *testing.T) { // GH-06
	for base, api := range map[string]string{
		"": "https://api.github.com/user", "https://github.com": "https://api.github.com/user", "https://github.com/": "https://api.github.com/user",
		"https://ghe.example/":           "https://ghe.example/api/v3/user",
		"https://octo-corp.ghe.com":      "https://api.octo-corp.ghe.com/user",
		"https://octo-corp.ghe.com/":     "https://api.octo-corp.ghe.com/user",
		"https://OCTO.ghe.com":           "https://api.OCTO.ghe.com/user",
		"https://ghe.com":                "https://ghe.com/api/v3/user",
		"https://octo.notghe.com":        "https://octo.notghe.com/api/v3/user",
		"https://octo-ghe.com":           "https://octo-ghe.com/api/v3/user",
		"https://octo.ghe.com.example":   "https://octo.ghe.com.example/api/v3/user",
		"https://octo.ghe.com:8443":      "https://octo.ghe.com:8443/api/v3/user",
		"https://octo.ghe.com/below":     "https://octo.ghe.com/below/api/v3/user",
		"https://git.octo.ghe.com":       "https://git.octo.ghe.com/api/v3/user",
		"https://code.example/a.ghe.com": "https://code.example/a.ghe.com/api/v3/user",
	} {
		own := strings.TrimRight(cmp.Or(base, "https://github.com"), "/")
		var network anywhere
		p, err := github.New(github.Config{BaseURL: base, ClientID: "app", ClientSecret: auth.NewSecret("s"), HTTPClient: &http.Client{Transport: &network}})
		require.NoError(t, err)
		_, err = p.Exchange(context.Background(), auth.Transaction{Verifier: "v"}, url.Values{"code": {"x"}, "iss": {own + "/login/oauth"}})
		require.ErrorContains(t, err, "/user has no id")
		require.Equal(t, []string{own + "/login/oauth/access_token", api}, network.asked)
	}
}

// residency is GitHub with data residency: a host for browsers and codes, another one
// for the API.
type residency struct{ *providertest.IdP }

func (s residency) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	inside := r.Clone(r.Context())
	switch r.URL.Host {
	case "octo-corp.ghe.com":
	case "api.octo-corp.ghe.com":
		inside.URL.Path = "/api/v3" + r.URL.Path
	default:
		return nil, fmt.Errorf("nothing is at %s", r.URL.Host)
	}
	if strings.HasPrefix(r.URL.Path, "/api/") {
		http.NotFound(w, r)
	} else {
		s.ServeHTTP(w, inside)
	}
	return w.Result(), nil
}

// TestDataResidency: a whole sign-in, by the environment, with the issuer that the
// callback has to name.
func TestDataResidency(t *testing.T) { // GH-06, MX-01
	idp := providertest.New(providertest.Config{
		Issuer:  "https://octo-corp.ghe.com",
		Clients: []providertest.Client{{ID: "app", Secret: "app-secret"}},
		People:  []providertest.Person{{Subject: "ada", Username: "ada_octo", Name: "Ada", Email: "ada@corp.example", EmailVerified: true}},
	})
	p, err := github.FromEnv(func(name string) string {
		return map[string]string{"GITHUB_CLIENT_ID": "app", "GITHUB_CLIENT_SECRET": "app-secret", "AUTH_GITHUB_BASE_URL": "https://octo-corp.ghe.com"}[name]
	}, "github", &http.Client{Transport: residency{idp}})
	require.NoError(t, err)
	for issuer, want := range map[string]error{
		"https://octo-corp.ghe.com/login/oauth": nil, "https://github.com/login/oauth": auth.ErrInvalidResponse, "https://api.octo-corp.ghe.com/login/oauth": auth.ErrInvalidResponse,
	} {
		tx := auth.Transaction{Provider: "github", State: "s", Verifier: strings.Repeat("v", 43), RedirectURI: "https://app.example/cb"}
		address, err := p.AuthCodeURL(context.Background(), tx)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(address, "https://octo-corp.ghe.com/login/oauth/authorize?"), address)
		w := httptest.NewRecorder()
		idp.ServeHTTP(w, httptest.NewRequest("GET", address, nil))
		back, err := w.Result().Location()
		require.NoError(t, err)
		response := back.Query()
		response.Set("iss", issuer)
		id, err := p.Exchange(context.Background(), tx, response)
		require.ErrorIs(t, err, want, issuer)
		if err == nil {
			require.Equal(t, "1 ada_octo ada@corp.example https://octo-corp.ghe.com/login/oauth", id.Subject+" "+id.Username+" "+id.Email+" "+id.Issuer)
		}
	}
}

func TestFromEnvMissing(t *testing.T) { // LG-06
	_, err := github.FromEnv(func(name string) string {
		return map[string]string{"AUTH_GITHUB_BASE_URL": "https://ghe.example "}[name]
	}, "github", nil)
	require.EqualError(t, err, "auth: GITHUB_CLIENT_ID is not set: GitHub shows it under Settings, Developer settings, on the app's page\n"+
		"auth: GITHUB_CLIENT_SECRET is not set: GitHub makes it on the app's page under Client secrets\n"+
		"auth: AUTH_GITHUB_BASE_URL begins or ends with white space: remove it; a value from a file often ends with a newline")
	p, err := github.FromEnv(func(name string) string {
		return map[string]string{"GITHUB_CLIENT_ID": "app", "AUTH_GITHUB_SECRET": "s"}[name]
	}, "github", nil)
	require.NoError(t, err)
	require.True(t, p.(auth.OpenDoor).AnyoneMayEnter())
}

func TestConfig(t *testing.T) {
	for name, c := range map[string]github.Config{
		"no organization":    {Organizations: []string{}},
		"no team":            {Teams: []string{}},
		"a team without org": {Teams: []string{"core"}},
		"a team of no name":  {Teams: []string{"acme/"}},
		"a team of no org":   {Teams: []string{"/core"}},
		"a team of a team":   {Teams: []string{"acme/core/sub"}},
		"plain http":         {BaseURL: "http://github.example"},
	} {
		c.ClientID, c.ClientSecret = "app", auth.NewSecret("s")
		_, err := github.New(c)
		require.Error(t, err, name)
	}
	for _, c := range []github.Config{{Organizations: []string{"acme"}}, {Teams: []string{"acme/core"}}, {}} {
		c.ClientID, c.ClientSecret = "app", auth.NewSecret("s")
		p, err := github.New(c)
		require.NoError(t, err)
		address, err := p.AuthCodeURL(context.Background(), auth.Transaction{State: "s", Verifier: "v"})
		require.NoError(t, err)
		restricted := c.Organizations != nil || c.Teams != nil
		require.Equal(t, restricted, strings.Contains(address, "read%3Aorg"), "membership of private organizations shows only with this scope")
		require.Equal(t, !restricted, p.(auth.OpenDoor).AnyoneMayEnter())
	}
}
