package auth_test

import (
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/providertest"
)

const clientSecret = "client:secret %+é-that-must-not-show"

// relying is a relying party and the identity provider that it trusts.
type relying struct {
	t   *testing.T
	idp *providertest.Server
	p   *auth.OIDC
	now time.Time
	mu  sync.Mutex
}

func (r *relying) clock() time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.now }
func (r *relying) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func newRelying(t *testing.T, change func(*auth.OIDCConfig)) *relying {
	r := &relying{t: t, now: time.Now()}
	r.idp = providertest.NewServer(providertest.Config{
		Now:     r.clock,
		Clients: []providertest.Client{{ID: "app", Secret: clientSecret}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true}},
	})
	t.Cleanup(r.idp.Close)
	c := auth.OIDCConfig{Name: "idp", Issuer: r.idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret(clientSecret), Now: r.clock}
	if change != nil {
		change(&c)
	}
	var err error
	r.p, err = auth.NewOIDC(c)
	require.NoError(t, err)
	return r
}

func (r *relying) transaction() auth.Transaction {
	return auth.Transaction{Provider: "idp", State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(), RedirectURI: "https://app.example/cb"}
}

// signIn goes to the identity provider and back.
func (r *relying) signIn() (*auth.Identity, error) {
	tx := r.transaction()
	response, err := r.authorize(tx)
	if err != nil {
		return nil, err
	}
	return r.p.Exchange(context.Background(), tx, response)
}

