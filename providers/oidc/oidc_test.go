package oidc_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

func TestSignIn(t *testing.T) {
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
}

// TestClientAuth: what discovery offers, and what the secret can be sent by.
func TestClientAuth(t *testing.T) { // TK-01, I8
	const basic, post = "client_secret_basic", "client_secret_post"
	both := []string{basic, post}
	for name, test := range map[string]struct {
		secret  string
		offered any
		set     oidc.ClientAuth
		post    bool
	}{
		"plain, both":           {"letters-and.digits_0", both, "", false},
		"plain, post alone":     {"letters", []string{post}, "", true},
		"plain, unsaid":         {"letters", nil, "", false},
		"plus, both":            {"a+b", both, "", true},
		"slash, both":           {"a/b", both, "", true},
		"equals sign, both":     {"YWJj==", both, "", true},
		"space, both":           {"a b", both, "", true},
		"percent sign, both":    {"a%2Bb", both, "", true},
		"umlaut, both":          {"é", both, "", true},
		"plus, basic alone":     {"a+b", []string{basic}, "", false},
		"plus, unsaid":          {"a+b", nil, "", false},
		"plus, unsaid, set":     {"a+b", nil, post, true},
		"plus, both, set":       {"a+b", both, basic, false},
		"plus, of another type": {"a+b", post, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			idp := providertest.NewServer(providertest.Config{
				Clients: []providertest.Client{{ID: "app", Secret: test.secret}}, People: []providertest.Person{{Subject: "1", Name: "Ada"}}})
			t.Cleanup(idp.Close)
			idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) {
				if m["token_endpoint_auth_methods_supported"] = test.offered; test.offered == nil {
					delete(m, "token_endpoint_auth_methods_supported")
				}
			}})
			p, err := oidc.New(oidc.Config{Name: "my-idp", Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret(test.secret), ClientAuth: test.set})
			require.NoError(t, err)
			_, err = providertest.SignIn(p, nil)
			require.NoError(t, err)
			require.Len(t, idp.TokenRequests(), 1, "the code goes out once")
			require.Equal(t, test.post, idp.TokenRequests()[0].Has("client_secret"), "by Basic, or in the form, and never both")
		})
	}
}

// TestSecretThatNeedsEncoding: at a server that does not decode it, the error says so.
func TestSecretThatNeedsEncoding(t *testing.T) { // TK-01, TK-17
	for _, status := range []int{400, 401} {
		for _, body := range []string{`{"error":"invalid_client"}`, ""} {
			for secret, cause := range map[string]bool{"abc+/=": true, "abc": false} {
				r := newRelying(t, func(c *oidc.Config) { c.Name, c.ClientSecret = "my-idp", auth.NewSecret(secret) })
				r.idp.SetFaults(providertest.Faults{
					Metadata: func(m map[string]any) { delete(m, "token_endpoint_auth_methods_supported") },
					Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
						if name == "token" {
							w.WriteHeader(status)
							_, _ = w.Write([]byte(body))
						}
						return name == "token"
					},
				})
				_, err := r.signIn()
				require.Equal(t, 1, r.idp.Hits("token"))
				if body == "" && status == 400 {
					require.ErrorIs(t, err, auth.ErrUnavailable)
					continue
				}
				require.ErrorIs(t, err, auth.ErrMisconfigured)
				require.Equal(t, cause, strings.Contains(err.Error(), "AUTH_MY_IDP_CLIENT_AUTH) to client_secret_post, or choose a secret"), "%v", err)
				require.NotContains(t, err.Error(), "abc")
			}
		}
	}
}

// TestServerThatSaysWhyItFails: for the log.
func TestServerThatSaysWhyItFails(t *testing.T) { // TK-17, TK-18, LG-02
	for body, want := range map[string]string{
		`{"error":"unknown_error","error_description":"For more info refer to\nthe logs"}`: "status 500: the provider answered unknown_error (For more info refer to\\nthe logs)",
		`{"error":"invalid_grant"}`: "status 500: the provider answered invalid_grant",
		`{"error":5}`:               "status 500",
		`{"message":"secret"}`:      "status 500",
		`<html>secret`:              "status 500",
	} {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "token" {
				w.WriteHeader(500)
				_, _ = w.Write([]byte(body))
			}
			return name == "token"
		}})
		_, err := r.signIn()
		require.ErrorIs(t, err, auth.ErrUnavailable)
		require.NotErrorIs(t, err, auth.ErrExpired)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestMap(t *testing.T) {
	for name, test := range map[string]struct {
		id   *auth.Identity
		err  error
		want error
	}{
		"somebody":     {&auth.Identity{Subject: "x"}, nil, nil},
		"nobody":       {nil, nil, auth.ErrMisconfigured},
		"a refusal":    {nil, auth.ErrNotAllowed, auth.ErrNotAllowed},
		"of no class":  {nil, errors.New("odd"), auth.ErrUnavailable},
		"many, groups": {&auth.Identity{Groups: make([]string, 5000), Picture: "http://x.example"}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelying(t, func(c *oidc.Config) {
				c.Map = func(_ context.Context, c oidc.Claims) (*auth.Identity, error) {
					require.Equal(t, "ada", c.String("sub"))
					require.True(t, c.Has("nonce") && !c.Has("Nonce") && c.Raw("SUB") == nil)
					return test.id, test.err
				}
			})
			id, err := r.signIn()
			require.ErrorIs(t, err, test.want)
			if err == nil {
				require.True(t, name != "many, groups" || len(id.Groups) == 5000, "a policy sees all")
				require.Empty(t, id.Picture)
				require.NotEmpty(t, id.Token.Extra("id_token"), "for a logout that names it")
				require.Equal(t, "openid profile email", id.Token.Extra("scope"))
			}
		})
	}
}

