package oidc_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

const api = "https://api.example"

func newAPI(t *testing.T, change func(*oidc.Config)) *relying {
	return newRelying(t, func(c *oidc.Config) {
		c.APIAudiences, c.Introspect = []string{"urn:other", api}, true
		if change != nil {
			change(c)
		}
	})
}

type claims = map[string]any

func TestAccessToken(t *testing.T) {
	r := newAPI(t, nil)
	token, err := r.p.VerifyToken(context.Background(), r.idp.AccessToken(nil, claims{"groups": []string{"staff"}, "acr": "mfa", "auth_time": 1e9}))
	require.NoError(t, err)
	require.Equal(t, []string{"read", "write"}, token.Scopes)
	require.False(t, token.Machine)
	require.Equal(t, r.now.Add(5*time.Minute).Unix(), token.Expires.Unix())
	require.Equal(t, &auth.Identity{Issuer: r.idp.Issuer(), Subject: "ada", Groups: []string{"staff"}, IssuedAt: time.Unix(r.now.Unix(), 0), ACR: "mfa", AuthTime: time.Unix(1e9, 0)}, token.Identity)

	for name, change := range map[string]claims{
		"among several audiences":  {"aud": []string{"https://other.example", api}},
		"another of ours":          {"aud": "urn:other"},
		"no scope":                 {"scope": nil},
		"expired, within the skew": {"exp": r.now.Unix() - 59},
	} {
		_, err := r.p.VerifyToken(context.Background(), r.idp.AccessToken(nil, change))
		require.NoError(t, err, name)
	}
	_, err = r.p.VerifyToken(context.Background(), r.idp.AccessToken(claims{"typ": "application/AT+jwt"}, nil))
	require.NoError(t, err)
}

// TestBadAccessTokens: none of them is anybody's.
func TestBadAccessTokens(t *testing.T) { // ID-01, ID-02, ID-10, ID-16
	r := newAPI(t, nil)
	other := newAPI(t, nil).idp
	id := claims{"typ": "JWT"}
	good := r.idp.AccessToken(nil, nil)
	_, payload, _ := strings.Cut(good, ".")
	hs := providertest.Encode(claims{"alg": "HS256", "typ": "at+jwt"}) + "." + payload
	none := providertest.Encode(claims{"alg": "none", "typ": "at+jwt"}) + "." + payload
	for name, token := range map[string]string{
		"an ID token's type":     r.idp.AccessToken(id, nil),
		"no type":                r.idp.AccessToken(claims{"typ": nil}, nil),
		"an empty type":          r.idp.AccessToken(claims{"typ": ""}, nil),
		"a type that is no text": r.idp.AccessToken(claims{"typ": 1}, nil),
		"a logout token's type":  r.idp.AccessToken(claims{"typ": "logout+jwt"}, nil),
		"another audience":       r.idp.AccessToken(nil, claims{"aud": "https://other.example"}),
		"the client as audience": r.idp.AccessToken(nil, claims{"aud": "app"}),
		"no audience":            r.idp.AccessToken(nil, claims{"aud": nil}),
		"an audience in a list":  r.idp.AccessToken(nil, claims{"aud": []any{api, 1}}),
		"a longer audience":      r.idp.AccessToken(nil, claims{"aud": api + "/"}),
		"expired":                r.idp.AccessToken(nil, claims{"exp": r.now.Unix() - 60}),
		"no expiry":              r.idp.AccessToken(nil, claims{"exp": nil}),
		"an expiry that is text": r.idp.AccessToken(nil, claims{"exp": "4102444800"}),
		"issued in the future":   r.idp.AccessToken(nil, claims{"iat": r.now.Unix() + 62}),
		"no time of issue":       r.idp.AccessToken(nil, claims{"iat": nil}),
		"not valid yet":          r.idp.AccessToken(nil, claims{"nbf": r.now.Unix() + 62}),
		"an issuer with a slash": r.idp.AccessToken(nil, claims{"iss": r.idp.Issuer() + "/"}),
		"nobody's":               r.idp.AccessToken(nil, claims{"sub": nil}),
		"bound to a key":         r.idp.AccessToken(nil, claims{"cnf": claims{"jkt": "x"}}),
		"signed with HS256":      hs,
		"signed with nothing":    none[:strings.LastIndexByte(none, '.')+1],
		"none, and a signature":  none,
		"another's signature":    other.AccessToken(claims{"kid": r.idp.SigningKeyID()}, claims{"iss": r.idp.Issuer()}),
		"changed":                good[:len(good)-8] + "AAAAAAAA",
		"empty parts":            "..",
		"no JSON":                "e30.e30.e30",
		"two issuers":            good[:strings.IndexByte(good, '.')+1] + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://a.example","iss":"https://b.example"}`)) + ".AA",
	} {
		t.Run(name, func(t *testing.T) {
			who, err := r.p.VerifyToken(context.Background(), token)
			require.ErrorIs(t, err, auth.ErrInvalidToken)
			require.Nil(t, who)
			require.NotContains(t, err.Error(), token)
		})
	}
	for name, token := range map[string]string{
		"another issuer":      r.idp.AccessToken(nil, claims{"iss": "https://other.example"}),
		"the issuer and more": r.idp.AccessToken(nil, claims{"iss": r.idp.Issuer() + "/x"}),
	} {
		who, err := r.p.VerifyToken(context.Background(), token)
		require.NoError(t, err, name)
		require.Nil(t, who, name)
	}
	require.Zero(t, r.idp.Hits("introspect"), "of a JWT nobody is asked")
}

