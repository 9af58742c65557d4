// Package clerktest stands in for Clerk: an instance with keys of its own, which
// makes tokens and handshakes and answers the calls of a back end. It is for tests.
package clerktest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // names cookies, as Clerk does
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/auth/providers/providertest"
)

// Config describes an [Instance].
type Config struct {
	Production  bool
	FrontendAPI string           // a host. If empty, clerk.example.com or example.clerk.accounts.dev
	Issuer      string           // of tokens: a proxy's address. If empty, https:// and FrontendAPI
	People      []Person         // who can sign in at [Instance.Frontend]
	TokenLife   time.Duration    // of session tokens. If zero, a minute
	Now         func() time.Time // If nil, time.Now
}

// Person is somebody who can sign in, and whom the Backend API knows.
type Person struct{ ID, Name, Email, Picture string }

// Instance is a Clerk instance. It is an [http.Handler] that answers as Clerk's
// Backend API, and safe for concurrent use.
type Instance struct {
	FrontendAPI    string // a host
	PublishableKey string
	SecretKey      string
	CookieSuffix   string // what the names of its own cookies end with
	issuer         string
	people         []Person
	life           time.Duration
	now            func() time.Time

	mu      sync.Mutex
	clients map[string]*client
	key     *rsa.PrivateKey
	keyID   string
	nonces  map[string][]string
	refresh map[string][]string
	revoked []string
	hits    map[string]int
	opaque  map[string]map[string]any
	down    bool
}

// New makes an instance.
func New(c Config) *Instance {
	kind := "test"
	if c.Production {
		kind = "live"
	}
	if c.FrontendAPI == "" {
		c.FrontendAPI = map[bool]string{true: "clerk.example.com", false: "example.clerk.accounts.dev"}[c.Production]
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.TokenLife == 0 {
		c.TokenLife = time.Minute
	}
	if c.Issuer == "" {
		c.Issuer = "https://" + c.FrontendAPI
	}
	i := &Instance{
		issuer:         c.Issuer,
		people:         c.People,
		life:           c.TokenLife,
		clients:        map[string]*client{},
		FrontendAPI:    c.FrontendAPI,
		PublishableKey: "pk_" + kind + "_" + base64.StdEncoding.EncodeToString([]byte(c.FrontendAPI+"$")),
		SecretKey:      "sk_" + kind + "_" + rand.Text(),
		now:            c.Now,
		nonces:         map[string][]string{},
		refresh:        map[string][]string{},
		hits:           map[string]int{},
		opaque:         map[string]map[string]any{},
	}
	sum := sha1.Sum([]byte(i.PublishableKey))
	i.CookieSuffix = "_" + base64.URLEncoding.EncodeToString(sum[:])[:8]
	i.RotateKeys()
	return i
}

// RotateKeys replaces the signing key.
func (i *Instance) RotateKeys() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // only when the system has no randomness
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.key, i.keyID = key, "ins_"+rand.Text()
}