func TestConfigProblems(t *testing.T) { // LG-06, DI-14
	good := oidc.Config{Name: "x", Issuer: "https://x.example", ClientID: "id", ClientSecret: auth.NewSecret("s")}
	for want, change := range map[string]func(*oidc.Config){
		"Name":                  func(c *oidc.Config) { c.Name = "X y" },
		"absolute":              func(c *oidc.Config) { c.Issuer = "x.example" },
		"https":                 func(c *oidc.Config) { c.Issuer = "http://x.example" },
		"no query":              func(c *oidc.Config) { c.Issuer = "https://x.example?a" },
		"fragment":              func(c *oidc.Config) { c.Issuer = "https://x.example#a" },
		"user information":      func(c *oidc.Config) { c.Issuer = "https://a:b@x.example" },
		"ClientID":              func(c *oidc.Config) { c.ClientID = "" },
		"ClientSecret":          func(c *oidc.Config) { c.ClientSecret = auth.Secret{} },
		"PrivateKey":            func(c *oidc.Config) { c.ClientAuth = oidc.PrivateKeyJWT },
		"not known":             func(c *oidc.Config) { c.ClientAuth = "x" },
		`"HS256"`:               func(c *oidc.Config) { c.Algorithms = []string{"HS256"} },
		`"none"`:                func(c *oidc.Config) { c.Algorithms = []string{"none"} },
		`"redirect_uri"`:        func(c *oidc.Config) { c.AuthParams = url.Values{"redirect_uri": {"x"}} },
		`"x" has no value`:      func(c *oidc.Config) { c.AuthParams = url.Values{"x": nil} },
		`parameter "scope"`:     func(c *oidc.Config) { c.ParamNames = []string{"scope"} },
		"an issuer of your own": func(c *oidc.Config) { c.TrustEmail, c.AnyoneMayEnter = true, true },
		`GroupsClaim "a..b"`:    func(c *oidc.Config) { c.GroupsClaim = "a..b" },
		"DiscoveryURL: want an": func(c *oidc.Config) { c.DiscoveryURL = "x.example/a" },
		"DiscoveryURL: want no": func(c *oidc.Config) { c.DiscoveryURL = "https://x.example/?p=a" },
		"SharedIssuer: want":    func(c *oidc.Config) { c.SharedIssuer = "https://y.example/" },
		"the issuer's own":      func(c *oidc.Config) { c.SharedIssuer = "http://x.example/" },
		"own origin":            func(c *oidc.Config) { c.SharedIssuer = "/" },
		"nothing else to show":  func(c *oidc.Config) { c.InsecureNoPKCE, c.ClientAuth = true, oidc.ClientAuthNone },
		"IssuerTemplate: want":  func(c *oidc.Config) { c.IssuerTemplate = "{tenantid}{tenantid}" },
	} {
		c := good
		change(&c)
		_, err := oidc.New(c)
		require.ErrorContains(t, err, want)
	}
	_, err := oidc.New(oidc.Config{})
	for _, want := range []string{"Name", "Issuer", "ClientID", "ClientSecret"} {
		require.ErrorContains(t, err, want)
	}
}