// TestAccessTokenOfAnAlgorithmThatIsNotTaken: though a key of the issuer fits.
func TestAccessTokenOfAnAlgorithmThatIsNotTaken(t *testing.T) { // ID-03
	r := newAPI(t, func(c *oidc.Config) { c.Algorithms = []string{"PS256", "ES256"} })
	r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m["id_token_signing_alg_values_supported"] = []string{"RS256", "ES256"} }})
	_, err := r.p.VerifyToken(context.Background(), r.idp.AccessToken(nil, nil))
	require.ErrorIs(t, err, auth.ErrInvalidToken)
	require.ErrorContains(t, err, "RS256")
}

// TestAnIDTokenIsNoAccessToken: and the other way round.
func TestAnIDTokenIsNoAccessToken(t *testing.T) {
	r := newAPI(t, nil)
	id, err := r.signIn()
	require.NoError(t, err)
	raw, _ := id.Token.Extra("id_token").(string)
	_, err = r.p.VerifyToken(context.Background(), raw)
	require.ErrorIs(t, err, auth.ErrInvalidToken)

	r.idp.SetFaults(providertest.Faults{Sign: func(_, c map[string]any) string { return r.idp.AccessToken(nil, c) }})
	_, err = r.signIn()
	require.ErrorContains(t, err, "its typ is")
}

func TestMachines(t *testing.T) {
	r := newAPI(t, nil)
	for name, test := range map[string]struct {
		claims  claims
		machine bool
	}{
		"a person":         {nil, false},
		"RFC 9068":         {claims{"sub": "cli"}, true},
		"Auth0":            {claims{"sub": "cli@clients", "client_id": nil, "azp": "cli"}, true},
		"Entra":            {claims{"idtyp": "app"}, true},
		"a client of none": {claims{"client_id": nil, "sub": "@clients"}, false},
	} {
		token, err := r.p.VerifyToken(context.Background(), r.idp.AccessToken(nil, test.claims))
		require.NoError(t, err, name)
		require.Equal(t, test.machine, token.Machine, name)
	}
}

