// Package visit is a person at an example, for the tests of the examples: a
// browser without scripts that keeps cookies, follows redirects, and presses what a
// page offers.
package visit

import (
	"bufio"
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Start runs an example until the test ends, and returns the first lines that it
// says, as many as n; what it says after that is dropped. The test fails if run ends
// before, or with an error.
func Start(t testing.TB, n int, run func(ctx context.Context, out io.Writer) error) (lines []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	said, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, out)
		out.CloseWithError(err)
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	scanner := bufio.NewScanner(said)
	for range n {
		require.True(t, scanner.Scan(), "the example ended early: %v", scanner.Err())
		lines = append(lines, scanner.Text())
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	return lines
}

// Visitor is one person's browser. Its Jar is empty at first.
type Visitor struct {
	*http.Client
	t testing.TB
}

// New returns somebody who has never been anywhere.
func New(t testing.TB) *Visitor {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &Visitor{&http.Client{Jar: jar}, t}
}

// Page is what a request ended at.
type Page struct {
	Status int
	Body   string
	Header http.Header
	At     *url.URL // after the redirects
}

// Do sends a request as a program would, with header, which may be nil, and with
// form as the body unless it is nil.
func (v *Visitor) Do(method, address string, form url.Values, header http.Header) Page {
	v.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, address, body)
	require.NoError(v.t, err)
	if header != nil {
		req.Header = header.Clone()
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := v.Client.Do(req)
	require.NoError(v.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(v.t, err)
	return Page{resp.StatusCode, string(text), resp.Header, resp.Request.URL}
}

// Get goes to a page, as a browser does for somebody.
func (v *Visitor) Get(address string) Page {
	v.t.Helper()
	return v.Do("GET", address, nil, http.Header{"Accept": {"text/html"}})
}

var csrfToken = regexp.MustCompile(`csrfToken" value="([0-9a-f]+)"`)

// Press sends the form of page to address, with its CSRF token and with what form
// says beside it.
func (v *Visitor) Press(page Page, address string, form url.Values) Page {
	v.t.Helper()
	token := csrfToken.FindStringSubmatch(page.Body)
	require.NotNil(v.t, token, "no form in %s", page.Body)
	all := url.Values{"csrfToken": token[1:]}
	for name, values := range form {
		all[name] = values
	}
	return v.Do("POST", address, all, http.Header{"Accept": {"text/html"}})
}

var link = regexp.MustCompile(`href="([^"]*)"`)

// Follow goes where the first link of page leads whose address has part in it.
func (v *Visitor) Follow(page Page, part string) Page {
	v.t.Helper()
	for _, found := range link.FindAllStringSubmatch(page.Body, -1) {
		if address := html.UnescapeString(found[1]); strings.Contains(address, part) {
			to, err := page.At.Parse(address)
			require.NoError(v.t, err)
			return v.Get(to.String())
		}
	}
	require.Fail(v.t, "no such link", "%q in %s", part, page.Body)
	return Page{}
}