func (r *relying) authorize(tx auth.Transaction) (url.Values, error) {
	target, err := r.p.AuthCodeURL(context.Background(), tx)
	if err != nil {
		return nil, err
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(target)
	require.NoError(r.t, err)
	resp.Body.Close()
	back, err := resp.Location()
	require.NoError(r.t, err)
	return back.Query(), nil
}

func TestOIDCSignIn(t *testing.T) {
	r := newRelying(t, nil)
	id, err := r.signIn()
	require.NoError(t, err)
	require.Equal(t, r.idp.Issuer(), id.Issuer)
	require.Equal(t, "ada", id.Subject)
	require.True(t, id.EmailVerified)
	require.Zero(t, r.idp.Hits("userinfo"), "the ID token had what is needed")
	_, err = r.signIn()
	require.NoError(t, err)
	require.Equal(t, 1, r.idp.Hits("discovery"))
	require.Equal(t, 1, r.idp.Hits("keys"))
	require.Equal(t, 2, r.idp.Hits("token"))
	require.False(t, r.idp.TokenRequests()[0].Has("client_secret"), "TK-01: by Basic, and not in the form too")
}

func TestIDTokenClaims(t *testing.T) {
	set := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { m[name] = value }
	}
	without := func(name string) func(map[string]any) {
		return func(m map[string]any) { delete(m, name) }
	}
	at := func(name string, d time.Duration) func(map[string]any) {
		return func(m map[string]any) { m[name] = time.Now().Add(d).Unix() }
	}
	cases := []struct {
		name   string
		change func(map[string]any)
		err    error // nil: signs in
	}{
		{"ID-09 iss with more", func(m map[string]any) { m["iss"] = m["iss"].(string) + "1" }, auth.ErrInvalidResponse},
		{"ID-09 iss with slash", func(m map[string]any) { m["iss"] = m["iss"].(string) + "/" }, auth.ErrInvalidResponse},
		{"ID-09 iss upper case", func(m map[string]any) { m["iss"] = strings.ToUpper(m["iss"].(string)) }, auth.ErrInvalidResponse},
		{"ID-10 no iss", without("iss"), auth.ErrInvalidResponse},
		{"ID-10 iss array", func(m map[string]any) { m["iss"] = []any{m["iss"]} }, auth.ErrInvalidResponse},
		{"ID-11 aud", set("aud", "app1"), auth.ErrInvalidResponse},
		{"ID-11 aud case", set("aud", "APP"), auth.ErrInvalidResponse},
		{"ID-11 no aud", without("aud"), auth.ErrInvalidResponse},
		{"ID-11 empty aud", set("aud", []string{}), auth.ErrInvalidResponse},
		{"ID-11 aud number", set("aud", 5), auth.ErrInvalidResponse},
		{"ID-11 aud nested", set("aud", []any{[]string{"app"}}), auth.ErrInvalidResponse},
		{"ID-12 aud of one", set("aud", []string{"app"}), nil},
		{"ID-13 second aud", set("aud", []string{"app", "evil"}), auth.ErrInvalidResponse},
		{"ID-13 second aud with azp", func(m map[string]any) { m["aud"], m["azp"] = []string{"app", "evil"}, "app" }, auth.ErrInvalidResponse},
		{"ID-13 trusted aud, no azp", set("aud", []string{"app", "project"}), auth.ErrInvalidResponse},
		{"ID-13 trusted aud, azp", func(m map[string]any) { m["aud"], m["azp"] = []string{"app", "project"}, "app" }, nil},
		{"ID-14 azp", set("azp", "evil"), auth.ErrInvalidResponse},
		{"ID-14 azp array", set("azp", []string{"app"}), auth.ErrInvalidResponse},
		{"ID-15 no sub", without("sub"), auth.ErrInvalidResponse},
		{"ID-15 empty sub", set("sub", ""), auth.ErrInvalidResponse},
		{"ID-15 null sub", set("sub", nil), auth.ErrInvalidResponse},
		{"ID-15 sub number", set("sub", 5), auth.ErrInvalidResponse},
		{"ID-15 sub too long", set("sub", strings.Repeat("x", 256)), auth.ErrInvalidResponse},
		{"ID-15 sub as long as can be", set("sub", strings.Repeat("x", 255)), nil},
		{"ID-16 no exp", without("exp"), auth.ErrInvalidResponse},
		{"ID-16 exp past", at("exp", -2*time.Minute), auth.ErrClock},
		{"ID-16 exp past within skew", at("exp", -30*time.Second), nil},
		{"ID-16 exp string", set("exp", "99999999999"), auth.ErrInvalidResponse},
		{"ID-16 exp negative", set("exp", -5), auth.ErrClock},
		{"ID-16 exp huge", set("exp", 1e300), nil},
		{"ID-17 no iat", without("iat"), auth.ErrInvalidResponse},
		{"ID-17 iat future", at("iat", 2*time.Minute), auth.ErrClock},
		{"ID-17 iat ten years on", at("iat", 10*365*24*time.Hour), auth.ErrClock},
		{"ID-17 iat a week ago", at("iat", -7*24*time.Hour), auth.ErrClock},
		{"ID-18 nbf future", at("nbf", 2*time.Minute), auth.ErrClock},
		{"ID-18 nbf past", at("nbf", -time.Minute), nil},
		{"ID-19 at_hash", set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), auth.ErrInvalidResponse},
		{"ID-19 no at_hash", without("at_hash"), nil},
		{"ID-20 c_hash", set("c_hash", "x"), auth.ErrInvalidResponse},
		{"ID-36 other case", set("SUB", "victim"), nil},
		{"NO-02 nonce", func(m map[string]any) { m["nonce"] = m["nonce"].(string) + "1" }, auth.ErrInvalidResponse},
		{"NO-02 no nonce", without("nonce"), auth.ErrInvalidResponse},
		{"NO-02 empty nonce", set("nonce", ""), auth.ErrInvalidResponse},
		{"NO-02 null nonce", set("nonce", nil), auth.ErrInvalidResponse},
		{"NO-02 nonce array", func(m map[string]any) { m["nonce"] = []any{m["nonce"]} }, auth.ErrInvalidResponse},
		{"NO-02 nonce case", func(m map[string]any) { m["nonce"] = strings.ToLower(m["nonce"].(string)) }, auth.ErrInvalidResponse},
	}
	r := newRelying(t, func(c *auth.OIDCConfig) { c.TrustedAudiences = []string{"project"} })
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r.idp.SetFaults(providertest.Faults{IDToken: c.change})
			id, err := r.signIn()
			if c.err == nil {
				require.NoError(t, err)
				require.NotEqual(t, "victim", id.Subject)
				return
			}
			require.ErrorIs(t, err, c.err)
			if c.err != auth.ErrClock {
				require.NotErrorIs(t, err, auth.ErrClock)
			}
		})
	}
}

func TestOddClaimsAreTyped(t *testing.T) { // ID-35
	r := newRelying(t, nil)
	r.idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) {
		m["email_verified"], m["name"], m["groups"], m["picture"] = "true", map[string]any{}, make([]string, 5000), "javascript:alert(1)"
	}})
	id, err := r.signIn()
	require.NoError(t, err)
	require.False(t, id.EmailVerified)
	require.Empty(t, id.Name)
	require.Empty(t, id.Picture)
	require.LessOrEqual(t, len(id.Groups), 200)
}