// PEM is the public key, for verification without the network.
func (i *Instance) PEM() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	der, err := x509.MarshalPKIXPublicKey(i.key.Public())
	if err != nil {
		panic(err) // never for an RSA key
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Token makes a session token that lives for [Config].TokenLife. change, which may be nil,
// changes what it says before it is signed.
func (i *Instance) Token(change func(header, claims map[string]any)) string {
	now := i.now().Unix()
	i.mu.Lock()
	key, keyID := i.key, i.keyID
	i.mu.Unlock()
	header := map[string]any{"alg": "RS256", "typ": "JWT", "kid": keyID, "cat": "cl_B7d4PD111AAA"}
	claims := map[string]any{
		"iss": i.issuer, "sub": "user_1", "sid": "sess_1", "v": 2, "sts": "active",
		"iat": now, "nbf": now - 10, "exp": now + int64(i.life/time.Second),
	}
	if change != nil {
		change(header, claims)
	}
	return providertest.Sign(key, header, claims)
}

// HandshakeToken makes what Clerk sends in __clerk_handshake.
func (i *Instance) HandshakeToken(directives ...string) string {
	return i.Token(func(_, claims map[string]any) {
		clear(claims)
		claims["handshake"] = directives
	})
}

// Nonce makes what Clerk sends in __clerk_handshake_nonce.
func (i *Instance) Nonce(directives ...string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	nonce := rand.Text()
	i.nonces[nonce] = directives
	return nonce
}

// RefreshToken makes a refresh token that is answered with directives.
func (i *Instance) RefreshToken(directives ...string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	token := rand.Text()
	i.refresh[token] = directives
	return token
}

// Opaque makes a token that only the Backend API can read: prefix is "ak_", "mt_"
// or "oat_". change, which may be nil, changes what the API says of it.
func (i *Instance) Opaque(prefix, subject string, change func(answer map[string]any)) string {
	token := prefix + rand.Text()
	answer := map[string]any{"id": "token_" + rand.Text(), "subject": subject, "scopes": []string{"read"}, "revoked": false, "expired": false}
	if change != nil {
		change(answer)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.opaque[token] = answer
	return token
}

// verifyOpaque answers POST /api_keys/verify and its like.
func (i *Instance) verifyOpaque(w http.ResponseWriter, r *http.Request, field, prefix string) {
	var body map[string]string
	err := json.NewDecoder(r.Body).Decode(&body)
	answer, ok := i.opaque[body[field]]
	if err != nil || !ok || !strings.HasPrefix(body[field], prefix) {
		apiError(w, http.StatusNotFound, "resource_not_found")
		return
	}
	providertest.WriteJSON(w, http.StatusOK, answer)
}

// showUser answers GET /v1/users/{id}.
func (i *Instance) showUser(w http.ResponseWriter, id string) {
	for _, p := range i.people {
		if p.ID == id {
			first, last, _ := strings.Cut(p.Name, " ")
			providertest.WriteJSON(w, http.StatusOK, map[string]any{
				"object": "user", "id": p.ID, "first_name": first, "last_name": last, "image_url": p.Picture,
				"primary_email_address_id": "idn_1",
				"email_addresses":          []any{map[string]any{"id": "idn_1", "email_address": p.Email, "verification": map[string]any{"status": "verified"}}},
			})
			return
		}
	}
	apiError(w, http.StatusNotFound, "resource_not_found")
}

// Revoked are the ids of the sessions that were revoked.
func (i *Instance) Revoked() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.revoked...)
}

// Hits says how often a path was called.
func (i *Instance) Hits(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.hits[path]
}

// SetDown makes the API answer 503, or answer again.
func (i *Instance) SetDown(down bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = down
}

// ServeHTTP implements [http.Handler].
func (i *Instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.hits[r.URL.Path]++
	switch {
	case i.down:
		apiError(w, http.StatusServiceUnavailable, "service_unavailable")
		return
	case r.Header.Get("Authorization") != "Bearer "+i.SecretKey:
		apiError(w, http.StatusUnauthorized, "clerk_key_invalid")
		return
	}
	session, action, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/sessions/"), "/")
	user, isUser := strings.CutPrefix(r.URL.Path, "/v1/users/")
	switch {
	case r.URL.Path == "/api_keys/verify":
		i.verifyOpaque(w, r, "secret", "ak_")
	case r.URL.Path == "/m2m_tokens/verify":
		i.verifyOpaque(w, r, "token", "mt_")
	case r.URL.Path == "/oauth_applications/access_tokens/verify":
		i.verifyOpaque(w, r, "access_token", "oat_")
	case isUser && r.Method == "GET":
		i.showUser(w, user)
	case r.URL.Path == "/v1/jwks":
		providertest.WriteJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: i.keyID, Algorithm: "RS256", Use: "sig"}}})
	case r.URL.Path == "/v1/clients/handshake_payload":
		directives, ok := i.nonces[r.URL.Query().Get("nonce")]
		if !ok {
			apiError(w, http.StatusNotFound, "resource_not_found")
			return
		}
		providertest.WriteJSON(w, http.StatusOK, map[string]any{"directives": directives})
	case r.Method == "POST" && action == "refresh":
		var body struct {
			Token string `json:"refresh_token"`
		}
		err := json.NewDecoder(r.Body).Decode(&body)
		directives, ok := i.refresh[body.Token]
		if err != nil || !ok {
			apiError(w, http.StatusBadRequest, "refresh_token_invalid")
			return
		}
		providertest.WriteJSON(w, http.StatusOK, map[string]any{"object": "cookies", "cookies": directives})
	case r.Method == "POST" && action == "revoke":
		i.revoked = append(i.revoked, session)
		providertest.WriteJSON(w, http.StatusOK, map[string]any{"object": "session", "id": session, "status": "revoked"})
	default:
		apiError(w, http.StatusNotFound, "resource_not_found")
	}
}

func apiError(w http.ResponseWriter, status int, code string) {
	providertest.WriteJSON(w, status, map[string]any{"errors": []any{map[string]any{"code": code, "message": code, "long_message": code}}})
}
