package soak_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// startRedis returns the socket of a server.
func startRedis(t *testing.T) string {
	dir := t.TempDir()
	socket := filepath.Join(dir, "redis")
	var output bytes.Buffer
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "")
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start(), "run e2e/setup")
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, 10*time.Second, 10*time.Millisecond, "Redis does not listen")
	return socket
}

// startHanging returns the issuer of a provider that takes connections and answers nothing.
func startHanging(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var mu sync.Mutex
	var conns []net.Conn
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, conn := range conns {
			conn.Close()
		}
	})
	return "http://" + l.Addr().String()
}

// idp is an OpenID provider that signs with ES256 and forgets a code once it is used: that of
// providertest keeps all that it was asked, and signs with RSA, for most of a processor at this pace.
type idp struct {
	issuer string
	key    jose.JSONWebKey
	signer jose.Signer

	mu    sync.Mutex
	last  int
	codes map[string]claims
}

// claims are those of an ID token.
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Nonce    string `json:"nonce"`
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Verified bool   `json:"email_verified"`
	Session  string `json:"sid"`
}

func startIdP(t *testing.T) *idp {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p := &idp{key: jose.JSONWebKey{Key: &private.PublicKey, KeyID: "soak", Algorithm: "ES256", Use: "sig"}, codes: map[string]claims{}}
	p.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: "soak"}}, nil)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": p.issuer, "authorization_endpoint": p.issuer + "/authorize", "token_endpoint": p.issuer + "/token", "jwks_uri": p.issuer + "/keys",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
			"id_token_signing_alg_values_supported": []string{"ES256"}, "code_challenge_methods_supported": []string{"S256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.key}})
	})
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.issuer = server.URL
	return p
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// authorize signs the people in, in turn.
func (p *idp) authorize(w http.ResponseWriter, r *http.Request) {
	q, now := r.URL.Query(), time.Now()
	p.mu.Lock()
	p.last++
	n := p.last
	code := strconv.Itoa(n) + "-" + rand.Text()
	p.codes[code] = claims{
		Issuer: p.issuer, Subject: fmt.Sprintf("person-%05d", n%people), Audience: q.Get("client_id"), Nonce: q.Get("nonce"),
		Issued: now.Unix(), Expires: now.Add(5 * time.Minute).Unix(), Name: "Ada Lovelace", Session: strconv.Itoa(n),
		Email: fmt.Sprintf("ada.%05d@example.com", n%people), Verified: true,
	}
	p.mu.Unlock()
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusSeeOther)
}

// token changes a code for an ID token.
func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	c, ok := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	p.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
		answer(w, map[string]any{"error": "invalid_grant"})
		return
	}
	payload, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	signed, err := p.signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	answer(w, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 300, "id_token": token})
}