func TestIDTokenSignatures(t *testing.T) {
	var published *rsa.PrivateKey
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	mac := func(key []byte) func(h, m map[string]any) string {
		return func(h, m map[string]any) string {
			h["alg"] = "HS256"
			input := providertest.Encode(h) + "." + providertest.Encode(m)
			s := hmac.New(sha256.New, key)
			s.Write([]byte(input))
			return input + "." + base64.RawURLEncoding.EncodeToString(s.Sum(nil))
		}
	}
	unsigned := func(alg any) func(h, m map[string]any) string {
		return func(h, m map[string]any) string {
			h["alg"] = alg
			return providertest.Encode(h) + "." + providertest.Encode(m) + "."
		}
	}
	header := func(name string, value any) func(h, m map[string]any) string {
		return func(h, m map[string]any) string {
			h[name] = value
			return providertest.Sign(published, h, m)
		}
	}
	spoil := func(f func(string) string) func(h, m map[string]any) string {
		return func(h, m map[string]any) string { return f(providertest.Sign(published, h, m)) }
	}
	jwk := map[string]any{"kty": "RSA", "n": base64.RawURLEncoding.EncodeToString(own.N.Bytes()), "e": "AQAB"}
	r := newRelying(t, nil)
	published = r.idp.SigningKey()
	pkix, _ := x509.MarshalPKIXPublicKey(published.Public())
	cases := []struct {
		name string
		sign func(h, m map[string]any) string
		ok   bool
	}{
		{"as it is", header("typ", "JWT"), true},
		{"ID-30 no typ", func(h, m map[string]any) string { delete(h, "typ"); return providertest.Sign(published, h, m) }, true},
		{"ID-22 no kid, one key", func(h, m map[string]any) string { delete(h, "kid"); return providertest.Sign(published, h, m) }, true},
		{"ID-01 none", unsigned("none"), false},
		{"ID-01 None", unsigned("None"), false},
		{"ID-01 no alg", unsigned(nil), false},
		{"ID-01 RS256 unsigned", unsigned("RS256"), false},
		{"ID-02 HS256 by public key, DER", mac(pkix), false},
		{"ID-02 HS256 by public key, PEM", mac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix})), false},
		{"ID-02 HS256 by modulus", mac(published.N.Bytes()), false},
		{"ID-03 HS256 by client secret", mac([]byte(clientSecret)), false},
		{"ID-04 HS256 by nothing", mac(nil), false},
		{"ID-05 RS384 claimed", header("alg", "RS384"), false},
		{"ID-07 another key", func(h, m map[string]any) string { return providertest.Sign(own, h, m) }, false},
		{"ID-24 unknown kid", header("kid", "unknown"), false},
		{"ID-25 kid number", header("kid", 5), false},
		{"ID-25 kid path", header("kid", "../../etc/passwd"), false},
		{"ID-25 kid long", header("kid", strings.Repeat("x", 2000)), false},
		{"ID-26 jwk", func(h, m map[string]any) string { h["jwk"] = jwk; return providertest.Sign(own, h, m) }, false},
		{"ID-27 jku", func(h, m map[string]any) string {
			h["jku"] = r.idp.Issuer() + "/evil"
			return providertest.Sign(own, h, m)
		}, false},
		{"ID-28 crit", header("crit", []string{"exp"}), false},
		{"ID-28 empty crit", header("crit", []string{}), false},
		{"ID-29 b64", header("b64", false), false},
		{"ID-30 at+jwt", header("typ", "at+jwt"), false},
		{"ID-30 logout+jwt", header("typ", "logout+jwt"), false},
		{"ID-31 zip", header("zip", "DEF"), false},
		{"ID-31 alg twice", func(h, m map[string]any) string {
			raw := base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf(`{"alg":"none","alg":"RS256","kid":%q}`, h["kid"])))
			_, rest, _ := strings.Cut(providertest.Sign(published, h, m), ".")
			return raw + "." + rest
		}, false},
		{"ID-33 padded", spoil(func(s string) string { return s + "=" }), false},
		{"ID-33 line break", spoil(func(s string) string { return s + "\n" }), false},
		{"ID-33 trailing bits", spoil(func(s string) string {
			last := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", s[len(s)-1])
			return s[:len(s)-1] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last^1])
		}), false},
		{"ID-07 truncated", spoil(func(s string) string { return s[:len(s)-4] }), false},
		{"ID-07 longer", spoil(func(s string) string { return s + "AAAA" }), false},
		{"TK-08 two parts", spoil(func(s string) string { return s[:strings.LastIndexByte(s, '.')] }), false},
		{"TK-08 four parts", spoil(func(s string) string { return s + ".x" }), false},
		{"ID-32 five parts", spoil(func(string) string { return "e30.AA.AA.AA.AA" }), false},
		{"TK-08 no JWT", spoil(func(string) string { return "abc" }), false},
		{"ID-34 dots", spoil(func(string) string { return strings.Repeat(".", 1<<19) }), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r.idp.SetFaults(providertest.Faults{Sign: c.sign})
			_, err := r.signIn()
			require.Equal(t, c.ok, err == nil, "%v", err)
			require.Zero(t, r.idp.Hits("userinfo"))
		})
	}
}

