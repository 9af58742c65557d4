package clerk_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
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
