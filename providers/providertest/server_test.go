package providertest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/providers/providertest"
)

const verifier = "a-verifier-of-forty-three-characters-or-more"

// idp is an identity provider of two clients and two people, and its clock.
type idp struct {
	*providertest.Server
	now time.Time
}

func newIdP(t *testing.T, ask bool) *idp {
	p := &idp{now: time.Unix(1_800_000_000, 0)}
	p.Server = providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "s", RedirectURIs: []string{"https://app.example/cb", "https://app.example/cb2"}}, {ID: "other", Secret: "o"}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada <b>", Username: "ada", Email: "ada@example.com", Picture: "https://example.com/a.jpg"}, {Subject: "lin", Name: "Lin"}},
		Ask:     ask, Now: func() time.Time { return p.now },
	})
	t.Cleanup(p.Close)
	return p
}

func send(t *testing.T, r *http.Request) (status int, body string, location url.Values) {
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	if to, err := resp.Location(); err == nil {
		location = to.Query()
	}
	return resp.StatusCode, string(raw), location
}

func request(t *testing.T, method, address string, form url.Values) *http.Request {
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// authorize asks for a code with change made to a good request.
func (p *idp) authorize(t *testing.T, change url.Values) (int, string, url.Values) {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{"client_id": {"app"}, "redirect_uri": {"https://app.example/cb"}, "response_type": {"code"}, "state": {"st"}, "scope": {"openid"}, "nonce": {"n"},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}}
	for name, v := range change {
		q[name] = v
	}
	return send(t, request(t, "GET", p.Issuer()+"/authorize?"+q.Encode(), nil))
}

func TestAuthorizationEndpoint(t *testing.T) {
	for name, test := range map[string]struct {
		change url.Values
		status int
		err    string // the error that comes back; "" with 303 for a code
	}{
		"a code":                        {nil, 303, ""},
		"another registered address":    {url.Values{"redirect_uri": {"https://app.example/cb2"}}, 303, ""},
		"any address, where none is":    {url.Values{"client_id": {"other"}, "redirect_uri": {"https://any.example/"}}, 303, ""},
		"an unknown client":             {url.Values{"client_id": {"x"}}, 400, ""},
		"an unregistered address":       {url.Values{"redirect_uri": {"https://app.example/cb3"}}, 400, ""},
		"no address":                    {url.Values{"client_id": {"other"}, "redirect_uri": {"/cb"}}, 400, ""},
		"a malformed address":           {url.Values{"client_id": {"other"}, "redirect_uri": {"http://["}}, 400, ""},
		"another flow":                  {url.Values{"response_type": {"token"}}, 303, "invalid_request"},
		"PKCE plain":                    {url.Values{"code_challenge_method": {"plain"}}, 303, "invalid_request"},
		"no challenge":                  {url.Values{"code_challenge": {""}}, 303, "invalid_request"},
		"somebody who declines":         {url.Values{"login_hint": {"deny"}}, 303, "access_denied"},
		"nobody, and no page":           {url.Values{"prompt": {"none"}}, 303, "login_required"},
		"somebody unknown, and no page": {url.Values{"prompt": {"none"}, "login_hint": {"eve"}}, 303, "login_required"},
		"somebody, and no page":         {url.Values{"prompt": {"none"}, "login_hint": {"lin"}}, 303, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newIdP(t, false)
			status, _, back := p.authorize(t, test.change)
			require.Equal(t, test.status, status)
			if status != 303 {
				require.Nil(t, back)
				return
			}
			require.Equal(t, "st", back.Get("state"))
			require.Equal(t, p.Issuer(), back.Get("iss"))
			require.Equal(t, test.err, back.Get("error"))
			require.Equal(t, test.err == "", back.Has("code"))
			require.Equal(t, test.err == "invalid_request", back.Has("error_description"))
		})
	}
	empty := providertest.NewServer(providertest.Config{Clients: []providertest.Client{{ID: "app"}}})
	t.Cleanup(empty.Close)
	_, _, back := (&idp{Server: empty}).authorize(t, nil)
	require.Equal(t, "access_denied", back.Get("error"), "there is nobody")
	status, _, _ := send(t, request(t, "GET", empty.Issuer()+"/elsewhere", nil))
	require.Equal(t, 404, status)
}

func TestPageAsks(t *testing.T) {
	p := newIdP(t, true)
	status, page, _ := p.authorize(t, nil)
	require.Equal(t, 200, status)
	for _, part := range []string{"login_hint=ada", "login_hint=lin", "login_hint=deny", "Ada &lt;b&gt;", "<small>ada@example.com</small>", "No thanks"} {
		require.Contains(t, page, part)
	}
	_, _, back := p.authorize(t, url.Values{"login_hint": {"lin"}})
	require.True(t, back.Has("code"))
	_, _, back = p.authorize(t, url.Values{"prompt": {"none"}})
	require.Equal(t, "login_required", back.Get("error"))
}

