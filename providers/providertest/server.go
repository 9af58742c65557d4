// Package providertest has an identity provider that runs in the process: for
// this module's tests, for an application's own, and for demonstrations. It has
// knobs to misbehave. And it has a conformance kit for providers, [Check].
//
// It keeps everything in memory, asks for no password, and must never face the
// internet.
package providertest

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Person is somebody who can sign in.
type Person struct {
	Subject       string // "sub"; the claims of those below are named in OpenID Connect Core 5.1
	Name          string
	Username      string
	Email         string
	EmailVerified bool
	Picture       string
	Groups        []string
	Claims        map[string]any // more claims, or others in the place of those above
}

// Client is a registered relying party.
type Client struct {
	ID, Secret   string   // by which it authenticates, in the header or in the form
	RedirectURIs []string // exactly; if empty, any
	// PostLogoutRedirectURIs are those to which people may be sent back who were signed
	// out, exactly; if empty, any.
	PostLogoutRedirectURIs []string

	NoPKCE bool // refuses a challenge and a verifier, as Slack does; otherwise both are required

	// Key is the public half of what the client signs: assertions, by which it then has to
	// authenticate (private_key_jwt), and request objects. If nil, it has Secret alone.
	Key crypto.PublicKey

	// DPoP has the client prove its key at the token endpoint and at userinfo, with a nonce
	// ([IdP].RotateNonce), and binds its tokens to that key: RFC 9449.
	DPoP bool
}

// pkce reports whether a verifier is the one of challenge, or both are missing where
// they have to be.
func (c Client) pkce(challenge, verifier string) bool {
	if c.NoPKCE {
		return challenge == "" && verifier == ""
	}
	sum := sha256.Sum256([]byte(verifier))
	return challenge == base64.RawURLEncoding.EncodeToString(sum[:])
}

// Config describes an [IdP].
type Config struct {
	Issuer  string // required by New; NewServer sets it
	Clients []Client
	People  []Person         // the first signs in where nobody chooses
	Ask     bool             // whether the authorization endpoint shows a page to choose a person
	Now     func() time.Time // If nil, time.Now

	Algorithm string // of ID tokens: RS256 or PS256. If empty, RS256
}

// Faults are what an [IdP] does wrong. The zero value does nothing wrong.
type Faults struct {
	// Metadata, IDToken, Header, Token, Userinfo, Pushed, the answer to a pushed
	// authorization request, and Device, that to a device authorization request, change
	// what is about to be sent.
	Metadata, IDToken, Header, Token, Userinfo, Pushed, Device func(map[string]any)

	// Sign replaces the signing of ID tokens.
	Sign func(header, claims map[string]any) string

	// Callback changes the parameters of the redirect back.
	Callback func(url.Values)

	// SignedOut changes those of the redirect back from the end_session_endpoint.
	SignedOut func(url.Values)

	// Endpoint may answer a request itself, and then returns true. name is
	// "discovery", "keys", "authorize", "token", "userinfo", "introspect", "end_session",
	// "revocation", "device" or a path of GitHub's API.
	Endpoint func(name string, w http.ResponseWriter, r *http.Request) bool
}

// IdP is an OpenID Connect provider, and speaks like GitHub too: below
// /login/oauth and /user. It is an [http.Handler] and safe for concurrent use.
type IdP struct {
	config Config
	now    func() time.Time

	mu      sync.Mutex
	faults  Faults
	key     *rsa.PrivateKey
	keyID   string
	codes   map[string]grant
	pushed  map[string]url.Values   // by request_uri
	devices map[string]*deviceGrant // by device_code
	tokens  map[string]grant
	sets    map[string]*family        // by each refresh token that was ever in it
	opaque  map[string]map[string]any // what introspection says of tokens
	nonce   string                    // the one that proofs have to have
	jtis    map[string]bool           // of proofs and assertions that have come
	hits    map[string]int
	sent    []url.Values // token requests

	ended, revoked []url.Values // requests to these endpoints
}

type grant struct {
	client, redirectURI, nonce, challenge, scope string
	person                                       Person
	begun, until                                 time.Time
	thumbprint                                   string // of the key that a code or a token is bound to
}

