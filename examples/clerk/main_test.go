package main

import (
	"bytes"
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk/clerktest"
)

type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) { o.mu.Lock(); defer o.mu.Unlock(); return o.b.Write(p) }
func (o *output) String() string              { o.mu.Lock(); defer o.mu.Unlock(); return o.b.String() }

// TestClerk is a person's way through it, without a browser.
func TestClerk(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var out output
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, func(name string) string { return map[string]string{"PORT": "0"}[name] }, &out)
	}()
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "http://localhost:") }, 10*time.Second, 10*time.Millisecond)
	site := strings.Fields(out.String())[1]
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	get := func(address string) (string, *url.URL) {
		req, _ := http.NewRequest("GET", address, nil)
		req.Header.Set("Accept", "text/html")
		resp, err := browser.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return string(body), resp.Request.URL
	}
	body, _ := get(site + "/")
	require.Contains(t, body, "You are not signed in")
	body, at := get(site + "/account?tab=profile")
	require.Contains(t, body, "Ada Lovelace")
	ada := regexp.MustCompile(`href="(\?[^"]*user_ada[^"]*)"`).FindStringSubmatch(body)[1]
	next, err := at.Parse(html.UnescapeString(ada))
	require.NoError(t, err)
	body, at = get(next.String())
	require.Contains(t, body, `<dd id="who">user_ada</dd>`)
	require.Contains(t, body, `<dd id="name">Ada Lovelace</dd>`)
	require.Contains(t, body, `<dd id="email">ada@example.com</dd>`)
	require.NotContains(t, body, "<script", "the stand-in has no components")
	require.Equal(t, "/account", at.Path)

	body, at = get(site + "/account")
	require.Contains(t, body, "user_ada", "and stays signed in")
	require.Empty(t, at.RawQuery)

	// The session's token is lost; a handshake brings another.
	u, _ := url.Parse(site)
	lost := 0
	for _, c := range jar.Cookies(u) {
		if strings.HasPrefix(c.Name, "__session") {
			jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Path: "/", MaxAge: -1}})
			lost++
		}
	}
	require.Equal(t, 2, lost, "with the instance's suffix and without")
	body, _ = get(site + "/account")
	require.Contains(t, body, "user_ada")

	page, _ := get(site + "/api/auth/signout")
	token := regexp.MustCompile(`csrfToken" value="([0-9a-f]+)"`).FindStringSubmatch(page)[1]
	resp, err := browser.PostForm(site+"/api/auth/signout", url.Values{"csrfToken": {token}})
	require.NoError(t, err)
	resp.Body.Close()
	body, _ = get(site + "/account")
	require.Contains(t, body, "Who are you?", "signed out at Clerk too")
	cancel()
	require.NoError(t, <-done)
}

// TestWithKeys: the page brings the components of the instance that the keys are of.
func TestWithKeys(t *testing.T) {
	instance := clerktest.New(clerktest.Config{})
	env := map[string]string{"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": instance.PublishableKey, "CLERK_SECRET_KEY": instance.SecretKey}
	mux := http.NewServeMux()
	config, site, err := configure(func(name string) string { return env[name] }, "http://localhost:3000", mux)
	require.NoError(t, err)
	_, err = auth.New(config)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	site.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Contains(t, w.Body.String(), `src="https://`+instance.FrontendAPI+`/npm/@clerk/clerk-js@5/dist/clerk.browser.js"`)
	require.Contains(t, html.UnescapeString(w.Body.String()), `data-clerk-publishable-key="`+instance.PublishableKey+`"`)
	require.NotContains(t, w.Body.String(), instance.SecretKey)
	env["CLERK_SECRET_KEY"] = ""
	_, _, err = configure(func(name string) string { return env[name] }, "http://localhost:3000", mux)
	require.ErrorContains(t, err, "CLERK_SECRET_KEY")
}
