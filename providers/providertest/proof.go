package providertest

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// clientAlgorithms are what clients may sign with.
var clientAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA}

// RotateNonce makes the nonce that proofs have to have another one.
func (p *IdP) RotateNonce() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nonce = randomText()
}

// once reports whether jti has not come before.
func (p *IdP) once(jti string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := p.jtis[jti]
	p.jtis[jti] = true
	return jti != "" && !seen
}

// asserted checks the assertion of a client: RFC 7523 3.
func (p *IdP) asserted(form url.Values, client Client) bool {
	claims, header, ok := openSigned(form.Get("client_assertion"), client.Key)
	return ok && header.ExtraHeaders[jose.HeaderType] == "JWT" &&
		form.Get("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" &&
		claims.Issuer == client.ID && claims.Subject == client.ID && claims.Audience == p.config.Issuer &&
		claims.Expires > p.now().Unix() && claims.Expires <= p.now().Add(5*time.Minute).Unix() && p.once(claims.ID)
}

// proven checks the proof that comes with a request of a client that has to send one
// (RFC 9449 4.3), and returns the thumbprint of its key or an error code.
func (p *IdP) proven(w http.ResponseWriter, r *http.Request, client Client, token string) (thumbprint, problem string) {
	if !client.DPoP {
		return "", ""
	}
	p.mu.Lock()
	nonce := p.nonce
	p.mu.Unlock()
	w.Header().Set("DPoP-Nonce", nonce)
	signed, err := jose.ParseSignedCompact(r.Header.Get("DPoP"), clientAlgorithms)
	if err != nil || len(r.Header.Values("DPoP")) != 1 {
		return "", "invalid_dpop_proof"
	}
	key := signed.Signatures[0].Header.JSONWebKey
	if key == nil || !key.IsPublic() || signed.Signatures[0].Header.ExtraHeaders[jose.HeaderType] != "dpop+jwt" {
		return "", "invalid_dpop_proof"
	}
	claims, _, ok := openSigned(r.Header.Get("DPoP"), key)
	age := p.now().Unix() - claims.IssuedAt
	at := p.address(r)
	sum := sha256.Sum256([]byte(token))
	switch {
	case !ok || claims.Method != r.Method || claims.URL != at || age < -10 || age > 60 || !p.once(claims.ID):
		return "", "invalid_dpop_proof"
	case token != "" && claims.TokenHash != base64.RawURLEncoding.EncodeToString(sum[:]):
		return "", "invalid_dpop_proof"
	case claims.Nonce != nonce:
		return "", "use_dpop_nonce"
	}
	print, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", "invalid_dpop_proof"
	}
	return base64.RawURLEncoding.EncodeToString(print), ""
}

// address is what r is sent to, without a query.
func (p *IdP) address(r *http.Request) string {
	u, err := url.Parse(p.config.Issuer)
	if err != nil {
		return ""
	}
	u.Path = r.URL.Path
	return u.String()
}

// opened is the request of a client, which may be signed: RFC 9101.
func (p *IdP) opened(q url.Values) (url.Values, bool) {
	if !q.Has("request") {
		return q, true
	}
	client, _ := p.client(q.Get("client_id"))
	claims, header, ok := openSigned(q.Get("request"), client.Key)
	if !ok || header.ExtraHeaders[jose.HeaderType] != "oauth-authz-req+jwt" || claims.Issuer != client.ID || claims.Audience != p.config.Issuer ||
		claims.Expires <= p.now().Unix() || claims.Expires > p.now().Add(time.Hour).Unix() || !p.once(claims.ID) {
		return nil, false
	}
	inside := url.Values{}
	for name, value := range claims.all {
		inside.Set(name, strings.TrimSuffix(fmt.Sprint(value), ".0"))
	}
	return inside, inside.Get("client_id") == client.ID
}

// clientClaims are what clients sign.
type clientClaims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	ID        string `json:"jti"`
	Expires   int64  `json:"exp"`
	IssuedAt  int64  `json:"iat"`
	Method    string `json:"htm"`
	URL       string `json:"htu"`
	TokenHash string `json:"ath"`
	Nonce     string `json:"nonce"`

	all map[string]any
}

// openSigned verifies what a client has signed.
func openSigned(token string, key any) (c clientClaims, header jose.Header, ok bool) {
	signed, err := jose.ParseSignedCompact(token, clientAlgorithms)
	if err != nil || key == nil {
		return c, header, false
	}
	payload, err := signed.Verify(key)
	if err != nil || json.Unmarshal(payload, &c) != nil || json.Unmarshal(payload, &c.all) != nil {
		return c, header, false
	}
	return c, signed.Signatures[0].Header, true
}
