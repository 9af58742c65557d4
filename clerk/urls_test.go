package clerk_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

func TestURLsOfClerksPages(t *testing.T) {
	_, b, _ := setup(t, true, nil)
	back := "https://www.example.com/a?b=c"
	query := "?redirect_url=https%3A%2F%2Fwww.example.com%2Fa%3Fb%3Dc"
	require.Equal(t, "https://accounts.example.com/sign-in"+query, b.SignInURL(nil, back))
	require.Equal(t, "https://accounts.example.com/sign-up"+query, b.SignUpURL(back))
	pending := &auth.Decision{Value: &clerk.State{Claims: &clerk.Claims{Pending: true}}}
	require.Equal(t, "https://accounts.example.com/sign-in/tasks"+query, b.SignInURL(pending, back))
	_, b, _ = setup(t, true, func(c *clerk.Config) { c.SignInURL = "https://www.example.com/login?x=1" })
	require.Equal(t, "https://www.example.com/login/create?redirect_url=https%3A%2F%2Fwww.example.com%2Fa%3Fb%3Dc&x=1", b.SignUpURL(back))
	_, b, _ = setup(t, true, func(c *clerk.Config) {
		c.SignInURL, c.SignUpURL = "https://www.example.com/login", "https://www.example.com/join"
	})
	require.Equal(t, "https://www.example.com/join"+query, b.SignUpURL(back))
	_, b, _ = setup(t, true, func(c *clerk.Config) { c.SignInURL = "/login" })
	require.Equal(t, "https://www.example.com/login"+query, b.SignInURL(nil, back), "a page of the site that asks")
	require.Equal(t, "https://www.example.com/login/tasks"+query, b.SignInURL(pending, back))
	require.Equal(t, "https://www.example.com/login/create"+query, b.SignUpURL(back))
	require.Equal(t, "/login?redirect_url=x", b.SignInURL(nil, "x"))
}

func TestReturnURLs(t *testing.T) { // RD-02
	_, b, _ := setup(t, true, func(c *clerk.Config) { c.RedirectOrigins = []string{"https://sat.example.net"} })
	for raw, want := range map[string]string{
		"https://www.example.com/a?b":       "https://www.example.com/a?b",
		"https://sat.example.net/x":         "https://sat.example.net/x",
		"https://evil.example/":             "https://www.example.com/",
		"https://www.example.com@evil.test": "https://www.example.com/",
		"https://www.example.com.evil.test": "https://www.example.com/",
		"https://me:word@www.example.com/x": "https://www.example.com/",
		"http://www.example.com/":           "https://www.example.com/",
		"//evil.test":                       "https://www.example.com/",
		`https:/\evil.test`:                 "https://www.example.com/",
		`https://www.example.com/\a`:        "https://www.example.com/",
		"javascript:alert(1)":               "https://www.example.com/",
		"https://www.example.com/\r\nx":     "https://www.example.com/",
		"":                                  "https://www.example.com/",
	} {
		require.Equal(t, want, b.ReturnURL(raw, origin), raw)
	}
}

func TestClerksPagesOfAnInstance(t *testing.T) {
	for host, want := range map[string]string{
		"clerk.example.com":                   "accounts.example.com",
		"clerk.shop.example.com":              "accounts.shop.example.com",
		"clerk.clerk.example.com":             "accounts.clerk.example.com",
		"happy-cat-1.clerk.accounts.dev":      "happy-cat-1.accounts.dev",
		"happy-cat-1.clerk.accountsstage.dev": "happy-cat-1.accountsstage.dev",
		"login.example.com":                   "login.example.com",
	} {
		i := clerktest.New(clerktest.Config{FrontendAPI: host})
		b, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey)})
		require.NoError(t, err)
		require.Equal(t, "https://"+want+"/sign-in?redirect_url=x", b.SignInURL(nil, "x"), host)
		require.Equal(t, "https://"+want+"/sign-up?redirect_url=x", b.SignUpURL("x"), host)
		require.Equal(t, "https://"+host, b.FrontendAPI())
	}
	_, b, _ := setup(t, true, func(c *clerk.Config) { c.ProxyURL = "https://www.example.com/__clerk/" })
	require.Equal(t, "https://www.example.com/__clerk", b.FrontendAPI())
	_, b, _ = setup(t, true, func(c *clerk.Config) { c.Satellite, c.Domain = true, "sat.example.net" })
	require.Equal(t, "https://clerk.sat.example.net", b.FrontendAPI())
	_, b, _ = setup(t, true, func(c *clerk.Config) { c.Domain = "sat.example.net" })
	require.Equal(t, "https://clerk.example.com", b.FrontendAPI(), "no satellite")
	_, b, _ = setup(t, false, func(c *clerk.Config) {
		c.Satellite, c.Domain, c.SignInURL = true, "sat.example.net", "https://www.example.com/in"
	})
	require.Equal(t, "https://example.clerk.accounts.dev", b.FrontendAPI(), "no production")
}

func TestTasksOfAPendingSession(t *testing.T) {
	_, b, _ := setup(t, true, func(c *clerk.Config) { c.SignInURL = "https://www.example.com/login/?a=b" })
	for name, test := range map[string]struct {
		state any
		want  string
	}{
		"pending":     {&clerk.State{Claims: &clerk.Claims{Pending: true}}, "https://www.example.com/login/tasks?a=b&redirect_url=x"},
		"signed out":  {&clerk.State{}, "https://www.example.com/login/?a=b&redirect_url=x"},
		"not Clerk's": {"another", "https://www.example.com/login/?a=b&redirect_url=x"},
		"signed in":   {&clerk.State{Claims: &clerk.Claims{}}, "https://www.example.com/login/?a=b&redirect_url=x"},
	} {
		require.Equal(t, test.want, b.SignInURL(&auth.Decision{Value: test.state}, "x"), name)
	}
}
