package e2e_test

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// person is somebody with a cookie jar who follows redirects.
type person struct {
	t      *testing.T
	client *http.Client
}

func newPerson(t *testing.T) *person {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &person{t, &http.Client{Jar: jar, Transport: trusting.Transport}}
}

type page struct {
	t    *testing.T
	at   *url.URL
	code int
	text string
}

func (p *person) send(method, address string, form url.Values) page {
	p.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, address, body)
	require.NoError(p.t, err)
	req.Header.Set("Accept", "text/html")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return p.do(req)
}

func (p *person) do(req *http.Request) page {
	resp, err := p.client.Do(req)
	require.NoError(p.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	return page{p.t, resp.Request.URL, resp.StatusCode, string(text)}
}

var (
	formPattern  = regexp.MustCompile(`(?s)<form[^>]*>.*?</form>`)
	attribute    = regexp.MustCompile(`([a-zA-Z-]+)="([^"]*)"`)
	inputPattern = regexp.MustCompile(`<input[^>]*>`)
)

func attributes(tag string) map[string]string {
	m := map[string]string{}
	for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
		m[strings.ToLower(a[1])] = html.UnescapeString(a[2])
	}
	return m
}

// form finds the first form that contains part: its address and its hidden
// fields.
func (g page) form(part string) (string, url.Values) {
	g.t.Helper()
	for _, f := range formPattern.FindAllString(g.text, -1) {
		if !strings.Contains(f, part) {
			continue
		}
		values := url.Values{}
		for _, input := range inputPattern.FindAllString(f, -1) {
			if a := attributes(input); a["name"] != "" {
				values.Set(a["name"], a["value"])
			}
		}
		to, err := g.at.Parse(attributes(f[:strings.IndexByte(f, '>')])["action"])
		require.NoError(g.t, err)
		return to.String(), values
	}
	require.Failf(g.t, "no such form", "%q in %s", part, g.text)
	return "", nil
}

// signIn goes from a protected page to the identity provider.
func (p *person) signIn(provider, hint string) page {
	p.t.Helper()
	choose := p.send("GET", app+"/report?year=2026", nil)
	require.Equal(p.t, "/api/auth/signin", choose.at.Path)
	to, fields := choose.form("/signin/" + provider + `"`)
	if hint != "" {
		to += "?login_hint=" + hint
	}
	return p.send("POST", to, fields)
}

// arrived checks that the person is back on the page, as whom.
func (p *person) arrived(g page, provider, name, email string) {
	p.t.Helper()
	require.Equal(p.t, 200, g.code, g.text)
	require.Equal(p.t, app+"/report?year=2026", g.at.String(), g.text)
	require.Contains(p.t, g.text, `<p id="who">`+provider+" ")
	var s struct {
		User struct{ ID, Name, Email string }
	}
	require.NoError(p.t, json.Unmarshal([]byte(p.send("GET", app+"/api/auth/session", nil).text), &s))
	require.NotEmpty(p.t, s.User.ID)
	require.Equal(p.t, name, s.User.Name)
	require.Equal(p.t, email, s.User.Email)
}

func (p *person) signOut() {
	to, fields := p.send("GET", app+"/api/auth/signout", nil).form("/signout")
	g := p.send("POST", to, fields)
	require.Equal(p.t, "/api/auth/signout", g.at.Path)
	require.Contains(p.t, g.text, "You are signed out")
}

func TestAuthentik(t *testing.T) {
	p := newPerson(t)
	p.arrived(p.signIn("authentik", "ada"), "authentik", "Ada Lovelace", "ada@example.com")
	p.signOut()
	g := newPerson(t).signIn("authentik", "deny")
	require.Equal(t, 403, g.code)
	require.Contains(t, g.text, "You did not sign in")
}

func TestGenericOIDC(t *testing.T) { // Dex: an issuer with a path
	p := newPerson(t)
	p.arrived(p.signIn("generic-oidc", ""), "generic-oidc", "Kilgore Trout", "kilgore@kilgore.trout")
}

func TestZitadel(t *testing.T) {
	p := newPerson(t)
	login := p.signIn("zitadel", "")
	to, fields := login.form("username")
	if fields.Get("id") == "" {
		fields.Set("id", login.at.Query().Get("authRequestID"))
	}
	fields.Set("username", "test-user@localhost")
	fields.Set("password", "verysecure")
	p.arrived(p.send("POST", to, fields), "zitadel", "Test User", "test-user@zitadel.ch")
}

func TestGitHub(t *testing.T) {
	p := newPerson(t)
	to, fields := p.signIn("github", "").form("octocat")
	p.arrived(p.send("POST", to, fields), "github", "The Octocat", "octocat@github.com")
}

func TestMicrosoft(t *testing.T) {
	p := newPerson(t)
	to, fields := p.signIn("microsoft-entra-id", "").form("<button")
	g := p.send("POST", to, fields)
	p.arrived(g, "microsoft-entra-id", "Test User", "testuser@outlook.com")
	require.Regexp(t, `[0-9a-f-]{36}\.`+consumers, g.text)
}

func TestAuth0(t *testing.T) {
	p := newPerson(t)
	login := p.signIn("auth0", "")
	q := login.at.Query()
	body, err := json.Marshal(map[string]string{
		"username": "default@example.com", "password": "12345", "client_id": q.Get("client_id"), "redirect_uri": q.Get("redirect_uri"),
		"nonce": q.Get("nonce"), "state": q.Get("state"), "scope": q.Get("scope"), "response_type": "code", "audience": "", "connection": "Username-Password-Authentication",
	})
	require.NoError(t, err)
	req, err := http.NewRequest("POST", "https://localhost:4400/usernamepassword/login", strings.NewReader(string(body)))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	to, fields := p.do(req).form("")
	p.arrived(p.send("POST", to, fields), "auth0", "default", "default@example.com")
}

// TestTabs begins many sign-ins at a real provider and finishes them in another
// order.
func TestTabs(t *testing.T) { // ST-15
	p := newPerson(t)
	p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	var callbacks []string
	var c struct{ CsrfToken string }
	require.NoError(t, json.Unmarshal([]byte(p.send("GET", app+"/api/auth/csrf", nil).text), &c))
	follow := func(method, address string, form url.Values) string {
		for {
			req, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
			require.NoError(t, err)
			if method == "POST" {
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			resp, err := p.client.Do(req)
			require.NoError(t, err)
			resp.Body.Close()
			to, err := resp.Location()
			require.NoError(t, err, "%s answered %d", address, resp.StatusCode)
			if strings.HasPrefix(to.String(), app) {
				return to.String()
			}
			method, address, form = "GET", to.String(), nil
		}
	}
	for i := range 4 {
		callbacks = append(callbacks, follow("POST", app+"/api/auth/signin/certified?login_hint=ada", url.Values{"csrfToken": {c.CsrfToken}, "callbackUrl": {fmt.Sprintf("/tab%d", i)}}))
	}
	for _, i := range []int{2, 0, 3, 1} {
		require.Equal(t, fmt.Sprintf("%s/tab%d", app, i), follow("GET", callbacks[i], nil))
	}
}