// New returns an identity provider to serve at c.Issuer.
func New(c Config) *IdP {
	p := &IdP{
		config: c, now: c.Now, codes: map[string]grant{}, pushed: map[string]url.Values{}, devices: map[string]*deviceGrant{}, tokens: map[string]grant{},
		sets: map[string]*family{}, opaque: map[string]map[string]any{}, hits: map[string]int{}, nonce: randomText(), jtis: map[string]bool{},
	}
	if p.now == nil {
		p.now = time.Now
	}
	p.config.Algorithm = cmp.Or(c.Algorithm, "RS256")
	p.key, p.keyID = nextKey(), randomText()
	return p
}

// Server is an [IdP] on a loopback port.
type Server struct {
	*IdP
	server *httptest.Server
}

// NewServer starts an identity provider on a loopback port. Close ends it.
func NewServer(c Config) *Server {
	var p *IdP
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.ServeHTTP(w, r) }))
	c.Issuer = server.URL
	p = New(c)
	return &Server{p, server}
}

// Close ends the server.
func (s *Server) Close() { s.server.Close() }

// Issuer is the address of the identity provider.
func (p *IdP) Issuer() string { return p.config.Issuer }

// SetFaults makes the provider misbehave from now on.
func (p *IdP) SetFaults(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
}

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // only when the system has no randomness
	}
	return key
}

// nextKey is one of a few, which providers of one process take in turn: making a key
// takes longer than a whole sign-in. Two providers in a row have different ones.
var nextKey = func() func() *rsa.PrivateKey {
	var made [4]func() *rsa.PrivateKey
	for i := range made {
		made[i] = sync.OnceValue(newKey)
	}
	var taken atomic.Uint32
	return func() *rsa.PrivateKey { return made[taken.Add(1)%uint32(len(made))]() }
}()

// RotateKeys replaces the signing key with one that no other provider has.
func (p *IdP) RotateKeys() {
	key := newKey()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key, p.keyID = key, randomText()
}

// SigningKey is the key that signs ID tokens at present, for forgeries.
func (p *IdP) SigningKey() *rsa.PrivateKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.key
}

// SigningKeyID is that key's "kid".
func (p *IdP) SigningKeyID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keyID
}

// Hits says how often an endpoint was called.
func (p *IdP) Hits(name string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hits[name]
}

// TokenRequests are the forms that came to the token endpoint.
func (p *IdP) TokenRequests() []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]url.Values(nil), p.sent...)
}

func (p *IdP) fault() Faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// ServeHTTP implements [http.Handler].
func (p *IdP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	base := ""
	if u, err := url.Parse(p.config.Issuer); err == nil {
		base = strings.TrimRight(u.Path, "/")
	}
	path := strings.TrimPrefix(r.URL.Path, base)
	routes := map[string]struct {
		name    string
		handler http.HandlerFunc
	}{
		"/.well-known/openid-configuration": {"discovery", p.discovery},
		"/keys":                             {"keys", p.keys},
		"/authorize":                        {"authorize", p.authorize},
		"/par":                              {"par", p.push},
		"/token":                            {"token", p.token},
		"/device_authorization":             {"device", p.authorizeDevice},
		"/login/device/code":                {"device", p.authorizeDevice},
		"/device":                           {"device_page", p.devicePage},
		"/userinfo":                         {"userinfo", p.userinfo},
		"/introspect":                       {"introspect", p.introspect},
		"/logout":                           {"end_session", p.endSession},
		"/revoke":                           {"revocation", p.revoke},
		"/login/oauth/authorize":            {"authorize", p.authorize},
		"/login/oauth/access_token":         {"token", p.token},
		"/api/v3/user":                      {"/user", p.githubUser},
		"/api/v3/user/emails":               {"/user/emails", p.githubEmails},
		"/api/v3/user/orgs":                 {"/user/orgs", p.githubNothing},
		"/api/v3/user/teams":                {"/user/teams", p.githubNothing},
		"/api/v1/user":                      {"/user", p.githubUser}, // Gitea
	}
	route, ok := routes[path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	p.mu.Lock()
	p.hits[route.name]++
	p.mu.Unlock()
	if f := p.fault().Endpoint; f != nil && f(route.name, w, r) {
		return
	}
	route.handler(w, r)
}

func (p *IdP) discovery(w http.ResponseWriter, _ *http.Request) {
	base := strings.TrimRight(p.config.Issuer, "/")
	m := map[string]any{
		"issuer":                                         p.config.Issuer,
		"authorization_endpoint":                         base + "/authorize",
		"token_endpoint":                                 base + "/token",
		"device_authorization_endpoint":                  base + "/device_authorization",
		"userinfo_endpoint":                              base + "/userinfo",
		"introspection_endpoint":                         base + "/introspect",
		"jwks_uri":                                       base + "/keys",
		"end_session_endpoint":                           base + "/logout",
		"revocation_endpoint":                            base + "/revoke",
		"response_types_supported":                       []string{"code"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{p.config.Algorithm},
		"code_challenge_methods_supported":               []string{"S256"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post"},
		"authorization_response_iss_parameter_supported": true,
	}
	change(p.fault().Metadata, m)
	WriteJSON(w, http.StatusOK, m)
}

func change(f func(map[string]any), m map[string]any) {
	if f != nil {
		f(m)
	}
}

func (p *IdP) keys(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	WriteJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: p.keyID, Algorithm: p.config.Algorithm, Use: "sig"}}})
}

