// Package clerkvectors holds requests and what @clerk/backend said about them, and
// puts the same questions to package clerk. The tests under e2e ask both and write
// the vectors; those of package clerk read them.
package clerkvectors

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
)

// Instance is one of Clerk's, with all that its Backend API says.
type Instance struct {
	PublishableKey string                     `json:"publishableKey"`
	SecretKey      string                     `json:"secretKey"`
	JWTKey         string                     `json:"jwtKey"`
	Keys           json.RawMessage            `json:"keys"`    // its key set
	Answers        map[string]json.RawMessage `json:"answers"` // by nonce, refresh token or opaque token
}

// MachineSecretKey is one with which the Backend API says what M2M tokens are, and no
// more.
const MachineSecretKey = "ak_machine"

// ServeHTTP implements [http.Handler]: the Backend API of i.
func (i *Instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, answer := http.StatusNotFound, json.RawMessage(`{"errors":[{"code":"resource_not_found","message":"resource_not_found"}]}`)
	secret := r.URL.Query().Get("nonce")
	var body map[string]any
	if json.NewDecoder(r.Body).Decode(&body) == nil {
		for _, field := range []string{"refresh_token", "secret", "token", "access_token"} {
			if text, ok := body[field].(string); ok {
				secret = text
			}
		}
	}
	if known, ok := i.Answers[secret]; ok {
		status, answer = http.StatusOK, known
	} else if body["refresh_token"] != nil {
		status, answer = http.StatusBadRequest, json.RawMessage(`{"errors":[{"code":"refresh_token_invalid","message":"refresh_token_invalid"}]}`)
	}
	if r.URL.Path == "/v1/jwks" {
		status, answer = http.StatusOK, i.Keys
	}
	if key := r.Header.Get("Authorization"); key != "Bearer "+i.SecretKey && (key != "Bearer "+MachineSecretKey || r.URL.Path != "/m2m_tokens/verify") {
		status, answer = http.StatusUnauthorized, json.RawMessage(`{"errors":[{"code":"clerk_key_invalid","message":"clerk_key_invalid"}]}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// Options are those of authenticateRequest, and whether keys are fetched.
type Options struct {
	Networkless       bool              `json:"networkless,omitempty"` // with the instance's jwtKey
	IsSatellite       bool              `json:"isSatellite"`
	SatelliteAutoSync bool              `json:"satelliteAutoSync,omitempty"`
	Domain            string            `json:"domain,omitempty"`
	SignInURL         string            `json:"signInUrl,omitempty"`
	ProxyURL          string            `json:"proxyUrl,omitempty"`
	AuthorizedParties []string          `json:"authorizedParties,omitempty"`
	Audience          []string          `json:"audience,omitempty"`
	MachineSecretKey  string            `json:"machineSecretKey,omitempty"`
	AcceptsToken      []clerk.TokenType `json:"acceptsToken,omitempty"`
	Organizations     *Organizations    `json:"organizationSyncOptions,omitempty"`
}

// Organizations are patterns of paths.
type Organizations struct {
	Patterns []string `json:"organizationPatterns"`
	Personal []string `json:"personalAccountPatterns"`
}

// BySlug are the only ones of the cases.
func BySlug() *Organizations {
	return &Organizations{[]string{"/orgs/:slug", "/orgs/:slug/(.*)"}, []string{"/me", "/me/(.*)"}}
}

// Case is one request.
type Case struct {
	URL        string            `json:"url"`
	Method     string            `json:"method"`
	Headers    map[string]string `json:"headers"`
	Instance   int               `json:"instance"`
	Options    Options           `json:"options"`
	Theirs     Answer            `json:"theirs"`
	Ours       *Answer           `json:"ours,omitempty"` // where it differs, and why
	Difference string            `json:"difference,omitempty"`
}

// Answer is what was decided about a request.
type Answer struct {
	Status, Reason, User, Location, Error string
	Cookies                               []string
	Name                                  string            // of an API key
	Scopes                                []string          // of a program's token
	Claims                                map[string]any    // its own
	Headers                               map[string]string // those of headers that there are
}

// String is the case with what was answered, without the tokens.
func (c *Case) String() string {
	text := fmt.Sprintf("%s %s\n%v\ntheirs %+v", c.Method, c.URL, c.Headers, c.Theirs)
	if c.Ours != nil {
		text += fmt.Sprintf("\nours   %+v", *c.Ours)
	}
	return tokenText.ReplaceAllString(text, "<token>")
}

// headers are what else an answer may say.
var headers = []string{"Cache-Control", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "X-Clerk-Auth-Status", "X-Clerk-Auth-Reason"}

// Decide asks package clerk. api is where the instance's Backend API is.
func (c *Case) Decide(i *Instance, api string, now time.Time) (a Answer, err error) {
	config := clerk.Config{
		AcceptPending: true, // what becomes of them is the application's

		PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), APIURL: api,
		Satellite: c.Options.IsSatellite, SatelliteAutoSync: c.Options.SatelliteAutoSync, Domain: c.Options.Domain,
		SignInURL: c.Options.SignInURL, ProxyURL: c.Options.ProxyURL, AuthorizedParties: c.Options.AuthorizedParties,
		Audiences: c.Options.Audience, MachineSecretKey: auth.NewSecret(c.Options.MachineSecretKey),
		AcceptTokens: c.Options.AcceptsToken, RedirectOrigins: []string{"https://sat.example.net"},
		Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
	}
	if c.Options.Networkless {
		config.JWTKey = i.JWTKey
	}
	if c.Options.Organizations != nil {
		config.OrganizationPaths, config.PersonalPaths = []string{"/orgs/{slug}"}, []string{"/me"}
	}
	b, err := clerk.New(config)
	if err != nil {
		return a, err
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return a, err
	}
	r := httptest.NewRequest(c.Method, u.RequestURI(), nil)
	for name, value := range c.Headers {
		r.Header.Set(name, value)
	}
	d, err := b.Authenticate(r, &url.URL{Scheme: u.Scheme, Host: u.Host})
	if errors.Is(err, auth.ErrClock) {
		return Answer{Error: "a clock is wrong"}, nil
	}
	if err != nil {
		return a, err
	}
	s := d.Value.(*clerk.State)
	a = Answer{Status: string(s.Status), Reason: s.Reason, Location: d.Location, Cookies: d.Header.Values("Set-Cookie"), Headers: map[string]string{}}
	for _, name := range headers {
		if value := d.Header.Get(name); value != "" {
			a.Headers[name] = value
		}
	}
	switch {
	case s.Claims != nil:
		a.User = s.Claims.UserID
	case s.Machine != nil:
		a.User, a.Name, a.Scopes = s.Machine.Subject, s.Machine.Name, s.Machine.Scopes
		for name, raw := range s.Machine.Claims {
			var value any
			if err := json.Unmarshal(raw, &value); err != nil {
				return a, err
			}
			if a.Claims == nil {
				a.Claims = map[string]any{}
			}
			a.Claims[name] = value
		}
	}
	return a, nil
}

// Same reports whether two answers say the same.
func (a Answer) Same(b Answer) bool {
	return a.Status == b.Status && a.Reason == b.Reason && a.User == b.User && a.Error == b.Error && maps.Equal(a.Headers, b.Headers) &&
		a.Name == b.Name && slices.Equal(a.Scopes, b.Scopes) && len(a.Claims) == len(b.Claims) && (len(a.Claims) == 0 || reflect.DeepEqual(a.Claims, b.Claims)) &&
		slices.Equal(a.Cookies, b.Cookies) && sameURL(a.Location, b.Location)
}

// sameURL compares what a URL says, not how its query is spelt. A redirect_url
// without the handshake that just failed is the stricter one.
func sameURL(a, b string) bool {
	u, err := url.Parse(a)
	v, err2 := url.Parse(b)
	return err == nil && err2 == nil && u.Scheme == v.Scheme && u.Host == v.Host && u.Path == v.Path && u.Fragment == v.Fragment &&
		slices.Equal(pairs(u.RawQuery), pairs(v.RawQuery))
}

// pairs are those of a query, sorted, as a browser's URLSearchParams has them: whatever
// is not escaped right stands for itself, and a semicolon is a character.
func pairs(query string) (list []string) {
	unescape := func(s string) string {
		if decoded, err := url.QueryUnescape(s); err == nil {
			return decoded
		}
		return s
	}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name, value = unescape(name), unescape(value); pair != "" {
			if back, err := url.Parse(value); name == "redirect_url" && err == nil {
				inner := slices.DeleteFunc(pairs(back.RawQuery), func(p string) bool {
					return strings.HasPrefix(p, "__clerk_handshake=") || strings.HasPrefix(p, "__clerk_handshake_nonce=")
				})
				back.RawQuery = ""
				value = fmt.Sprint(back, inner)
			}
			list = append(list, name+"="+value)
		}
	}
	slices.Sort(list)
	return list
}

// file is how vectors are kept: each token once, and its number where it stood.
type file struct {
	Tokens  []string        `json:"tokens"`
	Vectors json.RawMessage `json:"vectors"`
}

var (
	tokenText = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`)
	reference = regexp.MustCompile(`~\d+~`)
)

// Write keeps v in a file.
func Write(name string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f := file{Tokens: tokenText.FindAllString(string(raw), -1)}
	slices.Sort(f.Tokens) // those that begin alike stand together, and compress
	f.Tokens = slices.Compact(f.Tokens)
	f.Vectors = tokenText.ReplaceAllFunc(raw, func(token []byte) []byte {
		n, _ := slices.BinarySearch(f.Tokens, string(token))
		return fmt.Appendf(nil, "~%d~", n)
	})
	if raw, err = json.Marshal(f); err != nil {
		return err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	_, err = z.Write(raw)
	if e := z.Close(); err != nil || e != nil {
		return fmt.Errorf("%w %w", err, e)
	}
	return os.WriteFile(name, b.Bytes(), 0o644) // #nosec G306 -- test data, for everybody who has the checkout
}

// Read reads what Write kept.
func Read(name string, v any) error {
	raw, err := os.ReadFile(name) // #nosec G304 -- of tests alone
	if err != nil {
		return err
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	var f file
	if err := json.NewDecoder(z).Decode(&f); err != nil {
		return err
	}
	return json.Unmarshal(reference.ReplaceAllFunc(f.Vectors, func(text []byte) []byte {
		n, err := strconv.Atoi(string(text[1 : len(text)-1]))
		if err != nil || n >= len(f.Tokens) {
			return text
		}
		return []byte(f.Tokens[n])
	}), v)
}