func TestTokenEndpoint(t *testing.T) { // PK-04, TK-01
	form := func(change url.Values) url.Values {
		f := url.Values{"grant_type": {"authorization_code"}, "redirect_uri": {"https://app.example/cb"}, "code_verifier": {verifier}, "client_id": {"app"}, "client_secret": {"s"}}
		for name, v := range change {
			if f[name] = v; v == nil {
				delete(f, name)
			}
		}
		return f
	}
	basic := url.Values{"client_id": nil, "client_secret": nil}
	for name, test := range map[string]struct {
		method   string
		form     url.Values
		password string // by Basic, if any
		later    time.Duration
		twice    bool
		status   int
		err      string
	}{
		"a token":                      {"POST", form(nil), "", 0, false, 200, ""},
		"a token, by Basic":            {"POST", form(basic), "s", 0, false, 200, ""},
		"just in time":                 {"POST", form(nil), "", time.Minute, false, 200, ""},
		"too late":                     {"POST", form(nil), "", time.Minute + 1, false, 400, "invalid_grant"},
		"twice":                        {"POST", form(nil), "", 0, true, 400, "invalid_grant"},
		"by GET":                       {"GET", form(nil), "", 0, false, 400, "invalid_request"},
		"an unknown client":            {"POST", form(url.Values{"client_id": {"x"}}), "", 0, false, 401, "invalid_client"},
		"an unknown client, no secret": {"POST", form(url.Values{"client_id": {"x"}, "client_secret": nil}), "", 0, false, 401, "invalid_client"},
		"a wrong secret":               {"POST", form(url.Values{"client_secret": {"x"}}), "", 0, false, 401, "invalid_client"},
		"a wrong secret, by Basic":     {"POST", form(basic), "x", 0, false, 401, "invalid_client"},
		"both ways":                    {"POST", form(nil), "s", 0, false, 401, "invalid_client"},
		"another client's code":        {"POST", form(url.Values{"client_id": {"other"}, "client_secret": {"o"}}), "", 0, false, 400, "invalid_grant"},
		"another address":              {"POST", form(url.Values{"redirect_uri": {"https://app.example/cb2"}}), "", 0, false, 400, "invalid_grant"},
		"another verifier":             {"POST", form(url.Values{"code_verifier": {verifier + "x"}}), "", 0, false, 400, "invalid_grant"},
		"another code":                 {"POST", form(url.Values{"code": {"x"}}), "", 0, false, 400, "invalid_grant"},
		"no verifier":                  {"POST", form(url.Values{"code_verifier": nil}), "", 0, false, 400, "invalid_grant"},
		"an encoded secret, by Basic":  {"POST", form(basic), "%73", 0, false, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newIdP(t, false)
			_, _, back := p.authorize(t, nil)
			if !test.form.Has("code") {
				test.form.Set("code", back.Get("code"))
			}
			p.now = p.now.Add(test.later)
			times := 1
			if test.twice {
				times = 2
			}
			var status int
			var body string
			for range times {
				r := request(t, test.method, p.Issuer()+"/token", test.form)
				if test.password != "" {
					r.SetBasicAuth("app", test.password)
				}
				status, body, _ = send(t, r)
			}
			require.Equal(t, test.status, status, body)
			require.Contains(t, body, test.err)
			require.Equal(t, status == 200, strings.Contains(body, `"id_token"`))
			require.Equal(t, status == 200, strings.Contains(body, `"access_token"`))
			if test.method == "POST" {
				require.Len(t, p.TokenRequests(), times)
			}
			require.Equal(t, times, p.Hits("token"))
		})
	}
}

