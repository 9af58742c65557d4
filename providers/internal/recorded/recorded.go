// Package recorded tests providers of servers at fixed addresses, which no stand-in
// can take the place of: answers of the shape that a server documents are given in
// memory, and changed one by one.
package recorded

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/sallyport/auth"
)

// What the application is at a server, and what a sign-in there has that must not show.
const (
	ClientID    = "the-client"
	Secret      = "client-secret-that-must-not-show"
	Code        = "code-that-must-not-show"
	AccessToken = "token-that-must-not-show"
)

// A Server answers in memory. It is not safe for concurrent use.
type Server struct {
	// Answers are by host and path. Text is a JSON answer with status 200; a
	// [http.HandlerFunc] answers by itself. What is not there is not found.
	Answers map[string]any

	// PlainText calls every text text/plain, as WeChat does.
	PlainText bool

	// Asked has the requests, and Bodies what was in them.
	Asked  []*http.Request
	Bodies []string
}

// RoundTrip implements [http.RoundTripper].
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	s.Asked, s.Bodies = append(s.Asked, r), append(s.Bodies, string(body))
	w := httptest.NewRecorder()
	switch answer := s.Answers[r.URL.Host+r.URL.Path].(type) {
	case string:
		w.Header().Set("Content-Type", map[bool]string{false: "application/json", true: "text/plain"}[s.PlainText])
		_, _ = w.WriteString(answer)
	case http.HandlerFunc:
		answer(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	return w.Result(), nil
}

// hits is how often address was asked.
func (s *Server) hits(address string) (n int) {
	for _, r := range s.Asked {
		if r.URL.Host+r.URL.Path == address {
			n++
		}
	}
	return n
}

// A Kit checks one provider.
type Kit struct {
	New       func(*http.Client) (auth.Provider, error) // with ClientID and Secret
	Answers   map[string]string                         // of a sign-in that succeeds, by host and path
	Token     string                                    // the token endpoint among them
	Client    string                                    // what the client's id is called. If empty, client_id
	NoPKCE    bool
	PlainText bool
}

// SignIn takes a new provider through one sign-in, with change in the place of
// answers. The server tells what was asked.
func (k Kit) SignIn(change map[string]any) (*auth.Identity, *Server, error) {
	return k.answer(change, url.Values{"code": {Code}, "state": {"state"}})
}

func (k Kit) answer(change map[string]any, response url.Values) (*auth.Identity, *Server, error) {
	s := &Server{Answers: map[string]any{}, PlainText: k.PlainText}
	for address, answer := range k.Answers {
		s.Answers[address] = answer
	}
	for address, answer := range change {
		s.Answers[address] = answer
	}
	p, err := k.New(&http.Client{Transport: s})
	if err != nil {
		return nil, s, err
	}
	id, err := p.Exchange(context.Background(), transaction(p), response)
	return id, s, err
}

func transaction(p auth.Provider) auth.Transaction {
	return auth.Transaction{
		Provider: p.Name(), State: "state", Verifier: strings.Repeat("v", 43), RedirectURI: "https://app.example/api/auth/callback/" + p.Name(),
		Params: url.Values{"state": {"evil"}, "redirect_uri": {"https://evil.example"}, "scope": {"evil"}, "client_id": {"evil"}, "appid": {"evil"}, "code_challenge": {"evil"}},
	}
}

// Check holds the provider to what every one keeps. The error joins every violation.
func (k Kit) Check() error {
	var all error
	violation := func(format string, args ...any) { all = errors.Join(all, fmt.Errorf("recorded: "+format, args...)) }
	p, err := k.New(nil)
	if err != nil {
		return err
	}
	k.checkRequest(p, violation)
	if strings.Contains(fmt.Sprintf("%v %+v %#v", p, p, p), Secret) {
		violation("the provider shows the client's secret")
	}
	first, s, err := k.SignIn(nil)
	if err != nil {
		return errors.Join(all, fmt.Errorf("recorded: nobody can sign in: %w", err))
	}
	if first.Issuer == "" || first.Subject == "" || s.hits(k.Token) != 1 {
		violation("issuer %q, subject %q, %d token requests", first.Issuer, first.Subject, s.hits(k.Token))
	}
	for why, response := range map[string]url.Values{
		"an error": {"error": {"access_denied"}}, "an error beside a code": {"error": {"x"}, "code": {Code}}, "no code": {}, "two codes": {"code": {Code, Code}},
		"tokens": {"access_token": {"x"}}, "another issuer": {"code": {Code}, "iss": {"https://evil.example"}},
	} {
		if _, s, err := k.answer(nil, response); err == nil || len(s.Asked) > 0 {
			violation("a callback with %s: %v, %d requests, want an error and none", why, err, len(s.Asked))
		}
	}
	for address := range k.Answers {
		k.checkAnswers(address, violation)
	}
	return all
}

// checkRequest looks at the authorization request.
func (k Kit) checkRequest(p auth.Provider, violation func(string, ...any)) {
	tx := transaction(p)
	raw, err := p.AuthCodeURL(context.Background(), tx)
	u, _ := url.Parse(raw)
	if err != nil || u == nil {
		violation("no address to send the browser to: %v", err)
		return
	}
	sum := sha256.Sum256([]byte(tx.Verifier))
	want := map[string]string{
		"response_type": "code", "redirect_uri": tx.RedirectURI, "state": "state", "client_id": ClientID,
		"code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "S256",
	}
	if k.Client != "" {
		delete(want, "client_id")
		want[k.Client] = ClientID
	}
	if k.NoPKCE {
		delete(want, "code_challenge")
		delete(want, "code_challenge_method")
	}
	for _, name := range []string{"response_type", "redirect_uri", "state", "client_id", "appid", "code_challenge", "code_challenge_method"} {
		got, value := u.Query()[name], want[name]
		if value == "" && got != nil || value != "" && (len(got) != 1 || got[0] != value) {
			violation("the address has %s %q, want %q", name, got, value)
		}
	}
	if strings.Contains(raw, Secret) || strings.Contains(raw, tx.Verifier) || strings.Contains(raw, "evil") {
		violation("the address shows what it must not, or takes from the request what is its own: %s", raw)
	}
}

// checkAnswers spoils those of one address, each of which has to fail.
func (k Kit) checkAnswers(address string, violation func(string, ...any)) {
	status := func(n int) http.HandlerFunc { return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) } }
	good := k.Answers[address]
	for why, answer := range map[string]any{
		"is down":               status(503),
		"has too many requests": status(429),
		"redirects": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/", http.StatusTemporaryRedirect)
		}),
		"answers HTML":             "<html>" + Secret,
		"answers nothing":          "",
		"answers no object":        "[]",
		"answers an empty object":  "{}",
		"answers too much":         good + strings.Repeat(" ", 1<<20),
		"answers twice":            good + good,
		"answers in broken UTF-8":  strings.Replace(good, "{", "{\"x\":\"\xff\",", 1),
		"has a member twice":       strings.Replace(good, "{", `{"x":1,"x":2,`, 1),
		"refuses, and says why":    `{"error":"invalid_request","error_description":"x"}`,
		"refuses, with the secret": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, Secret+Code+AccessToken, 400) }),
	} {
		_, s, err := k.SignIn(map[string]any{address: answer})
		switch {
		case err == nil:
			violation("%s %s, and somebody signs in", address, why)
			continue
		case s.hits(k.Token) != 1 || s.hits("evil.example/") != 0:
			violation("%s %s: the token endpoint is asked %d times, want once", address, why, s.hits(k.Token))
		}
		for _, secret := range []string{Secret, Code, AccessToken} {
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
				violation("%s %s, and the error shows %s", address, why, secret)
			}
		}
		if down := strings.HasPrefix(why, "is down") || strings.HasPrefix(why, "has too many r"); down && !errors.Is(err, auth.ErrUnavailable) {
			violation("%s %s: %v, want auth.ErrUnavailable", address, why, err)
		}
	}
}
