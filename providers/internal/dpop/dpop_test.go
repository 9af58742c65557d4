package dpop_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/providers/internal/dpop"
	"github.com/sallyport/auth/providers/internal/signing"
)

// server is a resource that answers as it is told, and remembers what it was asked.
type server struct {
	t       *testing.T
	key     *ecdsa.PrivateKey
	answers []answer
	asked   []*http.Request
	bodies  []string
	proofs  []map[string]any
	closed  int
}

type answer struct {
	status int
	nonce  string
}

func (s *server) RoundTrip(req *http.Request) (*http.Response, error) {
	s.asked = append(s.asked, req)
	body := ""
	if req.Body != nil {
		raw, err := io.ReadAll(req.Body)
		require.NoError(s.t, err)
		body = string(raw)
	}
	s.bodies = append(s.bodies, body)
	if proof := req.Header.Get("DPoP"); proof != "" {
		signed, err := jose.ParseSignedCompact(proof, []jose.SignatureAlgorithm{jose.ES256})
		require.NoError(s.t, err)
		require.Equal(s.t, "dpop+jwt", signed.Signatures[0].Header.ExtraHeaders["typ"])
		require.Equal(s.t, s.key.Public(), signed.Signatures[0].Header.JSONWebKey.Key)
		payload, err := signed.Verify(s.key.Public())
		require.NoError(s.t, err)
		var claims map[string]any
		require.NoError(s.t, json.Unmarshal(payload, &claims))
		s.proofs = append(s.proofs, claims)
	}
	a := answer{status: 200}
	if len(s.answers) > 0 {
		a, s.answers = s.answers[0], s.answers[1:]
	}
	resp := &http.Response{StatusCode: a.status, Header: http.Header{}, Body: &closing{strings.NewReader("answer"), s}}
	if a.nonce != "" {
		resp.Header.Set("DPoP-Nonce", a.nonce)
	}
	return resp, nil
}

type closing struct {
	io.Reader
	s *server
}

func (c *closing) Close() error { c.s.closed++; return nil }

func newServer(t *testing.T, answers ...answer) (*server, http.RoundTripper) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p, err := dpop.New(signing.Key{Signer: key}, func() time.Time { return time.Unix(1790000000, 0) })
	require.NoError(t, err)
	sum, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	require.NoError(t, err)
	require.Equal(t, base64.RawURLEncoding.EncodeToString(sum), p.Thumbprint())
	s := &server{t: t, key: key, answers: answers}
	return s, dpop.Transport{Prover: p, Next: s}
}

func get(t *testing.T, address, authorization string) *http.Request {
	req, err := http.NewRequest("GET", address, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", authorization)
	return req
}

func TestProof(t *testing.T) { // RFC 9449 4.2, 7.1
	s, transport := newServer(t)
	for address, want := range map[string]string{
		"https://api.example/a%2Fb?x=1#y": "https://api.example/a%2Fb",
		"https://API.example:8443":        "https://api.example:8443/",
		"http://127.0.0.1/x":              "http://127.0.0.1/x",
	} {
		s.proofs = nil
		req := get(t, address, "dpop at-4711")
		req.Header.Set("DPoP", "somebody's")
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, "somebody's", req.Header.Get("DPoP"), "a RoundTripper leaves the caller's request alone")
		sum := sha256.Sum256([]byte("at-4711"))
		require.NotEmpty(t, s.proofs[0]["jti"])
		delete(s.proofs[0], "jti")
		require.Equal(t, map[string]any{
			"htm": "GET", "htu": want, "iat": 1790000000., "ath": base64.RawURLEncoding.EncodeToString(sum[:]),
		}, s.proofs[0])
	}
	req := get(t, "https://10.0.0.1/x", "DPoP at")
	req.Host = "api.example"
	_, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, "https://api.example/x", s.proofs[1]["htu"], "as the server is called")
}

func TestWhatIsNotBound(t *testing.T) {
	s, transport := newServer(t, answer{401, "n1"})
	for _, authorization := range []string{"Bearer at", "", "DPoPx at"} {
		s.answers = []answer{{401, "n1"}}
		_, err := transport.RoundTrip(get(t, "https://api.example/", authorization))
		require.NoError(t, err)
	}
	require.Len(t, s.asked, 3)
	require.Empty(t, s.proofs)
}