func (p *IdP) client(id string) (Client, bool) {
	for _, c := range p.config.Clients {
		if c.ID == id {
			return c, true
		}
	}
	return Client{}, false
}

func (p *IdP) idToken(g grant, access string) string {
	now := p.now().Unix()
	sum := sha256.Sum256([]byte(access))
	claims := map[string]any{
		"iss": p.config.Issuer, "aud": g.client, "iat": now, "exp": now + 300, "auth_time": g.begun.Unix(),
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce // only when asked: OpenID Connect Core 2
	}
	for name, value := range g.person.claims() {
		claims[name] = value
	}
	p.mu.Lock()
	key, keyID := p.key, p.keyID
	p.mu.Unlock()
	header := map[string]any{"alg": p.config.Algorithm, "typ": "JWT", "kid": keyID}
	f := p.fault()
	change(f.IDToken, claims)
	change(f.Header, header)
	if f.Sign != nil {
		return f.Sign(header, claims)
	}
	if p.config.Algorithm == "PS256" {
		return signPSS(key, header, claims)
	}
	return Sign(key, header, claims)
}

// claims are what the ID token and userinfo say of a person.
func (p Person) claims() map[string]any {
	claims := map[string]any{"sub": p.Subject}
	set := func(name, value string) {
		if value != "" {
			claims[name] = value
		}
	}
	set("name", p.Name)
	set("preferred_username", p.Username)
	set("picture", p.Picture)
	if p.Email != "" {
		claims["email"], claims["email_verified"] = p.Email, p.EmailVerified
	}
	if p.Groups != nil {
		claims["groups"] = p.Groups
	}
	for name, value := range p.Claims {
		claims[name] = value
	}
	return claims
}

func (p *IdP) userinfo(w http.ResponseWriter, r *http.Request) {
	g, challenge := p.bearer(w, r)
	if challenge != "" {
		w.Header().Set("WWW-Authenticate", challenge)
		http.Error(w, "unauthorized", http.StatusUnauthorized)
		return
	}
	claims := g.person.claims()
	change(p.fault().Userinfo, claims)
	WriteJSON(w, http.StatusOK, claims)
}

// bearer finds whom an access token belongs to, or what is to be asked for. The token
// comes in the header only.
func (p *IdP) bearer(w http.ResponseWriter, r *http.Request) (g grant, challenge string) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	p.mu.Lock()
	g, ok := p.tokens[token]
	p.mu.Unlock()
	switch {
	case !ok || r.URL.Query().Has("access_token") || g.thumbprint == "" && scheme != "Bearer":
		return grant{}, "Bearer"
	case g.thumbprint == "":
		return g, ""
	}
	client, _ := p.client(g.client)
	thumbprint, problem := p.proven(w, r, client, token)
	if problem == "" && (scheme != "DPoP" || thumbprint != g.thumbprint) {
		problem = "invalid_token"
	}
	if problem != "" {
		return grant{}, `DPoP error="` + problem + `"`
	}
	return g, ""
}

func tokenError(w http.ResponseWriter, code string) {
	status := http.StatusBadRequest
	if code == "invalid_client" {
		status = http.StatusUnauthorized
	}
	WriteJSON(w, status, map[string]any{"error": code})
}

// WriteJSON answers with v, for [Faults].Endpoint.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func randomText() string {
	b := make([]byte, 18)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}
