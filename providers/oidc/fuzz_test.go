package oidc_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// FuzzTokenForm: a token is taken only in the one way of writing its bytes, with a
// header that says no more than which key to try.
func FuzzTokenForm(f *testing.F) { // ID-28 to ID-34, TK-08
	for _, header := range []map[string]any{{"alg": "RS256"}, {"alg": "none", "typ": "JWT", "kid": "k"}, {"alg": "ES256", "crit": []string{"b64"}, "b64": false}, {"typ": "at+jwt"}, {"kid": 5}} {
		f.Add(providertest.Encode(header) + ".e30.AAAA")
	}
	for _, odd := range []string{"", ".", "..", "a.b.c", "e30.e30.e30", "e30=.e30.e30", "e30.e30.e30\n", "e30.e30.AB", "{}", "e30.AA.AA.AA.AA", `{"payload":"","signatures":[]}`} {
		f.Add(odd)
	}
	f.Fuzz(func(t *testing.T, token string) {
		algorithm, keyID, err := oidc.ReadJWS(token)
		if err != nil {
			require.True(t, errorsAreOurs(err), "%v", err)
			return
		}
		parts := strings.Split(token, ".")
		require.Len(t, parts, 3)
		for _, p := range parts {
			raw, err := base64.RawURLEncoding.DecodeString(p)
			require.NoError(t, err)
			require.Equal(t, p, base64.RawURLEncoding.EncodeToString(raw), "there is one way to write it")
		}
		raw, _ := base64.RawURLEncoding.DecodeString(parts[0])
		o, err := strictjson.Parse(raw)
		require.NoError(t, err)
		for _, name := range []string{"crit", "b64", "zip"} {
			require.NotContains(t, o, name)
		}
		got, _ := o.String("alg")
		require.Equal(t, got, algorithm)
		got, _ = o.String("kid")
		require.Equal(t, got, keyID)
	})
}

// FuzzVerify: with the header of a token known or not, what is taken is what go-jose takes
// that reads it from the start, with the same claims.
func FuzzVerify(f *testing.F) { // ID-01, ID-28 to ID-34
	for _, header := range []string{`{"alg":"EdDSA"}`, `{"alg":"EdDSA","kid":"a","typ":"JWT"}`, ` {"kid":"a", "alg" : "EdDSA"}`, `{"alg":"EdDSA","jwk":{}}`, `{"alg":"EdDSA","nonce":"x"}`, `{"alg":"RS256"}`, `{}`} {
		f.Add([]byte(header), []byte(`{"sub":"ada"}`), []byte(`{"sub":"bob"}`))
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(f, err)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: "a"}}})
	require.NoError(f, err)
	encode := base64.RawURLEncoding.EncodeToString
	f.Fuzz(func(t *testing.T, header, one, other []byte) {
		verify := oidc.Verifier(set)
		start := encode(header) + "."
		signature := func(payload []byte) string { return "." + encode(ed25519.Sign(private, []byte(start+encode(payload)))) }
		for _, token := range []string{
			start + encode(one) + signature(one), start + encode(other) + signature(other), start + encode(one) + signature(other),
			encode([]byte(`{"alg":"EdDSA","kid":"a"}`)) + "." + encode(one) + signature(one), start + encode(one) + signature(one),
		} {
			claims, err := verify(token)
			var payload []byte
			signed, parseErr := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.EdDSA})
			if parseErr == nil {
				payload, _ = signed.Verify(public)
			}
			want, strictErr := strictjson.Parse(payload)
			if err == nil {
				require.NoError(t, strictErr)
				require.Equal(t, map[string]json.RawMessage(want), claims)
			} else if strictErr == nil { // then it is a rule of ours that refuses it
				_, keyID, formErr := oidc.ReadJWS(token)
				require.True(t, formErr != nil || keyID != "" && keyID != "a", "%v", err)
			}
		}
	})
}

