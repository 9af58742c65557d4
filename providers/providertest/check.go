package providertest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/auth"
)

// Target is what a provider under test is to be configured with: an [IdP] in
// the place of the real one. For an OpenID Connect provider, Base is the issuer; for
// GitHub's kind, what stands for https://github.com.
type Target struct {
	Base         string // the server's address
	ClientID     string // as which the provider is to authenticate, as with the secret
	ClientSecret auth.Secret
	HTTPClient   *http.Client // that reaches it
}

// Kit checks providers. Its zero value checks an OpenID Connect provider.
type Kit struct {
	// OAuth2 says that the provider has no ID tokens.
	OAuth2 bool

	// TrailingSlash says that the issuer ends with a slash.
	TrailingSlash bool

	// People to sign in, at least one. If nil, two ordinary ones.
	People []Person
}

const kitSecret = "kit-client-secret-that-must-not-show"

// TestProvider fails t with everything that [Kit.Check] finds.
func (k Kit) TestProvider(t testing.TB, newProvider func(Target) (auth.Provider, error)) {
	t.Helper()
	if err := k.Check(newProvider); err != nil {
		t.Error(err)
	}
}

// Check holds the provider that newProvider makes to the contract of
// [auth.Provider]. The error joins every violation, each with the reason why it
// matters; it is nil when there are none.
func (k Kit) Check(newProvider func(Target) (auth.Provider, error)) error {
	if k.People == nil {
		k.People = []Person{
			{Subject: "ada", Username: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true, Claims: map[string]any{"id": 4711}},
			{Subject: "lin", Username: "lin", Name: "林晓", Email: "lin@example.com", Claims: map[string]any{"id": 4712}},
		}
	}
	idp := NewServer(Config{Clients: []Client{{ID: "kit", Secret: kitSecret}}, People: k.People})
	defer idp.Close()
	if k.TrailingSlash {
		idp.config.Issuer += "/"
	}
	p, err := newProvider(Target{idp.Issuer(), "kit", auth.NewSecret(kitSecret), nil})
	if err != nil {
		return fmt.Errorf("the provider cannot be made: %w", err)
	}
	c := &checker{kit: k, idp: idp, p: p}
	if n := idp.Hits("discovery"); n != 0 {
		c.violation("New calls the network: one provider that is down must not keep a program from starting")
	}
	c.name()
	c.authCodeURL()
	c.signIn()
	c.refusals()
	if !k.OAuth2 {
		c.idTokens()
	}
	c.outage()
	c.secrets()
	return c.err
}

type checker struct {
	kit Kit
	idp *Server
	p   auth.Provider
	err error
}

func (c *checker) violation(format string, args ...any) {
	c.err = errors.Join(c.err, fmt.Errorf("providertest: "+format, args...))
}

func (c *checker) transaction() auth.Transaction {
	return auth.Transaction{
		Provider: c.p.Name(), State: randomText(), Nonce: randomText(), Verifier: randomText() + randomText(),
		RedirectURI: "https://app.example/api/auth/callback/" + c.p.Name(), ReturnTo: "/", Expires: time.Now().Add(time.Minute),
	}
}

func (c *checker) name() {
	if n := c.p.Name(); !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(n) {
		c.violation("Name is %q, want lower-case letters, digits and hyphens: it stands in URLs", n)
	}
}

func (c *checker) authCodeURL() {
	tx := c.transaction()
	tx.Params = url.Values{"state": {"evil"}, "redirect_uri": {"https://evil.example"}, "scope": {"evil"}, "client_id": {"evil"}, "code_challenge_method": {"plain"}}
	raw, err := c.p.AuthCodeURL(context.Background(), tx)
	if err != nil {
		c.violation("AuthCodeURL fails: %w", err)
		return
	}
	u, err := url.Parse(raw)
	if err != nil {
		c.violation("AuthCodeURL is no URL: %w", err)
		return
	}
	sum := sha256.Sum256([]byte(tx.Verifier))
	want := map[string]string{
		"response_type": "code", "client_id": "kit", "redirect_uri": tx.RedirectURI, "state": tx.State,
		"code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "S256",
	}
	if !c.kit.OAuth2 {
		want["nonce"] = tx.Nonce
	}
	for name, value := range want {
		if got := u.Query()[name]; len(got) != 1 || got[0] != value {
			c.violation("AuthCodeURL has %s %q, want it once, and no parameter of the request to change it (RFC 6749 4.1.1, RFC 7636 4.3)", name, got)
		}
	}
	for _, secret := range []string{tx.Verifier, kitSecret} {
		if strings.Contains(raw, secret) {
			c.violation("AuthCodeURL shows a secret: it ends up in histories and logs")
		}
	}
}

// attempt signs a person in and lets change spoil the answer at the callback.
func (c *checker) attempt(person Person, change func(url.Values)) (*auth.Identity, error) {
	tx := c.transaction()
	raw, err := c.p.AuthCodeURL(context.Background(), tx)
	if err != nil {
		return nil, err
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(raw + "&login_hint=" + url.QueryEscape(person.Subject))
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		return nil, fmt.Errorf("the identity provider does not redirect: %w", err)
	}
	response := back.Query()
	if change != nil {
		change(response)
	}
	return c.p.Exchange(context.Background(), tx, response)
}

