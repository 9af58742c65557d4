package apple_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/apple"
	"github.com/sallyport/auth/providers/providertest"
)

const (
	issuer   = "https://appleid.apple.com"
	clientID = "com.example.web"
)

// appleID is Apple, in memory, by the documents that it publishes: no userinfo, and a
// client secret that is a JWT, which is verified by the public half of the key.
type appleID struct {
	*providertest.IdP
	t    *testing.T
	key  *ecdsa.PrivateKey
	seen []string       // the client secrets that came
	says map[string]any // claims that differ
}

func newAppleID(t *testing.T) *appleID {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	a := &appleID{t: t, key: key, IdP: providertest.New(providertest.Config{
		Issuer: issuer, Clients: []providertest.Client{{ID: clientID, Secret: "verified"}},
		People: []providertest.Person{{Subject: "001234.abcd.0567", Email: "ada@example.com"}},
	})}
	a.SetFaults(providertest.Faults{
		Metadata: func(m map[string]any) {
			delete(m, "userinfo_endpoint")
			delete(m, "authorization_response_iss_parameter_supported")
			m["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
			m["response_modes_supported"] = []string{"query", "fragment", "form_post"}
		},
		Callback: func(q url.Values) { q.Del("iss") },
		IDToken: func(m map[string]any) {
			m["email_verified"], m["nonce_supported"] = "true", true
			for name, value := range a.says {
				m[name] = value
			}
		},
	})
	return a
}

// RoundTrip takes requests for Apple's host, and none for another.
func (a *appleID) RoundTrip(r *http.Request) (*http.Response, error) {
	require.Equal(a.t, issuer, r.URL.Scheme+"://"+r.URL.Host)
	if r.Method == "POST" {
		body, err := io.ReadAll(r.Body)
		require.NoError(a.t, err)
		form, err := url.ParseQuery(string(body))
		require.NoError(a.t, err)
		require.Empty(a.t, r.Header.Get("Authorization"), "the secret is in the form alone")
		require.False(a.t, form.Has("client_assertion"))
		a.seen = append(a.seen, form.Get("client_secret"))
		form.Set("client_secret", "verified")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(form.Encode())), -1
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w.Result(), nil
}

func (a *appleID) provider(change func(*apple.Config)) auth.Provider {
	c := apple.Config{ClientID: clientID, TeamID: "TEAM123456", KeyID: "KEY1234567", PrivateKey: a.key, HTTPClient: &http.Client{Transport: a}}
	if change != nil {
		change(&c)
	}
	p, err := apple.New(c)
	require.NoError(a.t, err)
	return p
}

// authorize is somebody at Apple's page: what it then posts to the callback.
func (a *appleID) authorize(address string) url.Values {
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest("GET", address, nil))
	back, err := w.Result().Location()
	require.NoError(a.t, err)
	return back.Query()
}

// signIn brings user along, as the form does.
func (a *appleID) signIn(p auth.Provider, user string) (*auth.Identity, error) {
	tx := auth.Transaction{State: "state", Nonce: "nonce", Verifier: strings.Repeat("v", 43), RedirectURI: "https://app.example/api/auth/callback/apple"}
	address, err := p.AuthCodeURL(context.Background(), tx)
	require.NoError(a.t, err)
	form := a.authorize(address)
	if user != "" {
		form.Set("user", user)
	}
	return p.Exchange(context.Background(), tx, p.(auth.FormPoster).FormAnswer(form))
}

func TestAuthorizationRequest(t *testing.T) {
	p := newAppleID(t).provider(nil)
	address, err := p.AuthCodeURL(context.Background(), auth.Transaction{State: "s", Nonce: "n", Verifier: "v"})
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	q := u.Query()
	require.Equal(t, []string{"form_post"}, q["response_mode"])
	require.Equal(t, "openid name email", q.Get("scope"))
	require.Equal(t, "code", q.Get("response_type"))
	require.Equal(t, "n", q.Get("nonce"))
	require.Equal(t, "S256", q.Get("code_challenge_method"))
	require.True(t, p.(auth.OpenDoor).AnyoneMayEnter())
	emails, groups := p.(auth.Lacking).Lacks()
	require.True(t, !emails && groups, "addresses, and no groups")
	require.Equal(t, "Apple", p.(auth.Presenter).Presentation().Label)
}

