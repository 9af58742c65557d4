package oidc_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

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
		{"ID-11 aud", set("aud", "app1"), auth.ErrMisconfigured},
		{"ID-11 aud case", set("aud", "APP"), auth.ErrMisconfigured},
		{"ID-11 no aud", without("aud"), auth.ErrMisconfigured},
		{"ID-11 empty aud", set("aud", []string{}), auth.ErrMisconfigured},
		{"ID-11 aud number", set("aud", 5), auth.ErrMisconfigured},
		{"ID-11 aud nested", set("aud", []any{[]string{"app"}}), auth.ErrMisconfigured},
		{"ID-12 aud of one", set("aud", []string{"app"}), nil},
		{"ID-13 second aud", set("aud", []string{"app", "evil"}), auth.ErrMisconfigured},
		{"ID-13 second aud with azp", func(m map[string]any) { m["aud"], m["azp"] = []string{"app", "evil"}, "app" }, auth.ErrMisconfigured},
		{"ID-13 trusted aud, no azp", set("aud", []string{"app", "project"}), auth.ErrMisconfigured},
		{"ID-13 trusted aud, azp", func(m map[string]any) { m["aud"], m["azp"] = []string{"app", "project"}, "app" }, nil},
		{"ID-14 azp", set("azp", "evil"), auth.ErrMisconfigured},
		{"ID-14 azp array", set("azp", []string{"app"}), auth.ErrMisconfigured},
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
	r := newRelying(t, func(c *oidc.Config) { c.TrustedAudiences = []string{"project"} })
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
	require.Len(t, id.Groups, 5000)
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
		{"ID-26 jwk that is none", header("jwk", 5), false},
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

// TestMaxAge: whoever asks for a fresh sign-in does not get an old one.
func TestMaxAge(t *testing.T) { // ID-21
	now := time.Now()
	ago := func(seconds int64) any { return now.Unix() - seconds }
	for name, test := range map[string]struct {
		fixed, asked string // by the configuration, by the browser
		begun        time.Time
		authTime     any
		ok           bool
	}{
		"not asked for":                    {"", "", now, nil, true},
		"not asked for, long ago":          {"", "", now, ago(1e6), true},
		"fresh":                            {"", "300", now, ago(10), true},
		"at the limit":                     {"", "300", now, ago(300), true},
		"within the skew":                  {"", "300", now, ago(360), true},
		"too old":                          {"", "300", now, ago(361), false},
		"by the configuration":             {"300", "", now, ago(362), false},
		"by the configuration, fresh":      {"300", "", now, ago(10), true},
		"the browser's counts before it":   {"10000", "300", now, ago(362), false},
		"missing":                          {"", "300", now, nil, false},
		"missing, however long ago":        {"", "2147483647", now, nil, false},
		"text":                             {"", "300", now, fmt.Sprint(now.Unix()), false},
		"in the future":                    {"", "300", now, ago(-61), false},
		"in the future, within the skew":   {"", "300", now, ago(-60), true},
		"huge":                             {"", "300", now, 1e300, false},
		"zero, just now":                   {"", "0", now, ago(0), true},
		"zero, and the person took long":   {"", "0", now.Add(-5 * time.Minute), ago(290), true},
		"zero, signed in before":           {"", "0", now, ago(120), false},
		"a transaction of no known start":  {"", "300", time.Time{}, ago(362), false},
		"no number":                        {"", "soon", now, ago(0), false},
		"negative":                         {"", "-1", now, ago(0), false},
		"a number that no date can have":   {"", "99999999999999999999", now, ago(0), false},
		"by the configuration, no number":  {"x", "", now, ago(0), false},
		"by the configuration, and silent": {"60", "", now, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelying(t, func(c *oidc.Config) {
				if test.fixed != "" {
					c.AuthParams = url.Values{"max_age": {test.fixed}}
				}
			})
			r.now = now
			r.idp.SetFaults(providertest.Faults{IDToken: func(claims map[string]any) {
				claims["auth_time"] = test.authTime
				if test.authTime == nil {
					delete(claims, "auth_time")
				}
			}})
			params := url.Values{}
			if test.asked != "" {
				params.Set("max_age", test.asked)
			}
			tx := r.transaction()
			tx.Begun, tx.Params = test.begun, params
			response, err := r.authorize(tx)
			require.NoError(t, err)
			_, err = r.p.Exchange(context.Background(), tx, response)
			if test.ok {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, auth.ErrInvalidResponse)
			}
		})
	}
}

// TestClockEdges: to the second, what is too early and what too late.
func TestClockEdges(t *testing.T) { // ID-16, ID-17, ID-18
	r := newRelying(t, nil)
	r.now = r.now.Truncate(time.Second)
	for name, test := range map[string]struct {
		claim   string
		seconds int64
		ok      bool
	}{
		"expired":                       {"exp", -60, false},
		"expired, within the skew":      {"exp", -59, true},
		"issued late":                   {"iat", 61, false},
		"issued late, within the skew":  {"iat", 60, true},
		"issued early":                  {"iat", -3661, false},
		"issued early, within the hour": {"iat", -3660, true},
		"not valid yet":                 {"nbf", 61, false},
		"not valid yet, within it":      {"nbf", 60, true},
	} {
		t.Run(name, func(t *testing.T) {
			r.idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) { m[test.claim] = r.now.Unix() + test.seconds }})
			_, err := r.signIn()
			if test.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, auth.ErrClock)
			require.ErrorContains(t, err, r.now.UTC().Format(time.RFC3339))
		})
	}
	r.idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) { m["nbf"] = "soon" }})
	_, err := r.signIn()
	require.ErrorContains(t, err, "nbf is no number")
}