func (c *checker) signIn() {
	seen := map[string]bool{}
	for _, person := range c.kit.People {
		first, err := c.attempt(person, nil)
		if err != nil {
			c.violation("%s cannot sign in: %w", person.Subject, err)
			return
		}
		again, err := c.attempt(person, nil)
		if err != nil {
			c.violation("%s cannot sign in a second time: %w", person.Subject, err)
			return
		}
		key := first.Issuer + " " + first.Subject
		switch {
		case first.Issuer == "" || first.Subject == "" || len(first.Subject) > 255:
			c.violation("the identity has issuer %q and subject %q: both are needed, the subject at most 255 bytes", first.Issuer, first.Subject)
		case first.Subject != again.Subject || first.Issuer != again.Issuer:
			c.violation("the subject changes from one sign-in to the next: it is what an account is known by")
		case seen[key]:
			c.violation("two people have the subject %q", first.Subject)
		case first.EmailVerified && !person.EmailVerified:
			c.violation("%s's address counts as verified, and the provider did not say so: whoever types it in takes over the account", person.Subject)
		}
		seen[key] = true
	}
}

func (c *checker) refusals() {
	person := c.kit.People[0]
	for _, one := range []struct {
		why    string
		change func(url.Values)
	}{
		{"an error", func(v url.Values) { v.Del("code"); v.Set("error", "access_denied") }},
		{"an error beside a code", func(v url.Values) { v.Set("error", "access_denied") }},
		{"no code", func(v url.Values) { v.Del("code") }},
		{"an empty code", func(v url.Values) { v.Set("code", "") }},
		{"two codes", func(v url.Values) { v.Add("code", "x") }},
		{"another issuer (RFC 9207 2.4)", func(v url.Values) { v.Set("iss", "https://evil.example") }},
		{"two issuers", func(v url.Values) { v.Add("iss", "https://evil.example") }},
	} {
		before := c.idp.Hits("token")
		if _, err := c.attempt(person, one.change); err == nil {
			c.violation("a callback with %s signs in", one.why)
		}
		if c.idp.Hits("token") != before {
			c.violation("a callback with %s makes the code be redeemed", one.why)
		}
	}
	if _, err := c.attempt(person, func(v url.Values) { v.Del("code"); v.Set("error", "access_denied") }); !errors.Is(err, auth.ErrDeclined) {
		c.violation("access_denied gives %v, want auth.ErrDeclined: the person is told that they declined", err)
	}
}

func (c *checker) idTokens() {
	defer c.idp.SetFaults(Faults{})
	for why, change := range map[string]func(map[string]any){
		"another nonce":         func(m map[string]any) { m["nonce"] = "x" },
		"no nonce":              func(m map[string]any) { delete(m, "nonce") },
		"another audience":      func(m map[string]any) { m["aud"] = "x" },
		"another issuer":        func(m map[string]any) { m["iss"] = "https://evil.example" },
		"no subject":            func(m map[string]any) { delete(m, "sub") },
		"an expiry in 1970":     func(m map[string]any) { m["exp"] = 1 },
		"another azp":           func(m map[string]any) { m["azp"] = "x" },
		"an unknown audience":   func(m map[string]any) { m["aud"] = []string{"kit", "x"} },
		"a wrong at_hash":       func(m map[string]any) { m["at_hash"] = "x" },
		"an issue date in 3000": func(m map[string]any) { m["iat"] = int64(32503680000) },
	} {
		c.idp.SetFaults(Faults{IDToken: change})
		if _, err := c.attempt(c.kit.People[0], nil); err == nil {
			c.violation("an ID token with %s signs in (OpenID Connect Core 3.1.3.7)", why)
		}
	}
	c.idp.SetFaults(Faults{Sign: func(h, m map[string]any) string {
		h["alg"] = "none"
		return Encode(h) + "." + Encode(m) + "."
	}})
	if _, err := c.attempt(c.kit.People[0], nil); err == nil {
		c.violation("an ID token without a signature signs in")
	}
}

func (c *checker) outage() {
	defer c.idp.SetFaults(Faults{})
	elsewhere := NewServer(Config{})
	defer elsewhere.Close()
	for why, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"is down": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.Issuer()+"/token", http.StatusTemporaryRedirect)
		},
		"answers HTML": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>" + kitSecret))
		},
	} {
		before := c.idp.Hits("token")
		c.idp.SetFaults(Faults{Endpoint: func(name string, w http.ResponseWriter, r *http.Request) bool {
			if name == "token" {
				answer(w, r)
			}
			return name == "token"
		}})
		_, err := c.attempt(c.kit.People[0], nil)
		if !errors.Is(err, auth.ErrUnavailable) {
			c.violation("a token endpoint that %s gives %v, want auth.ErrUnavailable", why, err)
		}
		if err != nil && strings.Contains(err.Error(), kitSecret) {
			c.violation("the error shows what the token endpoint answered, which may be a secret")
		}
		if n := c.idp.Hits("token") - before; n > 1 {
			c.violation("a token endpoint that %s gets the code %d times, want once", why, n)
		}
	}
	if elsewhere.Hits("token") > 0 {
		c.violation("the code and the secret follow a redirect of the token endpoint")
	}
}

func (c *checker) secrets() {
	for _, format := range []string{"%v", "%+v", "%#v"} {
		if strings.Contains(fmt.Sprintf(format, c.p), kitSecret) {
			c.violation("%s shows the client secret: use auth.Secret", format)
		}
	}
}