func TestKeyRotation(t *testing.T) { // JW-01, JW-02, JW-11
	r := newRelying(t, nil)
	_, err := r.signIn()
	require.NoError(t, err)
	for range 3 {
		r.idp.RotateKeys()
		_, err = r.signIn()
		require.NoError(t, err, "a key that was made just now")
	}
	require.Equal(t, 4, r.idp.Hits("keys"))
}

func TestUnknownKeyFlood(t *testing.T) { // JW-03
	r := newRelying(t, nil)
	_, err := r.signIn()
	require.NoError(t, err)
	r.idp.SetFaults(providertest.Faults{Header: func(h map[string]any) { h["kid"] = rand.Text() }})
	for range 100 {
		_, err := r.signIn()
		require.Error(t, err)
	}
	require.LessOrEqual(t, r.idp.Hits("keys"), 6)
	r.idp.SetFaults(providertest.Faults{})
	_, err = r.signIn()
	require.NoError(t, err, "the keys that there are keep working")
	r.advance(time.Minute)
	r.idp.RotateKeys()
	_, err = r.signIn()
	require.NoError(t, err, "and after a while new ones are found again")
}

func TestKeySets(t *testing.T) { // JW-05, JW-06, JW-07, JW-08, JW-09
	weak, _ := rsa.GenerateKey(rand.Reader, 1024)
	good := func(r *relying) map[string]any {
		k := r.idp.SigningKey()
		return map[string]any{"kty": "RSA", "kid": r.idp.SigningKeyID(), "n": base64.RawURLEncoding.EncodeToString(k.N.Bytes()), "e": "AQAB"}
	}
	plus := func(m map[string]any, name string, value any) map[string]any { m[name] = value; return m }
	cases := []struct {
		name string
		keys func(r *relying) any
		ok   bool
	}{
		{"bad ones beside", func(r *relying) any {
			return []any{map[string]any{"kty": "XYZ"}, map[string]any{"kty": "RSA"}, map[string]any{"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}, map[string]any{"kty": "RSA", "n": "!!", "e": "AQAB"}, "text", good(r)}
		}, true},
		{"ID-06 for encryption", func(r *relying) any { return []any{plus(good(r), "use", "enc")} }, false},
		{"ID-06 for signing only", func(r *relying) any { return []any{plus(good(r), "key_ops", []string{"sign"})} }, false},
		{"ID-06 for another algorithm", func(r *relying) any { return []any{plus(good(r), "alg", "PS256")} }, false},
		{"JW-08 even exponent", func(r *relying) any { return []any{plus(good(r), "e", "AQAC")} }, false},
		{"JW-08 short", func(r *relying) any {
			return []any{plus(good(r), "n", base64.RawURLEncoding.EncodeToString(weak.N.Bytes()))}
		}, false},
		{"JW-09 symmetric", func(r *relying) any {
			return []any{map[string]any{"kty": "oct", "kid": r.idp.SigningKeyID(), "k": "AAAA"}}
		}, false},
		{"none", func(*relying) any { return []any{} }, false},
		{"no list", func(*relying) any { return 5 }, false},
		{"JW-06 too many", func(r *relying) any {
			list := []any{}
			for range 101 {
				list = append(list, good(r))
			}
			return list
		}, false},
		{"JW-14 private members", func(r *relying) any { return []any{plus(good(r), "d", "AAAA")} }, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRelying(t, nil)
			r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
				if name == "keys" {
					providertest.WriteJSON(w, 200, map[string]any{"keys": c.keys(r)})
				}
				return name == "keys"
			}})
			_, err := r.signIn()
			require.Equal(t, c.ok, err == nil, "%v", err)
		})
	}
}

