package e2e_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/providers/github"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/session"
)

const (
	wireSecret = "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE="
	wireOrigin = "https://app.example"
	wireBase   = wireOrigin + "/api/auth"
	sessionAt  = "__Secure-authjs.session-token"
)

var wireToken = strings.Repeat("0123456789abcdef", 4)

// csrfCookie is Auth.js's, of any of its versions.
func csrfCookie(name, token, secret string) string {
	sum := sha256.Sum256([]byte(token + secret))
	return name + "=" + token + "%7C" + hex.EncodeToString(sum[:])
}

var goodCSRF = csrfCookie("__Host-authjs.csrf-token", wireToken, wireSecret)

func newWire(t *testing.T) *wire {
	secrets := []auth.Secret{auth.NewSecret(wireSecret)}
	gh, err := github.New(github.Config{ClientID: "gh", ClientSecret: auth.NewSecret("gh-secret")})
	require.NoError(t, err)
	certified, err := oidc.New(oidc.Config{Name: "certified", Issuer: "http://127.0.0.1:9002", ClientID: "app",
		ClientSecret: auth.NewSecret("x"), Presentation: auth.Presentation{Label: "Certified"}})
	require.NoError(t, err)
	codes, err := accesscode.New(accesscode.Config{Secrets: secrets, Codes: []accesscode.Code{{Text: auth.NewSecret(accessCode), Label: "Access code"}}})
	require.NoError(t, err)
	config := auth.Config{Secrets: secrets, URL: wireBase, Providers: []auth.Provider{gh, certified}, AccessCode: codes, UserID: auth.SubjectID, Logger: slog.New(slog.DiscardHandler),
		Update: func(_ context.Context, s *session.Session, data json.RawMessage) error {
			var wanted struct{ Name string }
			if json.Unmarshal(data, &wanted) == nil && wanted.Name != "" {
				s.Name = wanted.Name
			}
			return nil
		}}
	w := &wire{t: t}
	w.routes, err = auth.New(config)
	require.NoError(t, err)
	config.NextAuthV4, config.Providers = true, []auth.Provider{gh}
	w.routesV4, err = auth.New(config)
	require.NoError(t, err)
	w.session = w.seal(session.Session{Subject: "ada", Name: "Ada Lovelace", Email: "ada@example.com", Picture: "https://img.example/ada.png"}, time.Now())
	return w
}

// seal is a session's cookies, as they stand in a Cookie header.
func (w *wire) seal(s session.Session, now time.Time) string {
	m, err := session.NewManager(session.Config{}, []session.Secret{session.NewSecret(wireSecret)}, func() time.Time { return now })
	require.NoError(w.t, err)
	rec := httptest.NewRecorder()
	require.NoError(w.t, m.Start(rec, httptest.NewRequest("GET", wireOrigin, nil), &s, true))
	var list []string
	for _, c := range rec.Result().Cookies() {
		list = append(list, c.Name+"="+c.Value)
	}
	return strings.Join(list, "; ")
}

// add appends a case. headers are pairs; a body without a Content-Type is a
// form's.
func (w *wire) add(name, method, path, body string, headers ...string) {
	c := wireCase{Name: name, Method: method, URL: wireBase + path, Headers: map[string]string{}, Body: body}
	if body != "" {
		c.Headers["Content-Type"] = "application/x-www-form-urlencoded"
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if old := c.Headers[headers[i]]; headers[i] == "Cookie" && old != "" {
			headers[i+1] = old + "; " + headers[i+1]
		}
		if c.Headers[headers[i]] = headers[i+1]; headers[i+1] == "" {
			delete(c.Headers, headers[i])
		}
	}
	w.cases = append(w.cases, c)
}

const (
	asJSON   = "application/json"
	wantsURL = "X-Auth-Return-Redirect"
)

func form(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// list is every route with every method, and what a client may send it.
func (w *wire) list() {
	for _, action := range []string{"providers", "csrf", "session", "signin", "signout", "callback", "verify-request", "error", "webauthn-options", "elsewhere", ""} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
			w.add("every method", method, "/"+action, "")
		}
		w.add("one segment more", "GET", "/"+action+"/x/y", "")
		if action != "signin" && action != "callback" {
			w.add("an id where none is", "GET", "/"+action+"/github", "")
		}
	}
	w.csrf()
	w.sessions()
	w.signIns()
	w.signOuts()
	w.callbacks()
	w.pages()
	w.v4()
}