func TestClientSecretIsSignedForEachRequest(t *testing.T) { // TK-01
	a := newAppleID(t)
	now := time.Now()
	p := a.provider(func(c *apple.Config) { c.Now = func() time.Time { return now } })
	for range 2 {
		_, err := a.signIn(p, "")
		require.NoError(t, err)
	}
	require.Len(t, a.seen, 2)
	require.NotEqual(t, a.seen[0], a.seen[1])
	for _, secret := range a.seen {
		signed, err := jose.ParseSignedCompact(secret, []jose.SignatureAlgorithm{jose.ES256})
		require.NoError(t, err)
		require.Equal(t, "KEY1234567", signed.Signatures[0].Header.KeyID)
		payload, err := signed.Verify(a.key.Public())
		require.NoError(t, err)
		var claims map[string]any
		require.NoError(t, json.Unmarshal(payload, &claims))
		require.NotEmpty(t, claims["jti"])
		delete(claims, "jti")
		require.Equal(t, map[string]any{
			"iss": "TEAM123456", "sub": clientID, "aud": issuer,
			"iat": float64(now.Unix()), "exp": float64(now.Add(5 * time.Minute).Unix()),
		}, claims)
	}
}

func TestIdentity(t *testing.T) { // ID-35
	for name, test := range map[string]struct {
		says              map[string]any
		verified, private bool
	}{
		"as text":         {map[string]any{"is_private_email": "true"}, true, true},
		"as booleans":     {map[string]any{"email_verified": true, "is_private_email": true}, true, true},
		"false, as text":  {map[string]any{"email_verified": "false", "is_private_email": "false"}, false, false},
		"false":           {map[string]any{"email_verified": false}, false, false},
		"another text":    {map[string]any{"email_verified": "TRUE", "is_private_email": "1"}, false, false},
		"a number":        {map[string]any{"email_verified": 1}, false, false},
		"a list of truth": {map[string]any{"email_verified": []any{true}}, false, false},
		"nothing":         {map[string]any{"email_verified": nil}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAppleID(t)
			a.says = test.says
			id, err := a.signIn(a.provider(nil), "")
			require.NoError(t, err)
			require.Equal(t, issuer, id.Issuer)
			require.Equal(t, "001234.abcd.0567", id.Subject)
			require.Equal(t, "ada@example.com", id.Email)
			require.Equal(t, test.verified, id.EmailVerified)
			require.Equal(t, test.private, id.Claims["is_private_email"] == true)
			require.Empty(t, id.Name, "which comes once")
		})
	}
}

// TestUserParameterGivesANameAlone: it comes from the browser, and nobody has signed it.
func TestUserParameterGivesANameAlone(t *testing.T) { // ID-35, EN-03
	for user, want := range map[string]string{
		`{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"ceo@corp.example"}`:     "Ada Lovelace",
		`{"name":{"firstName":"Ada"},"sub":"root","iss":"https://evil.example"}`:            "Ada",
		`{"name":{"lastName":"Lovelace"},"email":"ceo@corp.example","email_verified":true}`: "Lovelace",
		`{"name":{"firstName":"` + strings.Repeat("a", 300) + `"}}`:                         "",
		`{"name":{"firstName":"晓","middleName":"x","lastName":"林"}}`:                        "晓 林",
		`{"name":{"firstName":"  ","lastName":" "}}`:                                        "",
		`{"name":{"firstName":["Ada"],"lastName":7}}`:                                       "",
		`{"name":"Ada"}`: "", `{"name":null}`: "", `[]`: "", `null`: "", `{`: "", "Ada": "", "\x00": "", `{"name":{"firstName":"Ada"}} x`: "",
	} {
		a := newAppleID(t)
		id, err := a.signIn(a.provider(nil), user)
		require.NoError(t, err, user)
		require.Equal(t, want, id.Name, user)
		require.Equal(t, "ada@example.com", id.Email)
		require.Equal(t, "001234.abcd.0567", id.Subject)
		require.Equal(t, issuer, id.Issuer)
	}
	a := newAppleID(t)
	a.says = map[string]any{"name": "Signed"}
	id, err := a.signIn(a.provider(nil), `{"name":{"firstName":"Unsigned"}}`)
	require.NoError(t, err)
	require.Equal(t, "Signed", id.Name, "what is signed counts first")

	// By GET it may be anything, for people can write what they like into an address.
	tx := auth.Transaction{State: "s", Nonce: "n", Verifier: strings.Repeat("v", 43), RedirectURI: "https://app.example/cb"}
	for _, user := range []string{strings.Repeat("x", 257), "\xff"} {
		p := newAppleID(t)
		at := p.provider(nil)
		address, err := at.AuthCodeURL(context.Background(), tx)
		require.NoError(t, err)
		response := p.authorize(address)
		response.Set("user", user)
		id, err = at.Exchange(context.Background(), tx, response)
		require.NoError(t, err)
		require.Empty(t, id.Name)
	}
}