func TestMetadata(t *testing.T) { // DI-01, DI-07, DI-08, DI-10, DI-13, PK-02
	set := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { m[name] = value }
	}
	cases := []struct {
		name   string
		change func(map[string]any)
		ok     bool
	}{
		{"as it is", func(map[string]any) {}, true},
		{"issuer with more", func(m map[string]any) { m["issuer"] = m["issuer"].(string) + "INVALID" }, false},
		{"issuer with slash", func(m map[string]any) { m["issuer"] = m["issuer"].(string) + "/" }, false},
		{"no issuer", func(m map[string]any) { delete(m, "issuer") }, false},
		{"no token endpoint", func(m map[string]any) { delete(m, "token_endpoint") }, false},
		{"no keys", func(m map[string]any) { delete(m, "jwks_uri") }, false},
		{"javascript", set("authorization_endpoint", "javascript:alert(1)"), false},
		{"data", set("authorization_endpoint", "data:text/html,x"), false},
		{"relative", set("token_endpoint", "/token"), false},
		{"fragment", set("authorization_endpoint", "https://x.example/#a"), false},
		{"user information", set("token_endpoint", "https://a:b@x.example/"), false},
		{"http elsewhere", set("userinfo_endpoint", "http://x.example/"), false},
		{"number", set("token_endpoint", 5), false},
		{"only none", set("id_token_signing_alg_values_supported", []string{"none", "HS256"}), false},
		{"none among others", set("id_token_signing_alg_values_supported", []string{"none", "RS256"}), true},
		{"no algorithms", func(m map[string]any) { delete(m, "id_token_signing_alg_values_supported") }, true},
		{"PKCE plain only", set("code_challenge_methods_supported", []string{"plain"}), true},
		{"no PKCE", func(m map[string]any) { delete(m, "code_challenge_methods_supported") }, true},
		{"post only", set("token_endpoint_auth_methods_supported", []string{"client_secret_post"}), true},
		{"client certificates only", set("token_endpoint_auth_methods_supported", []string{"tls_client_auth"}), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRelying(t, nil)
			r.idp.SetFaults(providertest.Faults{Metadata: c.change})
			_, err := r.signIn()
			require.Equal(t, c.ok, err == nil, "%v", err)
			if !c.ok {
				require.ErrorIs(t, err, auth.ErrMisconfigured)
				require.Zero(t, r.idp.Hits("authorize"))
			}
		})
	}
}

func TestAuthorizationEndpointKeepsItsQuery(t *testing.T) { // ST-20
	r := newRelying(t, nil)
	r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) {
		m["authorization_endpoint"] = m["authorization_endpoint"].(string) + "?tenant=x&state=evil"
	}})
	tx := r.transaction()
	raw, err := r.p.AuthCodeURL(context.Background(), tx)
	require.NoError(t, err)
	u, err := url.Parse(raw)
	require.NoError(t, err)
	require.Equal(t, []string{"x"}, u.Query()["tenant"])
	require.Equal(t, []string{tx.State}, u.Query()["state"])
}

func TestCallbackIssuer(t *testing.T) { // MX-01 to MX-04
	cases := []struct {
		name   string
		change func(url.Values)
		err    error
	}{
		{"missing though promised", func(v url.Values) { v.Del("iss") }, auth.ErrInvalidResponse},
		{"another", func(v url.Values) { v.Set("iss", "https://evil.example") }, auth.ErrInvalidResponse},
		{"slash", func(v url.Values) { v.Set("iss", v.Get("iss")+"/") }, auth.ErrInvalidResponse},
		{"empty", func(v url.Values) { v.Set("iss", "") }, auth.ErrInvalidResponse},
		{"error of another issuer", func(v url.Values) {
			v.Del("code")
			v.Set("error", "access_denied")
			v.Set("iss", "https://evil.example")
		}, auth.ErrInvalidResponse},
		{"error of ours", func(v url.Values) { v.Del("code"); v.Set("error", "access_denied") }, auth.ErrDeclined},
		{"CB-03 long code", func(v url.Values) { v.Set("code", strings.Repeat("x", 5000)) }, auth.ErrInvalidResponse},
		{"CB-03 NUL", func(v url.Values) { v.Set("code", "a\x00") }, auth.ErrInvalidResponse},
		{"ST-18 tokens", func(v url.Values) { v.Set("access_token", "x") }, auth.ErrInvalidResponse},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRelying(t, nil)
			tx := r.transaction()
			response, err := r.authorize(tx)
			require.NoError(t, err)
			c.change(response)
			_, err = r.p.Exchange(context.Background(), tx, response)
			require.ErrorIs(t, err, c.err)
			require.NotErrorIs(t, err, map[bool]error{true: auth.ErrDeclined, false: auth.ErrUnavailable}[c.err != auth.ErrDeclined])
			require.Zero(t, r.idp.Hits("token"))
		})
	}
}

func TestProviderErrorIsPrintable(t *testing.T) { // CB-01, LG-02
	r := newRelying(t, nil)
	tx := r.transaction()
	response, err := r.authorize(tx)
	require.NoError(t, err)
	response.Del("code")
	response.Set("error", "<script>\x1b[31m\r\n")
	response.Set("error_description", strings.Repeat("\u202ex\n", 5000)+"\xff")
	_, err = r.p.Exchange(context.Background(), tx, response)
	require.ErrorIs(t, err, auth.ErrInvalidResponse)
	require.Less(t, len(err.Error()), 3000)
	require.NotContains(t, err.Error(), "\n")
	require.NotContains(t, err.Error(), "\x1b")
}