func TestIntrospection(t *testing.T) {
	r := newAPI(t, nil)
	exp := r.now.Add(time.Minute).Unix()
	for name, test := range map[string]struct {
		says    claims
		ok      bool
		subject string
	}{
		"somebody":          {claims{"sub": "ada", "aud": api, "exp": exp, "scope": "read"}, true, "ada"},
		"with more":         {claims{"sub": "ada", "aud": []string{api}, "iss": r.idp.Issuer(), "token_type": "bearer", "scope": "read"}, true, "ada"},
		"a client's own":    {claims{"client_id": "cli", "aud": api, "scope": "read"}, true, "cli"},
		"not active":        {claims{"active": false, "sub": "ada", "aud": api}, false, ""},
		"another audience":  {claims{"sub": "ada", "aud": "https://other.example"}, false, ""},
		"no audience":       {claims{"sub": "ada"}, false, ""},
		"another issuer":    {claims{"sub": "ada", "aud": api, "iss": "https://other.example"}, false, ""},
		"expired":           {claims{"sub": "ada", "aud": api, "exp": r.now.Unix() - 61}, false, ""},
		"an expiry as text": {claims{"sub": "ada", "aud": api, "exp": "soon"}, false, ""},
		"bound to a key":    {claims{"sub": "ada", "aud": api, "cnf": claims{"jkt": "x"}}, false, ""},
		"of another type":   {claims{"sub": "ada", "aud": api, "token_type": "DPoP"}, false, ""},
		"a refresh token":   {claims{"sub": "ada", "aud": api, "token_type": "refresh_token"}, false, ""},
		"nobody's":          {claims{"aud": api}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := r.p.VerifyToken(context.Background(), r.idp.OpaqueToken(test.says))
			if !test.ok {
				require.ErrorIs(t, err, auth.ErrInvalidToken)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.subject, token.Identity.Subject)
			require.Equal(t, test.subject == "cli", token.Machine)
			require.Equal(t, []string{"read"}, token.Scopes)
		})
	}
	_, err := r.p.VerifyToken(context.Background(), "unknown")
	require.ErrorIs(t, err, auth.ErrInvalidToken)
	hits := r.idp.Hits("introspect")
	for _, token := range []string{"", strings.Repeat("x", 4<<10+1)} {
		_, err = r.p.VerifyToken(context.Background(), token)
		require.ErrorIs(t, err, auth.ErrInvalidToken)
	}
	require.Equal(t, hits, r.idp.Hits("introspect"))
}

