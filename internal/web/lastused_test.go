package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

// lastSet is the cookie in got that says by which way its browser signed in.
func lastSet(got answer) *http.Cookie {
	for _, c := range got.Cookies() {
		if strings.HasSuffix(c.Name, ".last") {
			return c
		}
	}
	return nil
}

const lastMark = `<span class="last">`

func TestLastUsedWay(t *testing.T) { // CK-01, CK-03
	s := newSite(t, func(c *auth.Config) { c.AccessCode = gate(t, c.Now, goodCode) })
	b := s.browser()
	require.NotContains(t, b.get("/api/auth/signin").text, lastMark)
	state := b.start("other", "/").Get("state")
	require.NotContains(t, b.get("/api/auth/signin").text, lastMark, "not before it has come to an end")
	cookie := lastSet(b.back("other", state, "ada"))
	require.NotNil(t, cookie)
	require.Equal(t, "__Host-authjs.last=other; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax", cookie.String())

	page := b.get("/api/auth/signin").text
	require.Contains(t, page, "Continue with other</span>"+lastMark)
	require.Equal(t, 1, strings.Count(page, lastMark))
	b.do("POST", "/api/auth/signout", url.Values{"csrfToken": {b.csrf()}})
	require.Empty(t, b.who())
	require.Contains(t, b.get("/api/auth/signin").text, "Continue with other</span>"+lastMark, "that is when it helps")

	require.Equal(t, "access-code", lastSet(b.sendCode(goodCode)).Value)
	page = b.get("/api/auth/signin").text
	require.Equal(t, 1, strings.Count(page, lastMark))
	require.Contains(t, page, "Use an access code "+lastMark)
}

func TestLastUsedWayThatIsNone(t *testing.T) { // HD-04
	s := newSite(t, nil)
	plain := s.browser().get("/api/auth/signin").text
	for _, value := range []string{"gone", "", "access-code", `<script>`, "STUB", strings.Repeat("x", 4000)} {
		page := s.browser().get("/api/auth/signin", "Cookie", "__Host-authjs.last="+value).text
		require.NotContains(t, page, lastMark, "%.20q", value)
		require.Equal(t, len(plain), len(page), "%.20q", value)
	}
	require.NotContains(t, s.browser().get("/api/auth/signin", "Cookie", "authjs.last=stub").text, lastMark, "another host of the domain may have set it")
}

func TestOneWayIsNotMarked(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.Providers = c.Providers[:1] })
	b := s.browser()
	require.Nil(t, lastSet(b.back("stub", b.start("stub", "/").Get("state"), "ada")), "there is nothing to choose")
}

func TestRefusedSignInIsNotTheLast(t *testing.T) {
	s := newSite(t, func(c *auth.Config) { c.Policy, _ = auth.AllowEmails("nobody@example.com") })
	b := s.browser()
	require.Nil(t, lastSet(b.back("stub", b.start("stub", "/").Get("state"), "ada")))
}
