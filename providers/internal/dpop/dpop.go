// Package dpop shows a server that whoever sends a token has the key that it is bound to:
// OAuth 2.0 Demonstrating Proof of Possession, RFC 9449.
package dpop

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/auth/providers/internal/signing"
)

const (
	maxNonce   = 512 // bytes of one that is kept
	maxOrigins = 64  // whose nonces are kept
)

// Scheme is the type of a token that is bound to a key, and what stands before it in an
// Authorization header: RFC 9449 5 and 7.1.
const Scheme = "DPoP"

// Prover makes proofs by one key. It is safe for concurrent use.
type Prover struct {
	key        signing.Key
	thumbprint string
	now        func() time.Time

	mu     sync.Mutex
	nonces map[string]string // by origin: RFC 9449 8.2
}

// New returns a prover by key.
func New(key signing.Key, now func() time.Time) (*Prover, error) {
	if err := key.Check(); err != nil {
		return nil, err
	}
	sum, err := key.Thumbprint()
	if err != nil {
		return nil, err
	}
	return &Prover{key: key, thumbprint: base64.RawURLEncoding.EncodeToString(sum), now: now, nonces: map[string]string{}}, nil
}

// Thumbprint is what a code is bound to: RFC 9449 10.
func (p *Prover) Thumbprint() string { return p.thumbprint }

// prove adds the proof that req needs (RFC 9449 4.2), over the access token that it
// carries, if there is one. It returns the nonce in it, which may be "".
func (p *Prover) prove(req *http.Request) (nonce string, err error) {
	p.mu.Lock()
	nonce = p.nonces[origin(req)]
	p.mu.Unlock()
	claims := map[string]any{"jti": rand.Text(), "htm": req.Method, "htu": origin(req) + cmp.Or(req.URL.EscapedPath(), "/"), "iat": p.now().Unix()}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	if token, ok := bound(req); ok {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	proof, err := p.key.Sign("dpop+jwt", claims, true)
	if err != nil {
		return "", err
	}
	req.Header.Set("DPoP", proof)
	return nonce, nil
}

// note keeps the nonce that comes with an answer to req, for what is sent there next. It
// reports whether there is one, and another than used.
func (p *Prover) note(req *http.Request, answer http.Header, used string) bool {
	nonce := answer.Get("DPoP-Nonce")
	if nonce == "" || len(nonce) > maxNonce {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.nonces) >= maxOrigins {
		clear(p.nonces)
	}
	p.nonces[origin(req)] = nonce
	return nonce != used
}

// bound is the access token of req that is bound to a key.
func bound(req *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	return token, strings.EqualFold(scheme, Scheme)
}

func origin(req *http.Request) string {
	u := url.URL{Scheme: req.URL.Scheme, Host: strings.ToLower(cmp.Or(req.Host, req.URL.Host))}
	return u.String()
}