func TestTokenAnswers(t *testing.T) {
	set := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { m[name] = value }
	}
	cases := []struct {
		name   string
		change func(map[string]any)
		err    error
	}{
		{"TK-06 no access token", func(m map[string]any) { delete(m, "access_token") }, auth.ErrInvalidResponse},
		{"TK-06 null", set("access_token", nil), auth.ErrInvalidResponse},
		{"TK-06 number", set("access_token", 5), auth.ErrInvalidResponse},
		{"TK-07 no ID token", func(m map[string]any) { delete(m, "id_token") }, auth.ErrInvalidResponse},
		{"TK-07 empty", set("id_token", ""), auth.ErrInvalidResponse},
		{"TK-07 number", set("id_token", 1), auth.ErrInvalidResponse},
		{"TK-09 upper case", set("token_type", "BEARER"), nil},
		{"TK-09 mac", set("token_type", "mac"), auth.ErrInvalidResponse},
		{"TK-09 DPoP", set("token_type", "DPoP"), auth.ErrInvalidResponse},
		{"TK-09 missing", func(m map[string]any) { delete(m, "token_type") }, auth.ErrInvalidResponse},
		{"TK-10 text", set("expires_in", "3600"), nil},
		{"TK-10 missing", func(m map[string]any) { delete(m, "expires_in") }, nil},
		{"TK-10 huge", set("expires_in", 1e30), nil},
		{"TK-10 negative", set("expires_in", -1), nil},
		{"TK-10 nonsense", set("expires_in", "abc"), nil},
		{"TK-11 another case", set("ID_TOKEN", "evil"), nil},
		{"TK-03 error with 200", func(m map[string]any) { clear(m); m["error"] = "bad_verification_code" }, auth.ErrExpired},
		{"TK-03 client with 200", func(m map[string]any) { clear(m); m["error"] = "incorrect_client_credentials" }, auth.ErrMisconfigured},
		{"TK-03 redirect with 200", func(m map[string]any) { clear(m); m["error"] = "redirect_uri_mismatch" }, auth.ErrRedirectURI},
	}
	r := newRelying(t, nil)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r.idp.SetFaults(providertest.Faults{Token: c.change})
			id, err := r.signIn()
			require.ErrorIs(t, err, c.err)
			if err == nil && !id.Token.Expiry.IsZero() {
				require.True(t, id.Token.Expiry.After(r.now) && id.Token.Expiry.Before(r.now.Add(366*24*time.Hour)))
			}
		})
	}
}

func TestTokenEndpointMisbehaves(t *testing.T) {
	elsewhere := providertest.NewServer(providertest.Config{})
	defer elsewhere.Close()
	redirect := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.Issuer()+"/token", status) }
	}
	write := func(status int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	cases := []struct {
		name   string
		answer http.HandlerFunc
		err    error
	}{
		{"TK-02 301", redirect(301), auth.ErrUnavailable},
		{"TK-02 302", redirect(302), auth.ErrUnavailable},
		{"TK-02 303", redirect(303), auth.ErrUnavailable},
		{"TK-02 307", redirect(307), auth.ErrUnavailable},
		{"TK-02 308", redirect(308), auth.ErrUnavailable},
		{"TK-05 HTML", write(200, "text/html", "<html>"+clientSecret), auth.ErrUnavailable},
		{"TK-05 form", write(200, "application/x-www-form-urlencoded", "access_token=x&id_token=y&token_type=bearer"), auth.ErrUnavailable},
		{"TK-12 trailing", write(200, "application/json", `{} {}`), auth.ErrUnavailable},
		{"TK-12 deep", write(200, "application/json", strings.Repeat("[", 100_000)), auth.ErrUnavailable},
		{"TK-12 BOM", write(200, "application/json", "\ufeff{}"), auth.ErrUnavailable},
		{"TK-11 twice", write(200, "application/json", `{"access_token":"a","access_token":"b"}`), auth.ErrUnavailable},
		{"TK-13 10 MB", write(200, "application/json", strings.Repeat(" ", 10<<20)), auth.ErrUnavailable},
		{"TK-15 gzip bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 32<<20))
			_ = z.Close()
		}, auth.ErrUnavailable},
		{"TK-16 early close", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("{"))
			panic(http.ErrAbortHandler)
		}, auth.ErrUnavailable},
		{"TK-17 invalid_grant", write(400, "application/json", `{"error":"invalid_grant"}`), auth.ErrExpired},
		{"TK-17 invalid_client", write(401, "application/json", `{"error":"invalid_client"}`), auth.ErrMisconfigured},
		{"TK-17 401 without a body", write(401, "text/plain", ""), auth.ErrMisconfigured},
		{"TK-17 500", write(500, "application/json", `{"error":"invalid_grant"}`), auth.ErrUnavailable},
		{"TK-18 429", write(429, "application/json", `{}`), auth.ErrUnavailable},
		{"TK-22 headers", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }, auth.ErrUnavailable},
	}
	r := newRelying(t, nil)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			before := r.idp.Hits("token")
			r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, q *http.Request) bool {
				if name == "token" {
					c.answer(w, q)
				}
				return name == "token"
			}})
			_, err := r.signIn()
			require.ErrorIs(t, err, c.err)
			require.NotContains(t, err.Error(), clientSecret)
			require.Equal(t, 1, r.idp.Hits("token")-before, "I8: the code goes out once")
		})
	}
	require.Zero(t, elsewhere.Hits("token"))
}