func (w *wire) csrf() {
	for name, cookie := range map[string]string{
		"none": "", "good": goodCSRF, "hash of another secret": csrfCookie("__Host-authjs.csrf-token", wireToken, "other"),
		"no hash": "__Host-authjs.csrf-token=" + wireToken, "nonsense": "__Host-authjs.csrf-token=%zz", "other name": csrfCookie("authjs.csrf-token", wireToken, wireSecret),
		"bar as it is": strings.Replace(goodCSRF, "%7C", "|", 1),
	} {
		w.add("csrf: "+name, "GET", "/csrf", "", "Cookie", cookie)
	}
}

func (w *wire) sessions() {
	large := w.seal(session.Session{Subject: "ada", Name: strings.Repeat("ä", 2500)}, time.Now())
	cookies := map[string]string{
		"none": "", "good": w.session, "tampered": w.session[:len(w.session)-8] + "AAAAAAAA", "nonsense": sessionAt + "=x",
		"expired": w.seal(session.Session{Subject: "ada"}, time.Now().Add(-31*24*time.Hour)), "chunks": large,
		"a chunk is missing": strings.SplitN(large, "; ", 2)[1], "insecure name": strings.Replace(w.session, "__Secure-", "", 1),
		"csrf token as a session": sessionAt + "=" + goodCSRF[strings.Index(goodCSRF, "=")+1:],
	}
	for name, cookie := range cookies {
		w.add("session: "+name, "GET", "/session", "", "Cookie", cookie)
		w.add("session, as the client asks: "+name, "GET", "/session", "", "Cookie", cookie, "Content-Type", asJSON)
		w.add("update: "+name, "POST", "/session", `{"csrfToken":"`+wireToken+`","data":{"name":"Countess"}}`, "Content-Type", asJSON, "Cookie", strings.TrimPrefix(cookie+"; "+goodCSRF, "; "))
	}
	both := w.session + "; " + goodCSRF
	for name, test := range map[string][]string{
		"no token":     {`{"data":{"name":"Eve"}}`, "Content-Type", asJSON, "Cookie", both},
		"wrong token":  {`{"csrfToken":"x","data":{"name":"Eve"}}`, "Content-Type", asJSON, "Cookie", both},
		"no cookie":    {`{"csrfToken":"` + wireToken + `","data":{"name":"Eve"}}`, "Content-Type", asJSON, "Cookie", w.session},
		"no data":      {`{"csrfToken":"` + wireToken + `"}`, "Content-Type", asJSON, "Cookie", both},
		"null":         {`{"csrfToken":"` + wireToken + `","data":null}`, "Content-Type", asJSON, "Cookie", both},
		"a form":       {form("csrfToken", wireToken, "data", "x"), "Cookie", both},
		"text":         {`{"csrfToken":"` + wireToken + `","data":{"name":"Eve"}}`, "Content-Type", "text/plain", "Cookie", both},
		"malformed":    {`{"csrfToken":`, "Content-Type", asJSON, "Cookie", both},
		"a list":       {`["` + wireToken + `"]`, "Content-Type", asJSON, "Cookie", both},
		"with charset": {`{"csrfToken":"` + wireToken + `","data":{"name":"Countess"}}`, "Content-Type", asJSON + "; charset=utf-8", "Cookie", both},
	} {
		w.add("update: "+name, "POST", "/session", test[0], test[1:]...)
	}
}

// returns are addresses that people ask to return to.
var returns = map[string]string{
	"none": "", "path": "/there?x=1", "with a fragment": wireOrigin + "/there#place", "absolute": wireOrigin + "/there", "origin": wireOrigin,
	"foreign": "https://evil.example/", "two slashes": "//evil.example", "backslash": `/\evil.example`, "script": "javascript:alert(1)",
	"malformed": "http://[", "word": "there", "Unicode": "/聊天", "another port": wireOrigin + ":8443/",
}