// TestIntrospectionThatFails: says nothing about the token.
func TestIntrospectionThatFails(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"down":            func(w http.ResponseWriter) { w.WriteHeader(503) },
		"no client":       func(w http.ResponseWriter) { w.WriteHeader(401) },
		"not ours to ask": func(w http.ResponseWriter) { w.WriteHeader(403) },
		"a redirect":      func(w http.ResponseWriter) { w.Header().Set("Location", "/introspect"); w.WriteHeader(307) },
		"HTML":            func(w http.ResponseWriter) { _, _ = w.Write([]byte("<html>")) },
		"nothing said":    func(w http.ResponseWriter) { _, _ = w.Write([]byte("{}")) },
		"as text":         func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"active":"true"}`)) },
		"twice":           func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"active":false,"active":true}`)) },
		"huge":            func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"active":true}` + strings.Repeat(" ", 1<<20))) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newAPI(t, nil)
			r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
				if name == "introspect" {
					answer(w)
				}
				return name == "introspect"
			}})
			_, err := r.p.VerifyToken(context.Background(), "opaque-token-that-must-not-show")
			require.ErrorIs(t, err, auth.ErrUnavailable)
			require.False(t, errors.Is(err, auth.ErrInvalidToken))
			require.NotContains(t, err.Error(), "must-not-show")
			require.Equal(t, 1, r.idp.Hits("introspect"))
		})
	}
}

func TestTokensAreTakenWhereTheConfigurationSaysSo(t *testing.T) {
	r := newRelying(t, nil)
	_, audiences, opaque := r.p.TakesTokens()
	require.Nil(t, audiences)
	require.False(t, opaque)

	r = newAPI(t, func(c *oidc.Config) { c.Introspect = false })
	token, err := r.p.VerifyToken(context.Background(), r.idp.OpaqueToken(claims{"sub": "ada", "aud": api}))
	require.NoError(t, err)
	require.Nil(t, token)

	r = newAPI(t, func(c *oidc.Config) { c.Issuer += "/" })
	issuer, _, _ := r.p.TakesTokens()
	require.Equal(t, r.idp.Issuer()+"/", issuer)
	_, err = r.p.VerifyToken(context.Background(), r.idp.AccessToken(nil, nil))
	require.NoError(t, err)
	issuer, _, _ = r.p.TakesTokens()
	require.Equal(t, r.idp.Issuer(), issuer, "as its metadata spells it")

	r = newAPI(t, nil)
	r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { delete(m, "introspection_endpoint") }})
	_, err = r.p.VerifyToken(context.Background(), "opaque")
	require.ErrorIs(t, err, auth.ErrMisconfigured)
	r = newAPI(t, nil)
	r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m["introspection_endpoint"] = "javascript:x" }})
	_, err = r.p.VerifyToken(context.Background(), "opaque")
	require.ErrorIs(t, err, auth.ErrMisconfigured)

	for want, change := range map[string]func(*oidc.Config){
		"APIAudiences: want the names":  func(c *oidc.Config) { c.APIAudiences = []string{} },
		"APIAudiences: the client id":   func(c *oidc.Config) { c.APIAudiences = []string{"app"} },
		"Introspect: want APIAudiences": func(c *oidc.Config) { c.Introspect = true },
		"and a client that can authentic": func(c *oidc.Config) {
			c.APIAudiences, c.Introspect, c.ClientAuth = []string{api}, true, oidc.ClientAuthNone
		},
	} {
		c := oidc.Config{Name: "idp", Issuer: "https://idp.example", ClientID: "app", ClientSecret: auth.NewSecret("s")}
		change(&c)
		_, err := oidc.New(c)
		require.ErrorContains(t, err, want)
	}
}

// TestWhoMayAsk: as at the token endpoint.
func TestWhoMayAsk(t *testing.T) {
	for _, method := range []oidc.ClientAuth{oidc.ClientSecretBasic, oidc.ClientSecretPost} {
		r := newAPI(t, func(c *oidc.Config) { c.ClientAuth = method })
		_, err := r.p.VerifyToken(context.Background(), r.idp.OpaqueToken(claims{"sub": "ada", "aud": api}))
		require.NoError(t, err, method)
	}
}

// TestAnAPIBehindRequire is one site for people and for programs, whose tokens are JWTs or
// opaque.
func TestAnAPIBehindRequire(t *testing.T) {
	r := newAPI(t, nil)
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: "https://api.example", Providers: []auth.Provider{r.p}, Now: r.clock,
		Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	h := a.RequireRule(auth.RequireScope("read"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		_, _ = io.WriteString(w, who.Subject)
	}))
	ask := func(token string) *httptest.ResponseRecorder {
		req := httptest.NewRequest("GET", "https://api.example/items", nil)
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w
	}
	challenge := ask("").Header().Get("WWW-Authenticate")
	_, address, _ := strings.Cut(challenge, `resource_metadata="`)
	address, _, _ = strings.Cut(address, `"`)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", address, nil))
	require.JSONEq(t, `{"resource":"https://api.example","authorization_servers":["`+r.idp.Issuer()+`"],"bearer_methods_supported":["header"]}`, w.Body.String())

	opaque := r.idp.OpaqueToken(claims{"sub": "bob", "aud": api, "scope": "read"})
	for range 3 {
		require.Equal(t, "ada", ask(r.idp.AccessToken(nil, nil)).Body.String())
		require.Equal(t, "bob", ask(opaque).Body.String())
	}
	require.Equal(t, 1, r.idp.Hits("introspect"))
	require.Equal(t, 403, ask(r.idp.AccessToken(nil, claims{"scope": "write"})).Code)
	expiring := r.idp.AccessToken(nil, claims{"exp": r.clock().Unix() + 10})
	require.Equal(t, 200, ask(expiring).Code)
	r.advance(71 * time.Second)
	require.Equal(t, 401, ask(expiring).Code)
}