func TestUserinfo(t *testing.T) { // UI-01 to UI-06
	bare := func(m map[string]any) { delete(m, "name"); delete(m, "email"); delete(m, "email_verified") }
	cases := []struct {
		name string
		info func(map[string]any)
		ok   bool
	}{
		{"fills in", func(map[string]any) {}, true},
		{"another sub", func(m map[string]any) { m["sub"] = "adainvalid" }, false},
		{"no sub", func(m map[string]any) { delete(m, "sub") }, false},
		{"null sub", func(m map[string]any) { m["sub"] = nil }, false},
		{"overrides", func(m map[string]any) { m["iss"], m["aud"], m["tid"] = "https://evil.example", "x", "y" }, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRelying(t, nil)
			r.idp.SetFaults(providertest.Faults{IDToken: bare, Userinfo: c.info})
			id, err := r.signIn()
			require.Equal(t, 1, r.idp.Hits("userinfo"))
			if !c.ok {
				require.ErrorIs(t, err, auth.ErrInvalidResponse)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "ada@example.com", id.Email)
			require.Equal(t, r.idp.Issuer(), id.Issuer)
		})
	}
	t.Run("UI-06 does not verify another address", func(t *testing.T) {
		r := newRelying(t, func(c *auth.OIDCConfig) { c.AlwaysUserinfo = true })
		r.idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) { m["email"] = "victim@example.com"; delete(m, "email_verified") }})
		id, err := r.signIn()
		require.NoError(t, err)
		require.False(t, id.EmailVerified)
	})
	down := func(name string, w http.ResponseWriter, _ *http.Request) bool {
		if name == "userinfo" {
			w.WriteHeader(503)
		}
		return name == "userinfo"
	}
	t.Run("UI-04 down, optional", func(t *testing.T) {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{IDToken: bare, Endpoint: down})
		_, err := r.signIn()
		require.NoError(t, err)
	})
	t.Run("UI-04 down, asked for", func(t *testing.T) {
		r := newRelying(t, func(c *auth.OIDCConfig) { c.AlwaysUserinfo = true })
		r.idp.SetFaults(providertest.Faults{Endpoint: down})
		_, err := r.signIn()
		require.ErrorIs(t, err, auth.ErrUnavailable)
	})
}