func TestMultiTenantIssuer(t *testing.T) { // EN-01
	const tenant = "11111111-2222-3333-4444-555555555555"
	r := newRelying(t, func(c *oidc.Config) { c.IssuerTemplate = "https://login.example/{tenantid}/v2.0" })
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

// TestConfiguredClientAuth: what is configured counts before what discovery says, and a key
// before a secret.
func TestConfiguredClientAuth(t *testing.T) { // TK-01
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	const assertion, basic, post, none = "assertion", "basic", "post", "none"
	for name, test := range map[string]struct {
		configured oidc.ClientAuth
		key        crypto.Signer
		discovery  any // nil for silence
		want       string
	}{
		"silence":                      {"", nil, nil, basic},
		"either":                       {"", nil, []string{"client_secret_post", "client_secret_basic"}, post}, // whose secret would have to be encoded
		"post":                         {"", nil, []string{"private_key_jwt", "client_secret_post"}, post},
		"post, against discovery":      {oidc.ClientSecretPost, nil, []string{"client_secret_basic"}, post},
		"basic, against discovery":     {oidc.ClientSecretBasic, nil, []string{"client_secret_post"}, basic},
		"what no secret can do":        {oidc.ClientSecretPost, nil, []string{"tls_client_auth"}, post},
		"public, though with a secret": {oidc.ClientAuthNone, nil, []string{"client_secret_basic"}, none},
		"a key, before a secret":       {"", key, []string{"client_secret_basic"}, assertion},
		"a key, as said":               {oidc.PrivateKeyJWT, key, nil, assertion},
		"post, though with a key":      {oidc.ClientSecretPost, key, []string{"private_key_jwt"}, post},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelying(t, func(c *oidc.Config) { c.ClientAuth, c.PrivateKey, c.PrivateKeyID = test.configured, test.key, "k1" })
			var header string
			r.idp.SetFaults(providertest.Faults{
				Metadata: func(m map[string]any) {
					m["token_endpoint_auth_methods_supported"] = test.discovery
					if test.discovery == nil {
						delete(m, "token_endpoint_auth_methods_supported")
					}
				},
				Endpoint: func(name string, _ http.ResponseWriter, q *http.Request) bool {
					if name == "token" {
						header = q.Header.Get("Authorization")
					}
					return false
				},
			})
			_, err := r.signIn()
			require.Equal(t, test.want == basic || test.want == post, err == nil, "this identity provider knows secrets only")
			form := r.idp.TokenRequests()[0]
			require.Equal(t, test.want == basic, strings.HasPrefix(header, "Basic "))
			require.Equal(t, test.want != basic, form.Has("client_id"))
			require.Equal(t, test.want == post, form.Has("client_secret"))
			require.Equal(t, test.want == assertion, form.Has("client_assertion"))
		})
	}
}

// TestAssertion: of a key of each kind that is taken, the issuer can verify it.
func TestAssertion(t *testing.T) { // TK-01
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for algorithm, key := range map[jose.SignatureAlgorithm]crypto.Signer{"ES256": ec, "RS256": providertest.New(providertest.Config{}).SigningKey()} {
		r := newRelying(t, func(c *oidc.Config) { c.ClientSecret, c.PrivateKey, c.PrivateKeyID = auth.Secret{}, key, "k1" })
		_, err = r.signIn()
		require.ErrorIs(t, err, auth.ErrMisconfigured)
		signed, err := jose.ParseSignedCompact(r.idp.TokenRequests()[0].Get("client_assertion"), []jose.SignatureAlgorithm{algorithm})
		require.NoError(t, err)
		payload, err := signed.Verify(key.Public())
		require.NoError(t, err)
		require.Contains(t, string(payload), `"aud":"`+r.idp.Issuer()+`"`)
		require.Equal(t, "k1", signed.Signatures[0].Header.KeyID)
	}
}

func TestPrivateKeyIsSafe(t *testing.T) { // TK-01, LG-06
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	for _, key := range []crypto.Signer{weak, curve} {
		for _, method := range []oidc.ClientAuth{"", oidc.PrivateKeyJWT} {
			_, err := oidc.New(oidc.Config{Name: "x", Issuer: "https://x.example", ClientID: "id", PrivateKey: key, ClientAuth: method})
			require.ErrorContains(t, err, "PrivateKey: want RSA of 2048 bits or more, ECDSA P-256 or Ed25519")
		}
	}
}

// TestAssertionIsForTheIssuer: by the name that it has, where that was mended.
func TestAssertionIsForTheIssuer(t *testing.T) { // TK-01
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for _, slash := range []string{"", "/"} {
		idp := serve(t, "/realms/main")
		p, err := oidc.New(oidc.Config{Name: "idp", Issuer: idp.Issuer() + slash, ClientID: "app", PrivateKey: key})
		require.NoError(t, err)
		_, err = providertest.SignIn(p, nil)
		require.ErrorIs(t, err, auth.ErrMisconfigured, "this identity provider knows secrets only")
		parts := strings.Split(idp.TokenRequests()[0].Get("client_assertion"), ".")
		require.Len(t, parts, 3)
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		require.NoError(t, err)
		var claims struct{ Aud string }
		require.NoError(t, json.Unmarshal(payload, &claims))
		require.Equal(t, idp.Issuer(), claims.Aud)
	}
}

// TestNonceAloneStopsAStolenCode: where an issuer takes no PKCE, a code that is brought to
// another attempt fails at the nonce, and so does one without any.
func TestNonceAloneStopsAStolenCode(t *testing.T) { // CI-01, NO-01, NO-02
	r := newRelying(t, func(c *oidc.Config) { c.InsecureNoPKCE = true })
	idp := providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: clientSecret, NoPKCE: true}},
		People:  []providertest.Person{{Subject: "ada"}},
	})
	t.Cleanup(idp.Close)
	p, err := oidc.New(oidc.Config{Name: "idp", Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret(clientSecret), InsecureNoPKCE: true})
	require.NoError(t, err)
	r.idp, r.p = idp, p
	_, err = r.signIn()
	require.NoError(t, err)

	theirs := r.transaction()
	response, err := r.authorize(theirs)
	require.NoError(t, err)
	_, err = p.Exchange(context.Background(), r.transaction(), response)
	require.ErrorIs(t, err, auth.ErrInvalidResponse)
	require.ErrorContains(t, err, "nonce is not the one of this attempt")
}