func (w *wire) signIns() {
	for name, to := range returns {
		for _, header := range []string{"", "1"} {
			w.add("sign in, back to: "+name, "POST", "/signin/github", form("csrfToken", wireToken, "callbackUrl", to), "Cookie", goodCSRF, wantsURL, header)
		}
		w.add("code, back to: "+name, "POST", "/callback/access-code", form("csrfToken", wireToken, "callbackUrl", to, "code", accessCode), "Cookie", goodCSRF, wantsURL, "1")
	}
	for _, id := range []string{"github", "certified", "access-code", "unknown", "GitHub", "", "github%2f"} {
		w.add("start by GET: "+id, "GET", "/signin/"+id, "")
		w.add("start: "+id, "POST", "/signin/"+id, form("csrfToken", wireToken), "Cookie", goodCSRF)
		w.add("start, as the client does: "+id, "POST", "/signin/"+id, form("csrfToken", wireToken, "callbackUrl", wireOrigin+"/"), "Cookie", goodCSRF, wantsURL, "1")
		w.add("start in JSON: "+id, "POST", "/signin/"+id, `{"csrfToken":"`+wireToken+`","callbackUrl":"/"}`, "Cookie", goodCSRF, wantsURL, "1", "Content-Type", asJSON)
	}
	for name, test := range map[string][2]string{
		"no token": {form("callbackUrl", "/"), goodCSRF}, "wrong token": {form("csrfToken", "x"), goodCSRF}, "no cookie": {form("csrfToken", wireToken), ""},
		"cookie of another secret": {form("csrfToken", wireToken), csrfCookie("__Host-authjs.csrf-token", wireToken, "other")},
	} {
		for _, path := range []string{"/signin/github", "/callback/access-code", "/signout"} {
			for _, header := range []string{"", "1"} {
				w.add("forged, "+name, "POST", path, test[0]+"&code="+accessCode, "Cookie", test[1], wantsURL, header)
			}
		}
	}
	for name, query := range map[string]string{
		"prompt": "prompt=login", "hint": "login_hint=ada%40example.com", "several": "screen_hint=signup&ui_locales=zh-CN&max_age=60", "none of those allowed": "scope=admin&audience=x",
		"the protocol's": "client_id=evil&redirect_uri=https%3A%2F%2Fevil.example&state=x&code_challenge=y&response_type=token",
	} {
		w.add("authorization parameters: "+name, "POST", "/signin/certified?"+query, form("csrfToken", wireToken), "Cookie", goodCSRF, wantsURL, "1")
	}
	for media, body := range map[string]string{"text/plain": form("csrfToken", wireToken), "multipart/form-data; boundary=x": "--x--\r\n", "application/xml": "<x/>", asJSON: "{"} {
		w.add("body of another kind: "+media, "POST", "/signin/github", body, "Cookie", goodCSRF, "Content-Type", media)
	}
}

func (w *wire) signOuts() {
	for name, to := range returns {
		for _, header := range []string{"", "1"} {
			w.add("sign out, to: "+name, "POST", "/signout", form("csrfToken", wireToken, "callbackUrl", to), "Cookie", goodCSRF+"; "+w.another(), wantsURL, header)
		}
	}
	w.add("sign out, nobody is in", "POST", "/signout", form("csrfToken", wireToken), "Cookie", goodCSRF)
	w.add("sign out in JSON", "POST", "/signout", `{"csrfToken":"`+wireToken+`","callbackUrl":"/bye"}`, "Cookie", goodCSRF+"; "+w.another(), "Content-Type", asJSON)
	w.add("sign out by GET", "GET", "/signout?csrfToken="+wireToken, "", "Cookie", goodCSRF+"; "+w.session)
}

