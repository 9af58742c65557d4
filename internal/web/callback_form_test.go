package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

// formStub is a provider whose page posts its answer.
type formStub struct{ *stubProvider }

func (formStub) FormAnswer(form url.Values) url.Values {
	return url.Values{"state": form["state"], "code": form["code"], "iss": form["iss"]}
}

// unaskedStub could, and has not asked for it.
type unaskedStub struct{ *stubProvider }

func (unaskedStub) FormAnswer(url.Values) url.Values { return nil }

// newFormSite has a provider of each kind.
func newFormSite(t *testing.T, change func(*auth.Config)) *site {
	return newSite(t, func(c *auth.Config) {
		c.Providers = []auth.Provider{formStub{&stubProvider{name: "form"}}, unaskedStub{&stubProvider{name: "unasked"}}, &stubProvider{name: "stub"}}
		if change != nil {
			change(c)
		}
	})
}

const formType = "application/x-www-form-urlencoded"

// crossSite are what a browser says of another site's form.
var crossSite = []string{"Accept", "text/html", "Origin", "https://idp.example", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}

// postAcross is a form of another site's in b: cookies of SameSite=Lax stay behind.
func (b *browser) postAcross(path, media, body string) answer {
	b.s.t.Helper()
	jar := b.Jar
	b.Jar = nil
	defer func() { b.Jar = jar }()
	return b.post(path, media, body, crossSite...)
}

func TestCallbackByForm(t *testing.T) { // CB-04, CB-06
	s := newFormSite(t, nil)
	b := s.browser()
	state := b.start("form", "/reports?a=b").Get("state")
	before := b.cookies()
	got := b.postAcross("/api/auth/callback/form", formType, url.Values{"state": {state}, "code": {"ada & co"}, "id_token": {"hunter2"}}.Encode())
	require.Equal(t, 303, got.StatusCode, "which makes it a GET")
	require.Empty(t, got.Cookies(), "another site's form sets nothing")
	require.Equal(t, "no-store", got.Header.Get("Cache-Control"))
	require.Equal(t, "same-origin", got.Header.Get("Referrer-Policy"))
	to := got.Header.Get("Location")
	require.Equal(t, s.server.URL+"/api/auth/callback/form?"+url.Values{"state": {state}, "code": {"ada & co"}, "iss": nil}.Encode(), to)
	require.Equal(t, before, b.cookies())
	require.Empty(t, b.who(), "nobody is signed in by the form")

	got = b.get(to)
	require.Equal(t, s.server.URL+"/reports?a=b", got.Header.Get("Location"))
	require.Equal(t, "ada & co", b.who())
}

// TestCallbackByFormOfAnotherSite: whoever posts an answer of their own into somebody's
// browser gets no further than with a link.
func TestCallbackByFormOfAnotherSite(t *testing.T) { // ST-05, CB-08
	s := newFormSite(t, nil)
	attacker, victim := s.browser(), s.browser()
	state := attacker.start("form", "/").Get("state")
	victim.start("form", "/")
	got := victim.postAcross("/api/auth/callback/form", formType, url.Values{"state": {state}, "code": {"mallory"}}.Encode())
	require.Equal(t, 303, got.StatusCode)
	got = victim.get(got.Header.Get("Location"))
	require.True(t, strings.HasPrefix(got.Header.Get("Location"), "https://idp.example/"), "the victim signs in as themselves")
	require.Empty(t, victim.who())
	for _, e := range s.kinds() {
		require.NotEqual(t, auth.EventSignedIn, e)
	}
}

// TestCallbackTakesAFormOnlyWhereOneWasAskedFor: the answer to any other provider's
// request comes by GET.
func TestCallbackTakesAFormOnlyWhereOneWasAskedFor(t *testing.T) { // CB-04, ST-09
	s := newFormSite(t, nil)
	b := s.browser()
	for _, provider := range []string{"stub", "unasked"} {
		state := b.start(provider, "/").Get("state")
		got := b.post("/api/auth/callback/"+provider, formType, url.Values{"state": {state}, "code": {"ada"}}.Encode(), crossSite...)
		require.Equal(t, 405, got.StatusCode)
		require.Equal(t, "GET", got.Header.Get("Allow"))
		require.Equal(t, 303, b.back(provider, state, "ada").StatusCode, "and the attempt is still there")
	}
	state := b.start("stub", "/").Get("state")
	got := b.postAcross("/api/auth/callback/form", formType, url.Values{"state": {state}, "code": {"mallory"}}.Encode())
	got = b.get(got.Header.Get("Location"))
	require.Equal(t, 400, got.StatusCode, "the state is of another provider's attempt")
	require.Contains(t, s.reasons(), "InvalidResponse")
}

func TestCallbackByFormRefuses(t *testing.T) { // CB-03, ST-12
	s := newFormSite(t, nil)
	b := s.browser()
	state := b.start("form", "/").Get("state")
	good := "state=" + state + "&code=ada"
	for name, test := range map[string]struct {
		media, body string
		status      int
	}{
		"two codes":          {formType, good + "&code=eve", 400},
		"two states":         {formType, good + "&state=x", 400},
		"a malformed body":   {formType, "state=%zz", 400},
		"a body of 16 KiB":   {formType, good + "&user=" + strings.Repeat("x", 16<<10-len(good)-6), 303},
		"one byte more":      {formType, good + "&user=" + strings.Repeat("x", 16<<10-len(good)-5), 413},
		"a body of 1 MiB":    {formType, good + "&user=" + strings.Repeat("x", 1<<20), 413},
		"plain text":         {"text/plain", good, 415},
		"a multipart body":   {"multipart/form-data; boundary=x", "--x--", 415},
		"no type":            {"", good, 415},
		"a parameter of GET": {formType, "code=ada", 303}, // of which the state is no part
	} {
		t.Run(name, func(t *testing.T) {
			got := b.postAcross("/api/auth/callback/form?state="+state+"&code=mallory", test.media, test.body)
			require.Equal(t, test.status, got.StatusCode)
			require.NotContains(t, got.Header.Get("Location"), "mallory", "what stands in the address is not of the form")
			require.Empty(t, got.Cookies())
		})
	}
	got := b.postAcross("/api/auth/callback/form", formType, "code=ada")
	require.Equal(t, 400, b.get(got.Header.Get("Location")).StatusCode, "no state, no attempt")
	require.Equal(t, 405, b.send("HEAD", "/api/auth/callback/form?"+good, "").StatusCode)
	require.Equal(t, 405, b.send("PUT", "/api/auth/callback/form", good).StatusCode)
	require.Equal(t, "GET, POST", b.send("PUT", "/api/auth/callback/form", good).Header.Get("Allow"))
	require.Equal(t, 303, b.back("form", state, "ada").StatusCode, "none of it has used the attempt up")
}

// TestCallbackByFormBelowAPrefix: the redirect goes where browsers have the site.
func TestCallbackByFormBelowAPrefix(t *testing.T) {
	for _, path := range []string{"/api/auth/callback/form", "/app/api/auth/callback/form"} {
		a := newAuth(t, func(c *auth.Config) {
			c.URL, c.Providers = "https://app.example/app/api/auth", []auth.Provider{formStub{&stubProvider{name: "form"}}}
		})
		w := serve(a, "POST", "https://app.example"+path, "state=s&code=c", "Content-Type", formType)
		require.Equal(t, "https://app.example/app/api/auth/callback/form?code=c&state=s", w.Header().Get("Location"))
	}
}