func TestDiscoveryIsSharedAndRecovers(t *testing.T) { // DI-02 to DI-05
	r := newRelying(t, nil)
	var wait sync.WaitGroup
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := r.p.AuthCodeURL(cancelled, r.transaction())
	_ = err // may or may not have been quick enough
	for range 200 {
		wait.Go(func() {
			if _, err := r.p.AuthCodeURL(context.Background(), r.transaction()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	require.Equal(t, 1, r.idp.Hits("discovery"))

	down := newRelying(t, nil)
	down.idp.SetFaults(providertest.Faults{Endpoint: func(_ string, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(500); return true }})
	for range 50 {
		_, err = down.p.AuthCodeURL(context.Background(), down.transaction())
		require.ErrorIs(t, err, auth.ErrUnavailable)
	}
	require.Equal(t, 1, down.idp.Hits("discovery"), "I10: no hammering")
	down.idp.SetFaults(providertest.Faults{})
	down.advance(time.Minute)
	_, err = down.signIn()
	require.NoError(t, err)
	down.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
		if name == "discovery" || name == "keys" {
			w.WriteHeader(500)
		}
		return name == "discovery" || name == "keys"
	}})
	down.advance(23*time.Hour + 30*time.Minute)
	_, err = down.signIn()
	require.NoError(t, err, "DI-12, JW-04: what was good is kept")
}

func TestMultiTenantIssuer(t *testing.T) { // EN-01
	const tenant = "11111111-2222-3333-4444-555555555555"
	r := newRelying(t, func(c *auth.OIDCConfig) { c.IssuerTemplate = "https://login.example/{tenantid}/v2.0" })
	cases := []struct {
		name, tid, iss string
		ok             bool
	}{
		{"its own", tenant, "https://login.example/" + tenant + "/v2.0", true},
		{"another's", tenant, "https://login.example/21111111-2222-3333-4444-555555555555/v2.0", false},
		{"no GUID", "evil.com#", "https://login.example/evil.com#/v2.0", false},
		{"path", "x/../evil", "https://login.example/x/../evil/v2.0", false},
		{"upper case", strings.ToUpper("abcdefab-2222-3333-4444-555555555555"), "https://login.example/ABCDEFAB-2222-3333-4444-555555555555/v2.0", false},
		{"missing", "", "https://login.example//v2.0", false},
		{"EN-04 v1", tenant, "https://sts.windows.net/" + tenant + "/", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r.idp.SetFaults(providertest.Faults{
				Metadata: func(m map[string]any) {
					m["issuer"] = "https://login.example/{tenantid}/v2.0"
					m["authorization_response_iss_parameter_supported"] = false
				},
				Callback: func(v url.Values) { v.Del("iss") },
				IDToken:  func(m map[string]any) { m["iss"], m["tid"] = c.iss, c.tid },
			})
			_, err := r.signIn()
			require.Equal(t, c.ok, err == nil, "%v", err)
		})
	}
}

func TestPrivateKeyJWT(t *testing.T) { // TK-01
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	r := newRelying(t, func(c *auth.OIDCConfig) {
		c.ClientSecret, c.PrivateKey, c.PrivateKeyID = auth.Secret{}, key, "k1"
	})
	_, err = r.signIn()
	require.ErrorIs(t, err, auth.ErrMisconfigured, "this identity provider knows secrets only")
	form := r.idp.TokenRequests()[0]
	require.Equal(t, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", form.Get("client_assertion_type"))
	require.Len(t, strings.Split(form.Get("client_assertion"), "."), 3)
	require.False(t, form.Has("client_secret"))
}

func TestOIDCConfigProblems(t *testing.T) { // LG-06, DI-14
	good := auth.OIDCConfig{Name: "x", Issuer: "https://x.example", ClientID: "id", ClientSecret: auth.NewSecret("s")}
	for want, change := range map[string]func(*auth.OIDCConfig){
		"Name":                 func(c *auth.OIDCConfig) { c.Name = "X y" },
		"absolute":             func(c *auth.OIDCConfig) { c.Issuer = "x.example" },
		"https":                func(c *auth.OIDCConfig) { c.Issuer = "http://x.example" },
		"no query":             func(c *auth.OIDCConfig) { c.Issuer = "https://x.example?a" },
		"fragment":             func(c *auth.OIDCConfig) { c.Issuer = "https://x.example#a" },
		"user information":     func(c *auth.OIDCConfig) { c.Issuer = "https://a:b@x.example" },
		"ClientID":             func(c *auth.OIDCConfig) { c.ClientID = "" },
		"ClientSecret":         func(c *auth.OIDCConfig) { c.ClientSecret = auth.Secret{} },
		"PrivateKey":           func(c *auth.OIDCConfig) { c.ClientAuth = auth.PrivateKeyJWT },
		"not known":            func(c *auth.OIDCConfig) { c.ClientAuth = "x" },
		`"HS256"`:              func(c *auth.OIDCConfig) { c.Algorithms = []string{"HS256"} },
		`"none"`:               func(c *auth.OIDCConfig) { c.Algorithms = []string{"none"} },
		`"redirect_uri"`:       func(c *auth.OIDCConfig) { c.AuthParams = url.Values{"redirect_uri": {"x"}} },
		`parameter "scope"`:    func(c *auth.OIDCConfig) { c.ParamNames = []string{"scope"} },
		"IssuerTemplate: want": func(c *auth.OIDCConfig) { c.IssuerTemplate = "{tenantid}{tenantid}" },
	} {
		c := good
		change(&c)
		_, err := auth.NewOIDC(c)
		require.ErrorContains(t, err, want)
	}
	_, err := auth.NewOIDC(auth.OIDCConfig{})
	for _, want := range []string{"Name", "Issuer", "ClientID", "ClientSecret"} {
		require.ErrorContains(t, err, want)
	}
}
