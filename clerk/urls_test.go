package clerk_test

import (
	"net/url"
	"strings"
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
	require.Equal(t, "https://accounts.example.com/sign-up"+query, b.SignUpURL(nil, back))
	pending := &auth.Decision{Value: &clerk.State{Claims: &clerk.Claims{Pending: true}}}
	require.Equal(t, "https://accounts.example.com/sign-in/tasks"+query, b.SignInURL(pending, back))
	_, b, _ = setup(t, true, func(c *clerk.Config) { c.SignInURL = "https://www.example.com/login?x=1" })
	require.Equal(t, "https://www.example.com/login/create?x=1&redirect_url=https%3A%2F%2Fwww.example.com%2Fa%3Fb%3Dc", b.SignUpURL(nil, back))
	_, b, _ = setup(t, true, func(c *clerk.Config) {
		c.SignInURL, c.SignUpURL = "https://www.example.com/login", "https://www.example.com/join"
	})
	require.Equal(t, "https://www.example.com/join"+query, b.SignUpURL(nil, back))
	_, b, _ = setup(t, true, func(c *clerk.Config) { c.SignInURL = "/login" })
	require.Equal(t, "https://www.example.com/login"+query, b.SignInURL(nil, back), "a page of the site that asks")
	require.Equal(t, "https://www.example.com/login/tasks"+query, b.SignInURL(pending, back))
	require.Equal(t, "https://www.example.com/login/create"+query, b.SignUpURL(nil, back))
	require.Equal(t, "https://www.example.com/login/create/tasks"+query, b.SignUpURL(pending, back))
	require.Equal(t, "/login?redirect_url=x", b.SignInURL(nil, "x"))
	for _, nothing := range []*auth.Decision{{}, {Value: "another"}, {Value: (*clerk.State)(nil)}} {
		require.Equal(t, "https://www.example.com/login"+query, b.SignInURL(nothing, back))
		require.Equal(t, "https://www.example.com/login/create"+query, b.SignUpURL(nothing, back))
	}
	_, b, _ = setup(t, true, func(c *clerk.Config) {
		c.SignInURL = "https://www.example.com/login?z=%zz&b=2;c=3&a&redirect_url=https://evil.example/"
	})
	require.Equal(t, "https://www.example.com/login?z=%zz&b=2;c=3&a&redirect_url=x", b.SignInURL(nil, "x"), "the text is kept, and nothing comes before redirect_url")
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
		require.Equal(t, "https://"+want+"/sign-up?redirect_url=x", b.SignUpURL(nil, "x"), host)
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

// TestSatelliteTellsItselfOfASignIn: on the way back from the primary domain's page a
// satellite has to ask, for the cookies there are not its own.
func TestSatelliteTellsItselfOfASignIn(t *testing.T) {
	const signIn, back = "https://primary.example.org/in", "https://sat.example.net/x"
	satellite := func(c *clerk.Config) { c.Satellite, c.Domain, c.SignInURL = true, "sat.example.net", signIn }
	for _, production := range []bool{true, false} {
		_, b, _ := setup(t, production, satellite)
		for returnTo, want := range map[string]string{
			back:                                   back + "?__clerk_synced=false",
			back + "?__clerk_synced=true":          back + "?__clerk_synced=false",
			back + "?__clerk_synced=true&a=b#part": back + "?a=b&__clerk_synced=false#part",
			back + "?z=%zz&b=2;c=3&%5F_clerk_synced=true&__clerk_synced=1": back + "?z=%zz&b=2;c=3&__clerk_synced=false",
			"https://PRIMARY.example.org:443/x":                            "https://PRIMARY.example.org:443/x",
			"https://primary.example.org:8443/x":                           "https://primary.example.org:8443/x?__clerk_synced=false",
			"x":                                                            "x",
		} {
			require.Equal(t, signIn+"?redirect_url="+url.QueryEscape(want), b.SignInURL(nil, returnTo))
			require.Equal(t, signIn+"/create?redirect_url="+url.QueryEscape(want), b.SignUpURL(nil, returnTo))
		}
		to, err := url.Parse(b.SignInURL(nil, back))
		require.NoError(t, err)
		s := mustDecide(t, b, page(to.Query().Get("redirect_url"), "Cookie", "__clerk_db_jwt=dvb_1"))
		require.Equal(t, "satellite-needs-syncing", s.Reason, "it does ask")
	}
	for name, change := range map[string]func(*clerk.Config){
		"no satellite": func(c *clerk.Config) { c.SignInURL = signIn },
		"a page here": func(c *clerk.Config) {
			satellite(c)
			c.ProxyURL = "/__clerk"
			c.SignInURL = "https://sat.example.com/in"
		},
	} {
		_, b, _ := setup(t, true, change)
		require.NotContains(t, b.SignInURL(nil, "https://sat.example.com/x"), "synced", name+": on its own host, or with cookies of its own")
	}
}

// TestSignInPageIsHandedTheDevelopmentBrowser: on another host it cannot see the cookie.
// A production instance has no such thing, and what looks like one goes nowhere.
func TestSignInPageIsHandedTheDevelopmentBrowser(t *testing.T) {
	const mine, theirs = "http://localhost:3000/x", "https://login.example.org/in"
	at := &url.URL{Scheme: "http", Host: "localhost:3000"}
	for name, test := range map[string]struct {
		production     bool
		signIn, handed string
	}{
		"Clerk's":            {false, "", "dvb_1"},
		"the application's":  {false, theirs, "dvb_1"},
		"one that has one":   {false, theirs + "?__clerk_db_jwt=dvb_0&a=b", "dvb_1"},
		"here":               {false, "/in", ""},
		"here, by address":   {false, "http://localhost:3000/in", ""},
		"on another port":    {false, "http://localhost:3001/in", "dvb_1"},
		"Clerk's, for real":  {true, "", ""},
		"another's for real": {true, theirs, ""},
	} {
		instance, b, _ := setup(t, test.production, func(c *clerk.Config) { c.SignInURL = test.signIn })
		for cookies, want := range map[string]string{
			"__clerk_db_jwt=dvb_1": test.handed, "__clerk_db_jwt=dvb_1; __session=nonsense; __client_uat=1": test.handed,
			"__clerk_db_jwt=dvb_1; __client_uat=1; __session=" + instance.Token(set("sts", "pending")): test.handed,
		} {
			d, err := b.Authenticate(page("/x", "Cookie", cookies), at)
			require.NoError(t, err, name)
			require.Nil(t, d.Session, name)
			for _, to := range []string{b.SignInURL(d, mine), b.SignUpURL(d, mine)} {
				u, err := url.Parse(to)
				require.NoError(t, err)
				require.Equal(t, want, u.Query().Get("__clerk_db_jwt"), "%s: %s", name, to)
				require.Equal(t, mine, u.Query().Get("redirect_url"))
				require.Equal(t, strings.Contains(cookies, instance.Token(nil)[:10]), strings.HasSuffix(u.Path, "/tasks"), "%s: %s", name, cookies)
			}
			require.NotContains(t, b.SignInURL(nil, mine), "dvb_1", name)
		}
	}
}