// FuzzDiscovery: go-oidc sees the members that it reads, with the values that the
// exact names have in the document, and no others.
func FuzzDiscovery(f *testing.F) { // DI-10, TK-11, TK-12
	f.Add(200, []byte(`{"issuer":"https://x.example","token_endpoint":"https://x.example/t","id_token_signing_alg_values_supported":["RS256"]}`))
	f.Add(200, []byte(`{"issuer":"https://x.example","authorization_endpoint":"https://x.example/a","token_endpoint":"https://x.example/t","jwks_uri":"https://x.example/k","userinfo_endpoint":"https://x.example/u"}`))
	f.Add(200, []byte(`{"ISSUER":"https://evil.example","issuer":5,"jwks_uri":null}`))
	f.Add(200, []byte(`{"issuer":"a","issuer":"b"}`))
	f.Add(200, []byte(`{"issuer":"https://x.example/"}`))
	f.Add(200, []byte(`{"issuer":"Https://x.example","authorization_endpoint":"https://x.example/a","token_endpoint":"https://x.example/t","jwks_uri":"https://x.example/k"}`))
	f.Add(200, []byte(`{"issuer":"https://X.Example/","authorization_endpoint":"https://x.example/a","token_endpoint":"https://x.example/t","jwks_uri":"https://x.example/k"}`))
	f.Add(404, []byte(``))
	p, err := oidc.New(oidc.Config{Name: "x", Issuer: "https://x.example", ClientID: "a", ClientSecret: auth.NewSecret("s")})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		given, whole, err := oidc.ReadDiscovery(p, status, body)
		if err != nil {
			require.True(t, errorsAreOurs(err), "%v", err)
			return
		}
		require.Equal(t, 200, status)
		const configured = "https://x.example"
		own, _ := whole.String("issuer")
		if strings.TrimSuffix(strings.ToLower(own), "/") == configured { // mended: go-oidc sees the configured one
			whole["issuer"] = json.RawMessage(`"` + configured + `"`)
		}
		onlyExact(t, given, whole, "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "id_token_signing_alg_values_supported")
	})
}

