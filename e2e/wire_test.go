package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

// wireCase is one request to the routes.
type wireCase struct {
	Name    string            `json:"name"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	V4      bool              `json:"v4"` // what next-auth v4's client sends, to be compared with v4
}

// thrown is the status of an exception instead of an answer.
const thrown = 599

type wireAnswer struct {
	Status                      int
	Location, Type, Cache, Body string
	Cookies                     []string
}

// TestWire sends the same requests to Auth.js and to the Go routes. Every
// difference has to be one of those in wireDifference.
func TestWire(t *testing.T) { // CS-02, CS-03, CS-04, SE-13
	w := newWire(t)
	w.list()
	require.Greater(t, len(w.cases), 150)
	input, err := json.Marshal(map[string]any{"secret": wireSecret, "code": accessCode, "issuer": "http://127.0.0.1:9002", "cases": w.cases})
	require.NoError(t, err)
	node := exec.Command("node", "authjs/wire.mjs")
	node.Stdin, node.Stderr = bytes.NewReader(input), os.Stderr
	output, err := node.Output()
	require.NoError(t, err)
	var theirs []wireAnswer
	require.NoError(t, json.Unmarshal(output, &theirs))
	require.Len(t, theirs, len(w.cases))
	counts, same := map[string]int{}, 0
	for n, c := range w.cases {
		ours := w.ask(c, fmt.Sprintf("198.18.%d.%d:1", n/250, n%250)) // one client each: nobody is limited
		require.True(t, theirs[n].Status != thrown || c.V4, "%s\n%s", c.Name, theirs[n].Body)
		require.True(t, ours.Status < 500 || strings.Contains(c.URL, "/error"), "%s: nothing that a browser sends is our failure", c.Name)
		different := differ(c, ours, theirs[n])
		if len(different) == 0 {
			same++
		}
		for _, what := range different {
			why := wireDifference(c, what, ours, theirs[n])
			if why == "" {
				t.Errorf("%s: %s\n%s %s %v %s\nours   %s\ntheirs %s", c.Name, what, c.Method, c.URL, c.Headers, c.Body, ours, theirs[n])
			}
			counts[why]++
		}
	}
	t.Logf("%d requests, %d answered alike", len(w.cases), same)
	for why, n := range counts {
		t.Logf("%4d %s", n, why)
	}
}

func (a wireAnswer) String() string {
	body := a.Body
	if a.kind() == "html" {
		body = "<page>"
	}
	return fmt.Sprintf("%d %q %s cache=%q cookies=%q %.300s", a.Status, a.Location, a.kind(), a.Cache, a.Cookies, body)
}

func (a wireAnswer) kind() string {
	for _, k := range []string{"json", "html"} {
		if strings.Contains(a.Type, k) {
			return k
		}
	}
	return ""
}

// differ says in what two answers differ.
func differ(c wireCase, a, b wireAnswer) (list []string) {
	add := func(what string, different bool) {
		if different {
			list = append(list, what)
		}
	}
	redirects := func(w wireAnswer) bool { return w.Status == 302 || w.Status == 303 }
	add("status", a.Status != b.Status && !(redirects(a) && redirects(b)))
	add("redirect status", redirects(a) && redirects(b) && a.Status != b.Status)
	add("location", redirects(a) && redirects(b) && target(a.Location) != target(b.Location))
	if a.Status == b.Status && a.kind() == "json" && b.kind() == "json" {
		add("JSON", jsonOf(a.Body) != jsonOf(b.Body))
	} else if a.Status == b.Status {
		add("kind", a.kind() != b.kind())
	}
	add("cache", a.kind() == "json" && strings.Contains(b.Cache, "no-store") && !strings.Contains(a.Cache, "no-store"))
	ours, theirs := cookiesOf(a.Cookies), cookiesOf(b.Cookies)
	for name := range theirs {
		add("no cookie "+name, !c.V4 && ours[name] == "")
	}
	for name, attributes := range ours {
		add("cookie "+name, !c.V4 && theirs[name] == "")
		add("attributes of "+name+": "+attributes+" / "+theirs[name], !c.V4 && theirs[name] != "" && theirs[name] != attributes)
	}
	slices.Sort(list)
	return list
}

// target is a redirect's, with what is random in it left out.
func target(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return location
	}
	q := u.Query()
	for _, random := range []string{"state", "nonce", "code_challenge", "request_id"} {
		q.Del(random)
	}
	u.RawQuery = q.Encode()
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

// jsonOf is a body in one spelling, with what is random or a time left out.
func jsonOf(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return body
	}
	if m, ok := v.(map[string]any); ok {
		if to, ok := m["url"].(string); ok {
			m["url"] = target(to)
		}
		if text, ok := m["expires"].(string); ok {
			if at, err := time.Parse("2006-01-02T15:04:05.000Z", text); err == nil && time.Until(at).Hours() > 29*24 {
				m["expires"] = "*"
			}
		}
		if _, ok := m["csrfToken"].(string); ok && m["csrfToken"] != wireToken {
			m["csrfToken"] = "*"
		}
	}
	text, _ := json.Marshal(v)
	return string(text)
}

// cookiesOf says of each cookie how it is set, or that it is deleted. The cookies
// of an attempt to sign in are one.
func cookiesOf(lines []string) map[string]string {
	set := map[string]string{}
	for _, line := range lines {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			set[line] = "malformed"
			continue
		}
		name := c.Name
		for _, part := range []string{"authjs.pkce", "authjs.state", "authjs.nonce", "authjs.txn"} {
			if strings.Contains(name, part) {
				name = "attempt"
			}
		}
		kept := "for the browser's session"
		if c.MaxAge < 0 || !c.Expires.IsZero() && c.Expires.Before(time.Now()) {
			kept = "deleted"
		} else if c.MaxAge > 0 || !c.Expires.IsZero() {
			kept = "kept"
		}
		set[name] = fmt.Sprint(kept, " path=", c.Path, " domain=", c.Domain, " http=", c.HttpOnly, " secure=", c.Secure, " site=", c.SameSite)
	}
	return set
}

// ask sends c to the Go routes.
func (w *wire) ask(c wireCase, from string) wireAnswer {
	a := w.routes
	if c.V4 {
		a = w.routesV4
	}
	r := httptest.NewRequest(c.Method, c.URL, strings.NewReader(c.Body))
	for name, value := range c.Headers {
		r.Header.Set(name, value)
	}
	r.RemoteAddr = from
	rec := httptest.NewRecorder()
	a.ServeHTTP(rec, r)
	h := rec.Header()
	return wireAnswer{rec.Code, h.Get("Location"), h.Get("Content-Type"), h.Get("Cache-Control"), rec.Body.String(), h.Values("Set-Cookie")}
}

type wire struct {
	t                *testing.T
	routes, routesV4 *auth.Authenticator
	session          string // a cookie
	cases            []wireCase
}
