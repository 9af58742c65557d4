// Package clerktest stands in for Clerk: an instance with keys of its own, which
// makes tokens and handshakes and answers the calls of a back end. It is for tests,
// and for demonstrations without an account: nobody has a password in it.
//
//	instance := clerktest.New(clerktest.Config{Production: true})
//	api := httptest.NewServer(instance)
//	defer api.Close()
//	c, err := clerk.New(clerk.Config{
//		PublishableKey: instance.PublishableKey,
//		SecretKey:      auth.NewSecret(instance.SecretKey),
//		APIURL:         api.URL,
//	})
//
// # Signing in
//
// A request is somebody's with a token in its header, or with two cookies:
//
//	r.Header.Set("Authorization", "Bearer "+instance.Token(nil))
//	r.Header.Set("Cookie", "__client_uat=1; __session="+instance.Token(nil))
//
// The token is user_1's, for a minute. What it says can be changed before it is
// signed:
//
//	token := instance.Token(func(_, claims map[string]any) {
//		claims["sub"] = "user_2"
//		claims["o"] = map[string]any{"id": "org_1", "slg": "acme", "rol": "admin"}
//	})
//
// [Instance.Opaque] makes API keys and other tokens that only Clerk can read. For a
// browser there are pages: [Instance.Frontend].
//
// # What goes wrong
//
// [Instance.SetDown] is an outage, [Instance.RotateKeys] a new key, and a token of
// another instance has a signature that does not count. Config.Now moves time for
// both sides.
//
// # What it is not
//
// It answers what package clerk asks, and no other part of Clerk's API. It has no
// organizations, no rate limits and no state on disk.
package clerktest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // #nosec G505 -- names cookies, as Clerk does
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
	// Production makes a production instance: pk_live_... If false, a development one,
	// whose visitors need a handshake before anything else.
	Production bool

	// FrontendAPI is a host. If empty, clerk.example.com, or of a development instance
	// example.clerk.accounts.dev.
	FrontendAPI string

	// Issuer is that of tokens: a proxy's address. If empty, https:// and FrontendAPI.
	Issuer string

	// People are those who can sign in at [Instance.Frontend], and whom the Backend
	// API knows. If nil, nobody; tokens can be made for anybody all the same.
	People []Person

	// TokenLife is how long session tokens count. If zero, a minute.
	TokenLife time.Duration

	// Now is the clock. If nil, time.Now. Give clerk.Config the same.
	Now func() time.Time
}

// Person is somebody who can sign in, and whom the Backend API knows.
type Person struct {
	// ID is claim "sub": "user_1".
	ID string

	// Name is the whole name. What is before the first space is the first name.
	Name string

	// Email is the primary address, which is verified.
	Email string

	// Picture is the address of one, https.
	Picture string
}

// Instance is a Clerk instance. It is an [http.Handler] that answers as Clerk's
// Backend API, and safe for concurrent use. [New] makes it; its fields are not to be
// changed.
type Instance struct {
	// FrontendAPI is a host.
	FrontendAPI string

	// PublishableKey is the one that clerk.Config wants.
	PublishableKey string

	// SecretKey is the one that clerk.Config wants, and the only one that the Backend
	// API takes, but for the next.
	SecretKey string

	// MachineSecretKey is a machine's, with which the Backend API says what opaque M2M
	// tokens are, and nothing else.
	MachineSecretKey string

	// CookieSuffix is what the names of its own cookies end with: "_" and eight
	// characters.
	CookieSuffix string

	issuer string
	people []Person
	life   time.Duration
	now    func() time.Time

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

// New makes an instance. Its RSA key, of 2048 bits, is made when something needs it
// first: that is slow, and not every test does.
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

		MachineSecretKey: "ak_" + rand.Text(),

		now:     c.Now,
		nonces:  map[string][]string{},
		refresh: map[string][]string{},
		hits:    map[string]int{},
		opaque:  map[string]map[string]any{},
	}
	sum := sha1.Sum([]byte(i.PublishableKey)) // #nosec G401 -- a name, and no secret
	i.CookieSuffix = "_" + base64.URLEncoding.EncodeToString(sum[:])[:8]
	return i
}

// RotateKeys replaces the signing key. Tokens of the old one do not verify any more,
// once the other side has fetched the keys again.
func (i *Instance) RotateKeys() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.key = nil
}

// signer returns the signing key and its id, for callers that hold mu.
func (i *Instance) signer() (*rsa.PrivateKey, string) {
	if i.key == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err) // only when the system has no randomness
		}
		i.key, i.keyID = key, "ins_"+rand.Text()
	}
	return i.key, i.keyID
}

// PEM is the public key, for verification without the network: clerk.Config's JWTKey.
func (i *Instance) PEM() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	key, _ := i.signer()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		panic(err) // never for an RSA key
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Token makes a session token that lives for [Config].TokenLife. change, which may be nil,
// changes what it says before it is signed: header and claims, as encoding/json
// writes them. Unchanged it is user_1's, session sess_1, with no organization, no
// audience and no authorized party.
func (i *Instance) Token(change func(header, claims map[string]any)) string {
	now := i.now().Unix()
	i.mu.Lock()
	key, keyID := i.signer()
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

// HandshakeToken makes what Clerk sends in __clerk_handshake. directives are lines
// for Set-Cookie: "__session=...; Path=/".
func (i *Instance) HandshakeToken(directives ...string) string {
	return i.Token(func(_, claims map[string]any) {
		clear(claims)
		claims["handshake"] = directives
	})
}

// Nonce makes what Clerk sends in __clerk_handshake_nonce, for directives as in
// [Instance.HandshakeToken]. It may be asked about more than once.
func (i *Instance) Nonce(directives ...string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	nonce := rand.Text()
	i.nonces[nonce] = directives
	return nonce
}

// RefreshToken makes a value for the cookie "__refresh" with the instance's suffix,
// which is answered with directives as in [Instance.HandshakeToken].
func (i *Instance) RefreshToken(directives ...string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	token := rand.Text()
	i.refresh[token] = directives
	return token
}

// Opaque makes a token that only the Backend API can read: prefix is "ak_", "mt_"
// or "oat_", subject whose it is. change, which may be nil, changes what the API says
// of it: "scopes", "revoked", "expired", "aud", and so on.
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

// Revoked are the ids of the sessions that were revoked, in that order.
func (i *Instance) Revoked() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.revoked...)
}

// Hits says how often a path of the Backend API was called, such as "/v1/jwks", with
// the right key or without. "handshake" is that of the Frontend API.
func (i *Instance) Hits(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.hits[path]
}

// SetDown makes the Backend API answer 503, or answer again. [Instance.Frontend] is
// not concerned.
func (i *Instance) SetDown(down bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = down
}

// ServeHTTP implements [http.Handler]: Clerk's Backend API. Without the secret key it
// answers 401, and 404 to what it does not know.
func (i *Instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.hits[r.URL.Path]++
	key := r.Header.Get("Authorization")
	byMachine := r.URL.Path == "/m2m_tokens/verify" && key == "Bearer "+i.MachineSecretKey
	switch {
	case i.down:
		apiError(w, http.StatusServiceUnavailable, "service_unavailable")
		return
	case !byMachine && key != "Bearer "+i.SecretKey:
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
		key, id := i.signer()
		providertest.WriteJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: id, Algorithm: "RS256", Use: "sig"}}})
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

// apiError answers as Clerk's API does when something is wrong.
func apiError(w http.ResponseWriter, status int, code string) {
	providertest.WriteJSON(w, status, map[string]any{"errors": []any{map[string]any{"code": code, "message": code, "long_message": code}}})
}