func TestNonce(t *testing.T) { // RFC 9449 9
	s, transport := newServer(t, answer{401, "n1"}, answer{200, "n2"}, answer{200, ""})
	body := func() *http.Request {
		req, err := http.NewRequest("POST", "https://api.example/pay", strings.NewReader("all of it"))
		require.NoError(t, err)
		req.Header.Set("Authorization", "DPoP at")
		return req
	}
	resp, err := transport.RoundTrip(body())
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, []string{"all of it", "all of it"}, s.bodies)
	require.NotContains(t, s.proofs[0], "nonce")
	require.Equal(t, "n1", s.proofs[1]["nonce"])
	require.NotEqual(t, s.proofs[0]["jti"], s.proofs[1]["jti"])
	require.Equal(t, 1, s.closed, "the answer that is not handed on is closed")

	_, err = transport.RoundTrip(body())
	require.NoError(t, err)
	require.Equal(t, "n2", s.proofs[2]["nonce"], "the last that came, with whatever answer")
	_, err = transport.RoundTrip(get(t, "https://other.example/", "DPoP at"))
	require.NoError(t, err)
	require.NotContains(t, s.proofs[3], "nonce", "one server's is nothing to another")
	s.answers = []answer{{200, strings.Repeat("o", 512)}}
	_, err = transport.RoundTrip(get(t, "https://other.example/", "DPoP at"))
	require.NoError(t, err)
	for i, address := range []string{"https://other.example/", "https://api.example/"} {
		_, err = transport.RoundTrip(get(t, address, "DPoP at"))
		require.NoError(t, err)
		require.Equal(t, []string{strings.Repeat("o", 512), "n2"}[i], s.proofs[5+i]["nonce"])
	}
}

func TestNoProver(t *testing.T) {
	s, _ := newServer(t, answer{401, "n1"})
	var none *dpop.Prover
	call := none.Call(s)
	resp, err := call.RoundTrip(get(t, "https://api.example/", "DPoP at"))
	require.NoError(t, err)
	call.Answered(resp.Header)
	require.False(t, call.HasNonce())
	require.Empty(t, s.proofs)
}

func TestNonceThatDoesNotHelp(t *testing.T) {
	for name, test := range map[string]struct {
		answers []answer
		asked   int
	}{
		"another each time":   {[]answer{{401, "n1"}, {401, "n2"}, {401, "n3"}}, 2},
		"the same again":      {[]answer{{401, "n0"}, {401, "n0"}}, 1},
		"none":                {[]answer{{401, ""}}, 1},
		"with another status": {[]answer{{403, "n1"}}, 1},
		"too long":            {[]answer{{401, strings.Repeat("n", 513)}, {200, ""}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, transport := newServer(t, answer{200, "n0"})
			_, err := transport.RoundTrip(get(t, "https://api.example/", "DPoP at"))
			require.NoError(t, err)
			s.answers = test.answers
			_, err = transport.RoundTrip(get(t, "https://api.example/", "DPoP at"))
			require.NoError(t, err)
			require.Len(t, s.asked, 1+test.asked)
		})
	}
}

func TestBodiesThatCannotBeHadAgain(t *testing.T) {
	s, transport := newServer(t)
	for _, again := range []func() (io.ReadCloser, error){nil, func() (io.ReadCloser, error) { return nil, errors.New("gone") }} {
		s.asked, s.answers = nil, []answer{{401, fmt.Sprint(again == nil)}}
		req, err := http.NewRequest("POST", "https://api.example/", io.NopCloser(strings.NewReader("x")))
		require.NoError(t, err)
		req.Header.Set("Authorization", "DPoP at")
		req.GetBody = again
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, 401, resp.StatusCode)
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, "answer", string(raw))
		require.Len(t, s.asked, 1)
	}
	s.asked, s.answers = nil, []answer{{401, "n9"}, {200, ""}}
	req := get(t, "https://api.example/", "DPoP at")
	req.Body = http.NoBody
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode)
}

// TestManyServers: what is kept of servers that were called is bounded.
func TestManyServers(t *testing.T) {
	s, transport := newServer(t)
	for i := range 65 {
		s.answers = []answer{{200, "n"}}
		_, err := transport.RoundTrip(get(t, fmt.Sprintf("https://%d.example/", i), "DPoP at"))
		require.NoError(t, err)
	}
	_, err := transport.RoundTrip(get(t, "https://0.example/", "DPoP at"))
	require.NoError(t, err)
	require.NotContains(t, s.proofs[65], "nonce")
	_, err = transport.RoundTrip(get(t, "https://64.example/", "DPoP at"))
	require.NoError(t, err)
	require.Equal(t, "n", s.proofs[66]["nonce"])
}

type broken struct{ crypto.Signer }

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("down")
}

func TestKeyThatDoesNotSign(t *testing.T) {
	s, _ := newServer(t)
	p, err := dpop.New(signing.Key{Signer: broken{s.key}}, time.Now)
	require.NoError(t, err)
	req, err := http.NewRequest("POST", "https://api.example/", &closing{strings.NewReader("x"), s})
	require.NoError(t, err)
	req.Header.Set("Authorization", "DPoP at")
	_, err = dpop.Transport{Prover: p, Next: s}.RoundTrip(req)
	require.Error(t, err)
	require.Empty(t, s.asked, "no token goes without its proof")
	require.Equal(t, 1, s.closed)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	_, err = dpop.New(signing.Key{Signer: p384}, time.Now)
	require.Error(t, err)
}
