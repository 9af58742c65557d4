package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/session"
)

const (
	keyVariable      = "GATEWAY_JWT_KEY"
	identityVariable = "GATEWAY_IDENTITY"

	tokenLifetime = 5 * time.Minute
	tokenReuse    = time.Minute // how long one token is sent again
	maxTokens     = 4096        // that are kept to be sent again
)

// identityTokens makes the signed JWTs (RFC 7519) that say who is signed in. It is safe
// for concurrent use.
type identityTokens struct {
	issuer, audience string
	made             bool // whether the key was made at start
	signer           jose.Signer
	keys             []byte // a JWK set (RFC 7517 5)
	now              func() time.Time

	mu   sync.Mutex
	kept map[string]keptToken // by the claims without their times
}

type keptToken struct {
	token string
	until time.Time
}

// identityClaims are what a token says (RFC 7519 4.1, OpenID Connect Core 5.1).
type identityClaims struct {
	Issuer        string   `json:"iss"`
	Audience      string   `json:"aud"`
	Subject       string   `json:"sub"` // the user's id, by AUTH_USER_ID
	Name          string   `json:"name,omitempty"`
	Email         string   `json:"email,omitempty"` // only an address that the provider has verified
	EmailVerified bool     `json:"email_verified,omitempty"`
	Username      string   `json:"preferred_username,omitempty"`
	Groups        []string `json:"groups,omitempty"`
	Provider      string   `json:"provider,omitempty"`
	IssuedAt      int64    `json:"iat,omitempty"`
	Expiry        int64    `json:"exp,omitempty"`
}

// readIdentity reads how the application is told who it is. Each error is an
// [*envvar.Error].
func readIdentity(env envvar.Env, publicURL string) (plain bool, tokens *identityTokens, err error) {
	switch env(identityVariable) {
	case "", "headers":
		if env(keyVariable) != "" {
			return true, nil, &envvar.Error{Variable: keyVariable, Problem: "is set, and nothing is signed", Cure: "set " + identityVariable + " to jwt or both, or unset the key"}
		}
		return true, nil, nil
	case "both":
		plain = true
	case "jwt":
	default:
		return false, nil, &envvar.Error{Variable: identityVariable, Problem: "names no way to tell who it is", Cure: "set it to headers, jwt or both"}
	}
	site, err := url.Parse(publicURL)
	if err != nil || site.Host == "" {
		return false, nil, &envvar.Error{Variable: identityVariable, Problem: "has the gateway sign tokens, which say for which site", Cure: "set NEXTAUTH_URL, as https://app.example.com/api/auth"}
	}
	key, err := readKey(env(keyVariable))
	if err != nil {
		return false, nil, err
	}
	tokens, err = newIdentityTokens(key, site)
	if err == nil {
		tokens.made = env(keyVariable) == ""
	}
	return plain, tokens, err
}

// readKey reads a private key in PEM, whose line breaks may be written \n, or makes one.
func readKey(text string) (crypto.Signer, error) {
	if text == "" {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	var key any
	if block, rest := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n"))); block != nil && strings.TrimSpace(string(rest)) == "" {
		switch block.Type {
		case "PRIVATE KEY":
			key, _ = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, _ = x509.ParseECPrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, _ = x509.ParsePKCS1PrivateKey(block.Bytes)
		}
	}
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if k.Curve == elliptic.P256() {
			return k, nil
		}
	case *rsa.PrivateKey:
		if k.N.BitLen() >= 2048 {
			return k, nil
		}
	}
	return nil, &envvar.Error{Variable: keyVariable, Problem: "is no private key that can be used", Cure: "set it to a PEM of ECDSA P-256, as `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes it, or of RSA with 2048 bits or more, whose line breaks may be written \\n"}
}

func newIdentityTokens(key crypto.Signer, site *url.URL) (*identityTokens, error) {
	algorithm := jose.ES256
	if _, ok := key.(*rsa.PrivateKey); ok {
		algorithm = jose.RS256
	}
	public := jose.JSONWebKey{Key: key.Public(), Algorithm: string(algorithm), Use: "sig"}
	print, err := public.Thumbprint(crypto.SHA256) // RFC 7638
	if err != nil {
		return nil, err
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(print)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: public.KeyID}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	origin := site.Scheme + "://" + site.Host
	return &identityTokens{
		issuer: origin + string(routesOf(site.String())), audience: origin, signer: signer, keys: keys, now: time.Now,
		kept: map[string]keptToken{},
	}, err
}

// of is a token that says that who is signed in, whom the application calls user.
func (t *identityTokens) of(who *session.Session, user string) (string, error) {
	claims := identityClaims{
		Issuer: t.issuer, Audience: t.audience, Subject: user, Name: who.Name, Username: who.Username, Groups: who.Groups, Provider: who.Provider,
	}
	if who.EmailVerified {
		claims.Email, claims.EmailVerified = who.Email, true
	}
	same, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	now := t.now()
	t.mu.Lock()
	kept, ok := t.kept[string(same)]
	t.mu.Unlock()
	if ok && now.Before(kept.until) {
		return kept.token, nil
	}
	claims.IssuedAt, claims.Expiry = now.Unix(), now.Add(tokenLifetime).Unix()
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := t.signer.Sign(payload)
	if err != nil {
		return "", err
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.kept) >= maxTokens {
		clear(t.kept)
	}
	t.kept[string(same)] = keptToken{token, now.Add(tokenReuse)}
	return token, nil
}

// ServeHTTP shows the public key.
func (t *identityTokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != "GET" && r.Method != "HEAD" {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Only GET.", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(t.keys)
}