// TestCodeHash: where it is, it is the code's, by the hash of the algorithm.
func TestCodeHash(t *testing.T) { // ID-20
	r := newRelying(t, nil)
	code := ""
	hashed := func(length int) func(map[string]any) {
		return func(m map[string]any) {
			sum := sha256.Sum256([]byte(code))
			m["c_hash"] = base64.RawURLEncoding.EncodeToString(sum[:length])
		}
	}
	for length, ok := range map[int]bool{16: true, 15: false, 32: false} {
		r.idp.SetFaults(providertest.Faults{IDToken: hashed(length), Callback: func(v url.Values) { code = v.Get("code") }})
		_, err := r.signIn()
		require.Equal(t, ok, err == nil, "%d: %v", length, err)
	}
}

// TestClaimsAreOneObject: what a good signature is over must be one, and say each thing
// once.
func TestClaimsAreOneObject(t *testing.T) { // ID-36, TK-11
	r := newRelying(t, nil)
	for _, payload := range []string{`[]`, `null`, `5`, `{"sub":"ada","sub":"ada"}`, `{} {}`} {
		r.idp.SetFaults(providertest.Faults{Sign: func(h, _ map[string]any) string { return signText(r.idp.SigningKey(), h, payload) }})
		_, err := r.signIn()
		require.ErrorIs(t, err, auth.ErrInvalidResponse)
		require.ErrorContains(t, err, "its claims are no JSON object, or have a name twice", payload)
	}
}

// TestQuotesAreCut: an error tells what came, and no more of it than a line can hold.
func TestQuotesAreCut(t *testing.T) { // LG-02
	r := newRelying(t, nil)
	for name, test := range map[string]struct {
		faults providertest.Faults
		class  error
		most   int
	}{
		"iss":        {providertest.Faults{IDToken: func(m map[string]any) { m["iss"] = strings.Repeat("~", 300) }}, auth.ErrInvalidResponse, 200},
		"aud":        {providertest.Faults{IDToken: func(m map[string]any) { m["aud"] = strings.Repeat("~", 300) }}, auth.ErrMisconfigured, 200},
		"second aud": {providertest.Faults{IDToken: func(m map[string]any) { m["aud"] = []string{"app", strings.Repeat("~", 300)} }}, auth.ErrMisconfigured, 200},
		"alg":        {providertest.Faults{Header: func(m map[string]any) { m["alg"] = strings.Repeat("~", 300) }}, auth.ErrMisconfigured, 32},
	} {
		r.idp.SetFaults(test.faults)
		_, err := r.signIn()
		require.ErrorIs(t, err, test.class)
		require.Equal(t, test.most, strings.Count(err.Error(), "~"), "%s: %v", name, err)
	}
}

// TestTrustedAudienceIsNotEnough: it may stand beside us, and not in our place.
func TestTrustedAudienceIsNotEnough(t *testing.T) { // ID-11, ID-13
	r := newRelying(t, func(c *oidc.Config) { c.TrustedAudiences = []string{"project"} })
	for _, aud := range []any{"project", []string{"project"}, []string{}} {
		r.idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) { m["aud"] = aud }})
		_, err := r.signIn()
		require.ErrorContains(t, err, "want the client id")
	}
	r.idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) { m["aud"], m["azp"] = []string{"app", "project", "evil"}, "app" }})
	_, err := r.signIn()
	require.ErrorContains(t, err, `aud names "evil", which TrustedAudiences (in the environment AUTH_IDP_TRUSTED_AUDIENCES) does not`)
	r.idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) { m["aud"] = []any{"app", 5} }})
	_, err = r.signIn()
	require.ErrorContains(t, err, "aud is neither a string nor a list of strings")
}

// TestUnsignedAndEncrypted: the operator can mend the one at the provider, and reads what
// the other is.
func TestUnsignedAndEncrypted(t *testing.T) { // ID-01, ID-32
	r := newRelying(t, nil)
	for token, want := range map[string]error{"e30.AA.AA.AA.AA": auth.ErrMisconfigured, "e30.e30.": auth.ErrInvalidResponse} {
		r.idp.SetFaults(providertest.Faults{Sign: func(map[string]any, map[string]any) string { return token }})
		_, err := r.signIn()
		require.ErrorIs(t, err, want)
		require.ErrorContains(t, err, map[error]string{auth.ErrMisconfigured: "turn its encryption off", auth.ErrInvalidResponse: "it is not signed (alg none)"}[want])
	}
}

// TestMaxAgeThatWasNotSent: a browser's parameter that is not passed on asks for nothing.
func TestMaxAgeThatWasNotSent(t *testing.T) { // ID-21, ST-16
	r := newRelying(t, func(c *oidc.Config) { c.ParamNames = []string{"prompt"} })
	r.idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) { delete(m, "auth_time") }})
	tx := r.transaction()
	tx.Params = url.Values{"max_age": {"0"}}
	response, err := r.authorize(tx)
	require.NoError(t, err)
	_, err = r.p.Exchange(context.Background(), tx, response)
	require.NoError(t, err)
}
