package main

import (
	"bytes"
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) { o.mu.Lock(); defer o.mu.Unlock(); return o.b.Write(p) }
func (o *output) String() string              { o.mu.Lock(); defer o.mu.Unlock(); return o.b.String() }

// TestQuickstart is a person's way through it, without a browser.
func TestQuickstart(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var out output
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, func(name string) string { return map[string]string{"PORT": "0"}[name] }, &out)
	}()
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "http://localhost:") }, 10*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "access code") }, 10*time.Second, 10*time.Millisecond)
	words := strings.Fields(out.String())
	site, code := words[1], words[len(words)-1]
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
	body, _ = get(site + "/account?tab=profile")
	require.Contains(t, body, "Continue with Demo")
	token := regexp.MustCompile(`csrfToken" value="([0-9a-f]+)"`).FindStringSubmatch(body)[1]
	resp, err := browser.PostForm(site+"/api/auth/signin/demo", url.Values{"csrfToken": {token}, "callbackUrl": {"/account?tab=profile"}})
	require.NoError(t, err)
	people, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	require.Contains(t, string(people), "Ada Lovelace")
	ada := regexp.MustCompile(`href="(\?[^"]*login_hint=ada[^"]*)"`).FindStringSubmatch(string(people))[1]
	next, err := resp.Request.URL.Parse(html.UnescapeString(ada))
	require.NoError(t, err)
	body, at := get(next.String())
	require.Equal(t, "/account?tab=profile", at.RequestURI())
	require.Contains(t, body, "Ada Lovelace")
	jar, _ = cookiejar.New(nil)
	browser.Jar = jar
	body, _ = get(site + "/account")
	token = regexp.MustCompile(`csrfToken" value="([0-9a-f]+)"`).FindStringSubmatch(body)[1]
	resp, err = browser.PostForm(site+"/api/auth/signin/access-code", url.Values{"csrfToken": {token}, "callbackUrl": {"/account"}, "code": {code}})
	require.NoError(t, err)
	text, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	require.Contains(t, string(text), "quickstart</strong>. You are at <code>/account")
	cancel()
	require.NoError(t, <-done)
}

func TestEnvironmentIsUsed(t *testing.T) {
	err := run(context.Background(), func(name string) string { return map[string]string{"NEXT_AUTH_SSO_PROVIDERS": "github"}[name] }, io.Discard)
	require.ErrorContains(t, err, "NEXT_AUTH_SECRET is not set")
	err = run(context.Background(), func(name string) string { return map[string]string{"ACCESS_CODE": "short"}[name] }, io.Discard)
	require.ErrorContains(t, err, "ACCESS_CODE has code 1")
}