func (w *wire) callbacks() {
	for name, query := range map[string]string{
		"nothing": "", "code alone": "?code=x", "of nobody's attempt": "?code=x&state=y", "declined": "?error=access_denied&state=y", "error alone": "?error=server_error",
		"markup": "?error=%3Cscript%3E&error_description=%3Cscript%3E&state=y",
	} {
		for _, id := range []string{"github", "certified", "unknown"} {
			w.add("callback of "+id+": "+name, "GET", "/callback/"+id+query, "")
		}
		w.add("callback by POST: "+name, "POST", "/callback/github", strings.TrimPrefix(query, "?")+"&x=y")
	}
	for _, header := range []string{"", "1"} {
		w.add("code: right", "POST", "/callback/access-code", form("csrfToken", wireToken, "code", accessCode, "callbackUrl", wireOrigin+"/in"), "Cookie", goodCSRF, wantsURL, header)
		w.add("code: wrong", "POST", "/callback/access-code", form("csrfToken", wireToken, "code", "wrong", "callbackUrl", wireOrigin+"/in"), "Cookie", goodCSRF, wantsURL, header)
		w.add("code: none", "POST", "/callback/access-code", form("csrfToken", wireToken), "Cookie", goodCSRF, wantsURL, header)
	}
	w.add("code: in JSON", "POST", "/callback/access-code", `{"csrfToken":"`+wireToken+`","code":"`+accessCode+`","callbackUrl":"/in"}`, "Cookie", goodCSRF, wantsURL, "1", "Content-Type", asJSON)
	w.add("code: in the query", "GET", "/callback/access-code?code="+accessCode, "")
}

func (w *wire) pages() {
	for _, code := range []string{"Configuration", "AccessDenied", "Verification", "OAuthCallbackError", "MissingCSRF", "CredentialsSignin", "SessionRequired", "Unheard", "<script>"} {
		w.add("error page: "+code, "GET", "/error?error="+url.QueryEscape(code), "")
		w.add("sign-in page after: "+code, "GET", "/signin?error="+url.QueryEscape(code)+"&callbackUrl=%2Fthere", "")
	}
	for name, to := range returns {
		w.add("sign-in page, back to: "+name, "GET", "/signin?callbackUrl="+url.QueryEscape(to), "")
		w.add("session, with callbackUrl: "+name, "GET", "/session?callbackUrl="+url.QueryEscape(to), "", "Cookie", w.session)
	}
}

// v4 is what next-auth v4's client sends.
func (w *wire) v4() {
	good := csrfCookie("__Host-next-auth.csrf-token", wireToken, wireSecret) + "; " + goodCSRF
	before := len(w.cases)
	w.add("v4: providers", "GET", "/providers", "", "Content-Type", asJSON)
	w.add("v4: csrf", "GET", "/csrf", "", "Content-Type", asJSON, "Cookie", good)
	w.add("v4: nobody", "GET", "/session", "", "Content-Type", asJSON)
	for name, to := range returns {
		w.add("v4: sign in, back to: "+name, "POST", "/signin/github", form("csrfToken", wireToken, "callbackUrl", to, "json", "true"), "Cookie", good)
		w.add("v4: sign out, to: "+name, "POST", "/signout", form("csrfToken", wireToken, "callbackUrl", to, "json", "true"), "Cookie", good)
	}
	w.add("v4: sign in without json", "POST", "/signin/github", form("csrfToken", wireToken, "callbackUrl", "/"), "Cookie", good)
	w.add("v4: forged", "POST", "/signin/github", form("csrfToken", "x", "json", "true"), "Cookie", good)
	w.add("v4: forged sign-out", "POST", "/signout", form("csrfToken", "x", "json", "true"), "Cookie", good)
	w.add("v4: right code", "POST", "/callback/access-code", form("csrfToken", wireToken, "code", accessCode, "callbackUrl", wireOrigin+"/in", "json", "true", "redirect", "false"), "Cookie", good)
	w.add("v4: wrong code", "POST", "/callback/access-code", form("csrfToken", wireToken, "code", "wrong", "callbackUrl", wireOrigin+"/in", "json", "true", "redirect", "false"), "Cookie", good)
	w.add("v4: hint", "POST", "/signin/github?"+form("login", "ada", "prompt", "consent"), form("csrfToken", wireToken, "callbackUrl", "/", "json", "true"), "Cookie", good)
	for i := before; i < len(w.cases); i++ {
		w.cases[i].V4 = true
	}
}

// another is a session of its own: one that signs out ends for good.
func (w *wire) another() string { return w.seal(session.Session{Subject: "ada"}, time.Now()) }