// FuzzUserinfo: likewise, for userinfo.
func FuzzUserinfo(f *testing.F) { // UI-02, UI-05, TK-11, TK-12
	f.Add(200, []byte(`{"sub":"ada","email":"a@example.com","email_verified":true}`))
	f.Add(200, []byte(`{"sub":"ada","profile":"https://x.example/ada"}`))
	f.Add(200, []byte(`{"sub":5,"SUB":"eve","email_verified":"true"}`))
	f.Add(200, []byte(`e30.e30.e30`))
	f.Add(401, []byte(`{"sub":"ada"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		given, whole, err := oidc.ReadUserinfo(status, body)
		if err != nil {
			require.True(t, errorsAreOurs(err), "%v", err)
			return
		}
		require.Equal(t, 200, status)
		onlyExact(t, given, whole, "sub", "profile", "email", "email_verified")
	})
}

// FuzzGroups: what counts as a group is text of the document, as a whole list or alone;
// and a claim of the path's own name decides.
func FuzzGroups(f *testing.F) { // ID-35, ID-36
	f.Add([]byte(`{"groups":["staff","corp/staff"]}`), "groups")
	f.Add([]byte(`{"realm_access":{"roles":"staff"},"realm_access.roles":5}`), "realm_access.roles")
	f.Add([]byte(`{"a":{"b":{"c":["x",null]}},"a.b":{"c":[""]}}`), "a.b.c")
	f.Add([]byte(`{"a":{"a":1,"a":2}}`), "a.a")
	f.Add([]byte(`{"a":""}`), "a")
	f.Add([]byte(`{"a":1E888888}`), "a")
	f.Fuzz(func(t *testing.T, document []byte, path string) {
		claims, err := oidc.NewClaims(document)
		if err != nil {
			return
		}
		list := claims.Groups(path)
		var decoded any
		require.NoError(t, decodeNumbers(document, &decoded))
		texts := map[string]bool{}
		collect(decoded, texts)
		for _, g := range list {
			require.True(t, texts[g], "%q is nowhere in the document", g)
		}
		if raw := claims.Raw(path); raw != nil {
			var one string
			var many []*string
			switch {
			case json.Unmarshal(raw, &one) == nil && one != "":
				require.Equal(t, []string{one}, list)
			case json.Unmarshal(raw, &many) == nil && !slices.Contains(many, nil):
				require.Len(t, list, len(many))
			default:
				require.Empty(t, list)
			}
		}
	})
}

// decodeNumbers is [json.Unmarshal] for numbers that no float64 holds, as 1e999, which is
// JSON.
func decodeNumbers(document []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	return d.Decode(to)
}

// collect adds all text that is a value in v.
func collect(v any, texts map[string]bool) {
	switch v := v.(type) {
	case string:
		texts[v] = true
	case []any:
		for _, one := range v {
			collect(one, texts)
		}
	case map[string]any:
		for _, one := range v {
			collect(one, texts)
		}
	}
}

// onlyExact: given has the members names, each as whole has it where it is of the
// right type, and empty where it is not.
func onlyExact(t *testing.T, given []byte, whole strictjson.Object, names ...string) {
	var got map[string]any
	require.NoError(t, json.Unmarshal(given, &got))
	require.Len(t, got, len(names))
	for _, name := range names {
		value, there := got[name]
		require.True(t, there, name)
		switch v := value.(type) {
		case string:
			want, _ := whole.String(name)
			require.Equal(t, want, v)
		case bool:
			want, _ := whole.Bool(name)
			require.Equal(t, want, v)
		case []any:
			want, _ := whole.Strings(name)
			require.Len(t, v, len(want))
		case nil:
			want, _ := whole.Strings(name)
			require.Empty(t, want)
		}
	}
}

func errorsAreOurs(err error) bool {
	for _, class := range []error{auth.ErrInvalidResponse, auth.ErrMisconfigured, auth.ErrUnavailable} {
		if errors.Is(err, class) {
			return true
		}
	}
	return false
}

// FuzzLogout: claims are those of a logout only where they say so, of somebody, by the
// exact names.
func FuzzLogout(f *testing.F) { // BC-06 to BC-09
	event := `"events":{"` + logoutEvent + `":{}}`
	for _, claims := range []string{
		`{"iss":"i","jti":"j","sub":"ada","sid":"s","iat":1,` + event + `}`, `{"iss":"i","jti":"j","sid":"s",` + event + `}`,
		`{"iss":"i","jti":"j",` + event + `}`, `{"iss":"i","jti":"j","sub":"ada","nonce":null,` + event + `}`,
		`{"iss":"i","jti":"j","sub":"ada","events":{"` + logoutEvent + `":true}}`, `{"iss":"i","jti":"j","sub":"ada","iat":1e300,` + event + `}`, `{"iss":"i","jti":"j","sub":"ada","iat":1e400,` + event + `}`, `[]`, ``,
	} {
		f.Add([]byte(claims))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		l, err := oidc.ReadLogout(document)
		if err != nil {
			require.True(t, errorsAreOurs(err), "%v", err)
			return
		}
		var claims map[string]any
		require.NoError(t, decodeNumbers(document, &claims))
		require.NotContains(t, claims, "nonce")
		events, _ := claims["events"].(map[string]any)
		require.IsType(t, map[string]any{}, events[logoutEvent])
		require.NotNil(t, events[logoutEvent])
		require.True(t, l.Issuer != "" && l.TokenID != "" && l.Subject+l.SessionID != "")
		for name, got := range map[string]string{"iss": l.Issuer, "jti": l.TokenID, "sub": l.Subject, "sid": l.SessionID} {
			want, _ := claims[name].(string)
			require.Equal(t, want, got)
		}
	})
}

// FuzzIntrospection: a token counts only where the answer says so, of its own issuer and of
// somebody.
func FuzzIntrospection(f *testing.F) {
	for _, answer := range []string{
		`{"active":true,"sub":"ada","iss":"https://x.example"}`, `{"active":true,"client_id":"cli","token_type":"Bearer"}`, `{"active":false}`, `{"active":"true"}`,
		`{"active":false,"active":true}`, `{"Active":true,"sub":"ada"}`, `{"active":true,"sub":null}`, `{"active":true,"sub":"ada","iss":1}`, `[]`, `<html>`, ``,
	} {
		f.Add(200, []byte(answer))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		o, err := oidc.ReadIntrospection(status, body, "https://x.example")
		if err != nil {
			require.True(t, errorsAreOurs(err), "%v", err)
			return
		}
		require.Equal(t, 200, status)
		said, err := strictjson.Parse(body)
		require.NoError(t, err)
		require.Equal(t, "true", strings.TrimSpace(string(said["active"])))
		if said.Present("iss") {
			require.Equal(t, `https://x.example`, func() string { iss, _ := said.String("iss"); return iss }())
		}
		require.True(t, o.Present("sub"))
	})
}