// TestFormAnswer: what goes on in a URL has neither an address nor a token in it.
func TestFormAnswer(t *testing.T) { // ST-18, LG-01
	p := newAppleID(t).provider(nil).(auth.FormPoster)
	require.Equal(t, url.Values{"state": {"s"}, "code": {"c"}, "user": {"Ada Lovelace"}}, p.FormAnswer(url.Values{
		"state": {"s"}, "code": {"c"}, "id_token": {"hunter2"}, "access_token": {"hunter2"}, "more": {"x"},
		"user": {`{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"ada@example.com"}`},
	}))
	require.Equal(t, url.Values{"state": {"s"}, "error": {"user_cancelled_authorize"}}, p.FormAnswer(url.Values{"state": {"s"}, "error": {"user_cancelled_authorize"}}))
}

func TestNewRefuses(t *testing.T) { // LG-06
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	good := newAppleID(t).key
	for want, c := range map[string]apple.Config{
		"TeamID or KeyID is empty":    {ClientID: clientID, KeyID: "k", PrivateKey: good},
		`"apple": TeamID or KeyID is`: {ClientID: clientID, TeamID: "t", PrivateKey: good},
		"ClientID is empty":           {TeamID: "t", KeyID: "k", PrivateKey: good},
		"PrivateKey is nil":           {ClientID: clientID, TeamID: "t", KeyID: "k"},
		"ECDSA P-256":                 {ClientID: clientID, TeamID: "t", KeyID: "k", PrivateKey: p384},
	} {
		_, err := apple.New(c)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "ClientSecret")
	}
}

func TestCancelled(t *testing.T) {
	a := newAppleID(t)
	p := a.provider(nil)
	_, err := p.Exchange(context.Background(), auth.Transaction{State: "s"}, url.Values{"state": {"s"}, "error": {"user_cancelled_authorize"}})
	require.ErrorIs(t, err, auth.ErrDeclined)
}

// page is what a browser does with one of its own cookies: those of SameSite=Lax come
// with a navigation by GET, and with no other site's POST.
type page struct {
	handler http.Handler
	cookies []*http.Cookie
}

func (b *page) send(method, target, body string, crossSite bool) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Accept", "text/html")
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if crossSite {
		r.Header.Set("Origin", issuer)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "document")
	}
	if !crossSite || method == "GET" {
		for _, c := range b.cookies {
			r.AddCookie(c)
		}
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	resp := w.Result()
	b.cookies = append(b.cookies, resp.Cookies()...)
	return resp
}

// TestSignInByForm is a person's whole way: Apple's page posts across sites, and the
// cookies come with the GET that follows.
func TestSignInByForm(t *testing.T) { // CB-04, CB-06, LG-01
	a := newAppleID(t)
	var log bytes.Buffer
	var who auth.Identity
	authenticator, err := auth.New(auth.Config{
		Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: "https://app.example",
		Providers: []auth.Provider{a.provider(nil)}, Logger: newLogger(&log),
		Policy: func(_ context.Context, _ string, id *auth.Identity) error { who = *id; return nil },
	})
	require.NoError(t, err)
	var shown string
	b := &page{handler: authenticator.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s, _ := auth.FromContext(r.Context())
		shown = s.Name + " " + s.Email
	}))}
	resp := b.send("GET", "https://app.example/api/auth/csrf", "", false)
	var token struct{ CSRFToken string }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&token))
	resp = b.send("POST", "https://app.example/api/auth/signin/apple", url.Values{"csrfToken": {token.CSRFToken}, "callbackUrl": {"/reports"}}.Encode(), false)
	form := a.authorize(resp.Header.Get("Location"))
	form.Set("user", `{"name":{"firstName":"Ada\u0000\u001b[31m","lastName":"Lovelace"},"email":"ceo@corp.example"}`)

	before := len(b.cookies)
	resp = b.send("POST", "https://app.example/api/auth/callback/apple", form.Encode(), true)
	require.Equal(t, 303, resp.StatusCode)
	require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	require.Len(t, b.cookies, before, "nothing is set by what another site posts")
	to := resp.Header.Get("Location")
	require.True(t, strings.HasPrefix(to, "https://app.example/api/auth/callback/apple?"), to)
	require.NotContains(t, to, "corp.example")

	resp = b.send("GET", to, "", true)
	require.Equal(t, 303, resp.StatusCode)
	require.Equal(t, "https://app.example/reports", resp.Header.Get("Location"))
	require.Equal(t, "ada@example.com", who.Email)
	resp = b.send("GET", "https://app.example/reports", "", true)
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "Ada[31m Lovelace ada@example.com", shown, "control characters are out")
	require.NotContains(t, log.String(), form.Get("code"))
}

func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