// TestBearer: an access token opens the APIs, in the header alone.
func TestBearer(t *testing.T) { // UI-03, GH-05
	p := newIdP(t, false)
	p.SetFaults(providertest.Faults{Token: func(m map[string]any) {
		require.NotContains(t, m, "id_token", "openid was not asked for")
		m["more"] = "of a fault"
	}})
	_, _, back := p.authorize(t, url.Values{"scope": {"profile"}, "nonce": {""}})
	_, body, _ := send(t, request(t, "POST", p.Issuer()+"/token", url.Values{"grant_type": {"authorization_code"}, "code": {back.Get("code")},
		"redirect_uri": {"https://app.example/cb"}, "code_verifier": {verifier}, "client_id": {"app"}, "client_secret": {"s"}}))
	require.Contains(t, body, `"more":"of a fault"`)
	_, rest, _ := strings.Cut(body, `"access_token":"`)
	token, _, _ := strings.Cut(rest, `"`)
	require.NotEmpty(t, token)
	for path, want := range map[string]string{
		"/userinfo":           `{"email":"ada@example.com","email_verified":false,"name":"Ada \u003cb\u003e","picture":"https://example.com/a.jpg","preferred_username":"ada","sub":"ada"}`,
		"/api/v3/user":        `{"avatar_url":"https://example.com/a.jpg","email":"public@example.com","id":1,"login":"ada","name":"Ada \u003cb\u003e"}`,
		"/api/v3/user/emails": `[{"email":"other@example.com","primary":false,"verified":true},{"email":"ada@example.com","primary":true,"verified":false}]`,
		"/api/v3/user/orgs":   `[]`,
	} {
		r := request(t, "GET", p.Issuer()+path, nil)
		if path != "/api/v3/user/orgs" {
			status, _, _ := send(t, r)
			require.Equal(t, 401, status, path)
			r = request(t, "GET", p.Issuer()+path+"?access_token="+token, nil)
			r.Header.Set("Authorization", "Bearer "+token)
			status, _, _ = send(t, r)
			require.Equal(t, 401, status, path)
		}
		r = request(t, "GET", p.Issuer()+path, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		status, body, _ := send(t, r)
		require.Equal(t, 200, status, path)
		require.JSONEq(t, want, body)
	}
}

func TestHeaderFault(t *testing.T) {
	p := newIdP(t, false)
	p.SetFaults(providertest.Faults{Header: func(h map[string]any) { h["kid"] = "spoilt" }})
	_, _, back := p.authorize(t, nil)
	_, body, _ := send(t, request(t, "POST", p.Issuer()+"/token", url.Values{"grant_type": {"authorization_code"}, "code": {back.Get("code")},
		"redirect_uri": {"https://app.example/cb"}, "code_verifier": {verifier}, "client_id": {"app"}, "client_secret": {"s"}}))
	require.Contains(t, body, providertest.Encode(map[string]any{"alg": "RS256", "typ": "JWT", "kid": "spoilt"})+".")
}

func TestRotateKeys(t *testing.T) { // JW-01
	p := newIdP(t, false)
	key, id := p.SigningKey(), p.SigningKeyID()
	p.RotateKeys()
	require.False(t, key.Equal(p.SigningKey()))
	require.NotEqual(t, id, p.SigningKeyID())
	require.Equal(t, 2048, p.SigningKey().N.BitLen())
}

func TestHeaders(t *testing.T) {
	p := newIdP(t, true)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	get := func(path string) http.Header {
		resp, err := client.Get(p.Issuer() + path)
		require.NoError(t, err)
		resp.Body.Close()
		return resp.Header
	}
	const request = "/authorize?client_id=other&redirect_uri=https://a.example/&response_type=code&code_challenge_method=S256&code_challenge=0123456789012345678901234567890123456789012"
	for _, path := range []string{request, request + "&login_hint=ada", "/.well-known/openid-configuration"} {
		require.Equal(t, "no-store", get(path).Get("Cache-Control"), path)
	}
	require.Contains(t, get(request).Get("Content-Security-Policy"), "default-src 'none'", "a page of the demonstration")
	require.Equal(t, "Bearer", get("/userinfo").Get("WWW-Authenticate"))
}

// TestIssuerWithAPath: the endpoints are below it.
func TestIssuerWithAPath(t *testing.T) { // DI-14
	for _, issuer := range []string{"https://x.example/a/b", "https://x.example/a/b/"} {
		p := providertest.New(providertest.Config{Issuer: issuer})
		for path, status := range map[string]int{"/a/b/.well-known/openid-configuration": 200, "/a/b/keys": 200, "/a/keys": 404} {
			w := httptest.NewRecorder()
			p.ServeHTTP(w, httptest.NewRequest("GET", "https://x.example"+path, nil))
			require.Equal(t, status, w.Code, path)
			if strings.HasSuffix(path, "configuration") {
				require.Contains(t, w.Body.String(), `"https://x.example/a/b/keys"`)
			}
		}
	}
}

// TestClientWithoutPKCE: it is refused with a challenge, and with a verifier.
func TestClientWithoutPKCE(t *testing.T) {
	p := &idp{Server: providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: "s", NoPKCE: true}}, People: []providertest.Person{{Subject: "ada"}},
	})}
	t.Cleanup(p.Close)
	_, _, back := p.authorize(t, nil)
	require.Equal(t, "want no PKCE", back.Get("error_description"))
	for sent, want := range map[string]int{"": 200, verifier: 400} {
		_, _, back = p.authorize(t, url.Values{"code_challenge": nil, "code_challenge_method": nil})
		f := url.Values{"grant_type": {"authorization_code"}, "redirect_uri": {"https://app.example/cb"}, "client_id": {"app"}, "client_secret": {"s"}, "code": {back.Get("code")}}
		if sent != "" {
			f.Set("code_verifier", sent)
		}
		status, _, _ := send(t, request(t, "POST", p.Issuer()+"/token", f))
		require.Equal(t, want, status)
	}
}
