package oidc_test

import (
	"compress/gzip"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// The tests of this file show what the libraries do by themselves, and what they do
// behind the gate. Where a library changes its mind, the first half fails, and the
// gate may have less to do.

// bare signs in as the documentation of go-oidc and x/oauth2 does it.
func (r *relying) bare() (*gooidc.IDToken, *oauth2.Token, error) {
	ctx := context.Background()
	provider, err := gooidc.NewProvider(ctx, r.idp.Issuer())
	if err != nil {
		return nil, nil, err
	}
	tx := r.transaction()
	config := oauth2.Config{ClientID: "app", ClientSecret: clientSecret, RedirectURL: tx.RedirectURI, Endpoint: provider.Endpoint(), Scopes: []string{"openid"}}
	target := config.AuthCodeURL(tx.State, gooidc.Nonce(tx.Nonce), oauth2.S256ChallengeOption(tx.Verifier))
	token, err := config.Exchange(ctx, r.follow(target).Get("code"), oauth2.VerifierOption(tx.Verifier))
	if err != nil {
		return nil, nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&gooidc.Config{ClientID: "app", Now: r.clock}).Verify(ctx, raw)
	return id, token, err
}

// signText is a JWS over a payload that no encoder would write.
func signText(key *rsa.PrivateKey, header map[string]any, payload string) string {
	input := providertest.Encode(header) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// with is m's JSON text with more members at its end.
func with(m map[string]any, more string) string {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return strings.TrimSuffix(string(text), "}") + "," + more + "}"
}

func TestTrapIDTokens(t *testing.T) {
	r := newRelying(t, nil)
	key := r.idp.SigningKey()
	claim := func(name string, value any) providertest.Faults {
		return providertest.Faults{IDToken: func(m map[string]any) { m[name] = value }}
	}
	in := func(name string, d time.Duration) providertest.Faults { return claim(name, r.now.Add(d).Unix()) }
	without := func(name string) providertest.Faults {
		return providertest.Faults{IDToken: func(m map[string]any) { delete(m, name) }}
	}
	header := func(name string, value any) providertest.Faults {
		return providertest.Faults{Header: func(m map[string]any) { m[name] = value }}
	}
	spelt := func(f func(string) string) providertest.Faults {
		return providertest.Faults{Sign: func(h, m map[string]any) string { return f(providertest.Sign(key, h, m)) }}
	}
	text := func(more string) providertest.Faults {
		return providertest.Faults{Sign: func(h, m map[string]any) string { return signText(key, h, with(m, more)) }}
	}
	const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, c := range []struct {
		name       string
		faults     providertest.Faults
		bare, ours bool // who takes it
	}{
		{"as it should be", providertest.Faults{}, true, true},
		{"ID-13 another audience", claim("aud", []string{"app", "evil"}), true, false},
		{"ID-14 another authorized party", claim("azp", "evil"), true, false},
		{"ID-15 no subject", without("sub"), true, false},
		{"ID-16 expired a moment ago", in("exp", -30*time.Second), false, true},
		{"ID-16 expiry as text", claim("exp", "99999999999"), true, false},
		{"ID-16 expiry at the end of time", claim("exp", 1e300), false, true},
		{"ID-17 never issued", without("iat"), true, false},
		{"ID-17 issued in ten years", in("iat", 10*365*24*time.Hour), true, false},
		{"ID-17 issued last week", in("iat", -7*24*time.Hour), true, false},
		{"ID-18 valid in four minutes", in("nbf", 4*time.Minute), true, false},
		{"ID-19 at_hash of another token", claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), true, false},
		{"NO-02 nonce of another attempt", claim("nonce", "another"), true, false},
		{"ID-30 an access token", header("typ", "at+jwt"), true, false},
		{"ID-31 zip", header("zip", "DEF"), true, false},
		{"ID-33 a line break", spelt(func(s string) string { return s + "\n" }), true, false},
		{"ID-33 other bits at the end", spelt(func(s string) string {
			last := strings.IndexByte(base64url, s[len(s)-1])
			return s[:len(s)-1] + string(base64url[last^1])
		}), true, false},
		{"TK-08 the JSON form", spelt(func(s string) string {
			p := strings.Split(s, ".")
			return fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, p[0], p[1], p[2])
		}), true, false},
		{"ID-36 a claim twice", text(`"sub":"victim"`), true, false},
		{"EN-05, UI-09 claim names without sources", claim("_claim_names", map[string]string{"groups": "src1"}), false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.idp.SetFaults(c.faults)
			_, _, err := r.bare()
			require.Equal(t, c.bare, err == nil, "go-oidc: %v", err)
			_, err = r.signIn()
			require.Equal(t, c.ours, err == nil, "behind the gate: %v", err)
		})
	}
}

func TestTrapClaimsOfAnotherCase(t *testing.T) { // ID-36
	for name, more := range map[string]string{"capitals": `"SUB":"victim"`, "a long s": `"ſub":"victim"`} {
		t.Run(name, func(t *testing.T) {
			r := newRelying(t, nil)
			r.idp.SetFaults(providertest.Faults{Sign: func(h, m map[string]any) string { return signText(r.idp.SigningKey(), h, with(m, more)) }})
			id, _, err := r.bare()
			require.NoError(t, err)
			require.Equal(t, "victim", id.Subject)
			who, err := r.signIn()
			require.NoError(t, err)
			require.Equal(t, "ada", who.Subject)
		})
	}
}

// atGoogle sends what is for Google to a server of the test.
type atGoogle struct{ to *url.URL }

func (a atGoogle) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = a.to.Scheme, a.to.Host
	return http.DefaultTransport.RoundTrip(r)
}

func TestTrapGoogleAlias(t *testing.T) { // ID-09
	const issuer = "https://accounts.google.com"
	var idp *providertest.IdP
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { idp.ServeHTTP(w, r) }))
	defer server.Close()
	idp = providertest.New(providertest.Config{Issuer: issuer,
		Clients: []providertest.Client{{ID: "app", Secret: "s"}}, People: []providertest.Person{{Subject: "ada", Name: "Ada"}}})
	var raw string
	idp.SetFaults(providertest.Faults{
		IDToken: func(m map[string]any) { m["iss"] = "accounts.google.com" },
		Token:   func(m map[string]any) { raw, _ = m["id_token"].(string) },
	})
	to, err := url.Parse(server.URL)
	require.NoError(t, err)
	client := &http.Client{Transport: atGoogle{to}}
	p, err := oidc.New(oidc.Config{Name: "google", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret("s"), HTTPClient: client})
	require.NoError(t, err)
	tx := auth.Transaction{State: "s", Nonce: "n", Verifier: strings.Repeat("v", 43), RedirectURI: "https://app.example/cb"}
	target, err := p.AuthCodeURL(context.Background(), tx)
	require.NoError(t, err)
	_, err = p.Exchange(context.Background(), tx, follow(t, client.Transport, target))
	require.ErrorIs(t, err, auth.ErrInvalidResponse)
	require.ErrorContains(t, err, "iss")

	keys := &gooidc.StaticKeySet{PublicKeys: []crypto.PublicKey{idp.SigningKey().Public()}}
	_, err = gooidc.NewVerifier(issuer, keys, &gooidc.Config{ClientID: "app"}).Verify(context.Background(), raw)
	require.NoError(t, err, "go-oidc takes it")
}

func TestTrapRedirects(t *testing.T) { // DI-06, JW-13, UI-07
	for _, endpoint := range []string{"discovery", "keys", "userinfo"} {
		t.Run(endpoint, func(t *testing.T) {
			r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
			var elsewhere atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				elsewhere.Add(1)
				w.Header().Set("Content-Type", "application/json")
				own := httptest.NewRecorder()
				q.Header.Set("Elsewhere", "yes")
				r.idp.ServeHTTP(own, q)
				_, _ = w.Write(own.Body.Bytes())
			}))
			defer server.Close()
			r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, q *http.Request) bool {
				if name != endpoint || q.Header.Get("Elsewhere") != "" {
					return false
				}
				http.Redirect(w, q, server.URL+q.URL.Path, http.StatusTemporaryRedirect)
				return true
			}})
			_, token, err := r.bare()
			require.NoError(t, err)
			if endpoint == "userinfo" {
				provider, err := gooidc.NewProvider(context.Background(), r.idp.Issuer())
				require.NoError(t, err)
				_, _ = provider.UserInfo(context.Background(), oauth2.StaticTokenSource(token)) // without the token: another port is no other host
			}
			require.NotZero(t, elsewhere.Load(), "go-oidc follows")
			elsewhere.Store(0)
			_, err = r.signIn()
			require.ErrorIs(t, err, auth.ErrUnavailable)
			require.Zero(t, elsewhere.Load())
		})
	}
}

func TestTrapSizes(t *testing.T) { // DI-11, JW-06, UI-07, TK-15
	padding := make([]byte, 4<<20)
	for i := range padding {
		padding[i] = ' '
	}
	for _, endpoint := range []string{"discovery", "keys", "userinfo"} {
		t.Run(endpoint, func(t *testing.T) {
			r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
			r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, q *http.Request) bool {
				if name != endpoint || q.Header.Get("Again") != "" {
					return false
				}
				own := httptest.NewRecorder()
				q.Header.Set("Again", "yes")
				r.idp.ServeHTTP(own, q)
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				_, _ = z.Write(append(own.Body.Bytes(), padding...))
				_ = z.Close()
				return true
			}})
			_, token, err := r.bare()
			require.NoError(t, err, "go-oidc reads all of it")
			if endpoint == "userinfo" {
				provider, err := gooidc.NewProvider(context.Background(), r.idp.Issuer())
				require.NoError(t, err)
				_, err = provider.UserInfo(context.Background(), oauth2.StaticTokenSource(token))
				require.NoError(t, err, "go-oidc reads all of it")
			}
			_, err = r.signIn()
			require.ErrorIs(t, err, auth.ErrUnavailable)
			require.ErrorContains(t, err, "too large")
		})
	}
}

func TestTrapMetadata(t *testing.T) { // DI-10, ID-36
	serve := func(change func(issuer string) string) (*relying, string) {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, q *http.Request) bool {
			if name == "discovery" && q.Header.Get("Again") == "" {
				own := httptest.NewRecorder()
				q.Header.Set("Again", "yes")
				r.idp.ServeHTTP(own, q)
				fmt.Fprint(w, strings.TrimSuffix(strings.TrimSpace(own.Body.String()), "}")+","+change(r.idp.Issuer())+"}")
				return true
			}
			return false
		}})
		return r, r.idp.Issuer()
	}
	t.Run("a member in capitals", func(t *testing.T) {
		r, issuer := serve(func(string) string { return `"TOKEN_ENDPOINT":"https://evil.example/token"` })
		p, err := gooidc.NewProvider(context.Background(), issuer)
		require.NoError(t, err)
		require.Equal(t, "https://evil.example/token", p.Endpoint().TokenURL)
		_, err = r.signIn()
		require.NoError(t, err, "it is another member")
	})
	t.Run("a member twice", func(t *testing.T) {
		r, issuer := serve(func(string) string { return `"token_endpoint":"https://evil.example/token"` })
		p, err := gooidc.NewProvider(context.Background(), issuer)
		require.NoError(t, err)
		require.Equal(t, "https://evil.example/token", p.Endpoint().TokenURL)
		_, err = r.p.AuthCodeURL(context.Background(), r.transaction())
		require.ErrorIs(t, err, auth.ErrUnavailable)
	})
	t.Run("a script for the browser", func(t *testing.T) {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m["authorization_endpoint"] = "javascript:alert(1)//" }})
		p, err := gooidc.NewProvider(context.Background(), r.idp.Issuer())
		require.NoError(t, err)
		require.Contains(t, (&oauth2.Config{Endpoint: p.Endpoint()}).AuthCodeURL("s"), "javascript:alert")
		_, err = r.p.AuthCodeURL(context.Background(), r.transaction())
		require.ErrorIs(t, err, auth.ErrMisconfigured)
	})
}

func TestTrapIssuerTemplate(t *testing.T) { // DI-01, EN-01
	const template = "https://login.example/{tenantid}/v2.0"
	r := newRelying(t, func(c *oidc.Config) { c.IssuerTemplate = template })
	r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m["issuer"] = "https://evil.example" }})
	ctx := gooidc.InsecureIssuerURLContext(context.Background(), template)
	_, err := gooidc.NewProvider(ctx, r.idp.Issuer())
	require.NoError(t, err, "go-oidc compares nothing")
	_, err = r.p.AuthCodeURL(context.Background(), r.transaction())
	require.ErrorIs(t, err, auth.ErrMisconfigured)
}

func TestTrapErrors(t *testing.T) { // TK-05, LG-01
	t.Run("the answer in the text", func(t *testing.T) {
		r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
		_, token, err := r.bare()
		require.NoError(t, err)
		provider, err := gooidc.NewProvider(context.Background(), r.idp.Issuer())
		require.NoError(t, err)
		for _, endpoint := range []string{"discovery", "userinfo"} {
			r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
			answer := providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
				if name == endpoint {
					w.WriteHeader(500)
					fmt.Fprint(w, "secret-of-the-provider")
				}
				return name == endpoint
			}}
			r.idp.SetFaults(answer)
			_, err = r.signIn()
			require.ErrorIs(t, err, auth.ErrUnavailable)
			require.NotContains(t, err.Error(), "secret-of-the-provider")
		}
		r.idp.SetFaults(providertest.Faults{Endpoint: func(_ string, w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(500)
			fmt.Fprint(w, "secret-of-the-provider")
			return true
		}})
		_, err = provider.UserInfo(context.Background(), oauth2.StaticTokenSource(token))
		require.ErrorContains(t, err, "secret-of-the-provider")
		_, err = gooidc.NewProvider(context.Background(), r.idp.Issuer())
		require.ErrorContains(t, err, "secret-of-the-provider")
	})
	t.Run("the type of the cause", func(t *testing.T) {
		r := newRelying(t, nil)
		r.idp.SetFaults(providertest.Faults{Endpoint: func(_ string, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", "100")
			return true
		}})
		_, err := gooidc.NewProvider(context.Background(), r.idp.Issuer())
		require.Error(t, err)
		require.NotErrorIs(t, err, io.ErrUnexpectedEOF, "go-oidc has it as text")
		_, err = r.signIn()
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.ErrorIs(t, err, auth.ErrUnavailable)
	})
	t.Run("why a signature was not verified", func(t *testing.T) { // JW-05
		down := errors.New("the key set is down")
		r := newRelying(t, nil)
		raw := providertest.Sign(r.idp.SigningKey(), map[string]any{"alg": "RS256"}, map[string]any{})
		_, err := gooidc.NewVerifier("x", failing{down}, &gooidc.Config{ClientID: "app"}).Verify(context.Background(), raw)
		require.Error(t, err)
		require.NotErrorIs(t, err, down)
		r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "keys" {
				w.WriteHeader(503)
			}
			return name == "keys"
		}})
		_, err = r.signIn()
		require.ErrorIs(t, err, auth.ErrUnavailable, "and not an invalid answer: it can be tried again")
	})
}

type failing struct{ err error }

func (f failing) VerifySignature(context.Context, string) ([]byte, error) { return nil, f.err }

func TestTrapKeySets(t *testing.T) {
	jwk := func(r *relying, more map[string]any) map[string]any {
		m := map[string]any{"kty": "RSA", "kid": r.idp.SigningKeyID(), "e": "AQAB", "n": base64.RawURLEncoding.EncodeToString(r.idp.SigningKey().N.Bytes())}
		for name, value := range more {
			m[name] = value
		}
		return m
	}
	for _, c := range []struct {
		name       string
		keys       func(r *relying) []any
		bare, ours bool
	}{
		{"ID-06 a key for another algorithm", func(r *relying) []any { return []any{jwk(r, map[string]any{"alg": "PS256"})} }, true, false},
		{"ID-06 a key for encryption", func(r *relying) []any { return []any{jwk(r, map[string]any{"use": "enc"})} }, true, false},
		{"JW-07 a malformed key beside", func(r *relying) []any {
			return []any{map[string]any{"kty": "RSA", "n": "!!", "e": "AQAB"}, jwk(r, nil)}
		}, false, true},
		{"EN-01 a key of another issuer", func(r *relying) []any { return []any{jwk(r, map[string]any{"issuer": "https://evil.example"})} }, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRelying(t, nil)
			r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
				if name == "keys" {
					providertest.WriteJSON(w, 200, map[string]any{"keys": c.keys(r)})
				}
				return name == "keys"
			}})
			_, _, err := r.bare()
			require.Equal(t, c.bare, err == nil, "go-oidc: %v", err)
			_, err = r.signIn()
			require.Equal(t, c.ours, err == nil, "behind the gate: %v", err)
		})
	}
	t.Run("JW-03 a fetch for every token", func(t *testing.T) {
		r := newRelying(t, nil)
		remote := gooidc.NewRemoteKeySet(context.Background(), r.idp.Issuer()+"/keys")
		for range 20 {
			raw := providertest.Sign(r.idp.SigningKey(), map[string]any{"alg": "RS256", "kid": rand.Text()}, map[string]any{})
			_, err := remote.VerifySignature(context.Background(), raw)
			require.Error(t, err)
		}
		before := r.idp.Hits("keys")
		require.Greater(t, before, 5, "but for those that it merged")
		r.idp.SetFaults(providertest.Faults{Header: func(h map[string]any) { h["kid"] = rand.Text() }})
		for range 20 {
			_, err := r.signIn()
			require.Error(t, err)
		}
		require.LessOrEqual(t, r.idp.Hits("keys")-before, 6)
	})
	t.Run("JW-11 a key that was withdrawn", func(t *testing.T) {
		r := newRelying(t, nil)
		provider, err := gooidc.NewProvider(context.Background(), r.idp.Issuer())
		require.NoError(t, err)
		verifier := provider.Verifier(&gooidc.Config{ClientID: "app", Now: r.clock})
		withdrawn, id := r.idp.SigningKey(), r.idp.SigningKeyID()
		token := func() string {
			now := r.clock().Unix()
			return providertest.Sign(withdrawn, map[string]any{"alg": "RS256", "kid": id}, map[string]any{"iss": r.idp.Issuer(), "aud": "app", "sub": "ada", "iat": now, "exp": now + 60})
		}
		_, err = verifier.Verify(context.Background(), token())
		require.NoError(t, err)
		_, err = r.signIn()
		require.NoError(t, err)
		r.idp.RotateKeys()
		r.advance(61 * time.Minute)
		_, err = verifier.Verify(context.Background(), token())
		require.NoError(t, err, "go-oidc keeps it for ever")
		r.idp.SetFaults(providertest.Faults{Sign: func(h, m map[string]any) string {
			h["kid"] = id
			return providertest.Sign(withdrawn, h, m)
		}})
		_, err = r.signIn()
		require.ErrorIs(t, err, auth.ErrInvalidResponse)
	})
}

func TestTrapUserinfo(t *testing.T) { // UI-05, UI-02, ID-36
	serve := func(t *testing.T, media string, body func(r *relying) string) (*relying, *gooidc.UserInfo, error) {
		r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
		_, token, err := r.bare()
		require.NoError(t, err)
		r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "userinfo" {
				w.Header().Set("Content-Type", media)
				fmt.Fprint(w, body(r))
			}
			return name == "userinfo"
		}})
		provider, err := gooidc.NewProvider(context.Background(), r.idp.Issuer())
		require.NoError(t, err)
		info, err := provider.UserInfo(context.Background(), oauth2.StaticTokenSource(token))
		return r, info, err
	}
	t.Run("a JWT of another issuer for another audience", func(t *testing.T) {
		r, info, err := serve(t, "application/jwt", func(r *relying) string {
			return providertest.Sign(r.idp.SigningKey(), map[string]any{"alg": "RS256"}, map[string]any{"iss": "https://evil.example", "aud": "another", "sub": "ada", "exp": 1})
		})
		require.NoError(t, err, "go-oidc looks at the signature alone")
		require.Equal(t, "ada", info.Subject)
		_, err = r.signIn()
		require.ErrorIs(t, err, auth.ErrInvalidResponse)
	})
	t.Run("a subject in capitals", func(t *testing.T) {
		r, info, err := serve(t, "application/json", func(*relying) string { return `{"sub":"victim","SUB":"ada"}` })
		require.NoError(t, err)
		require.Equal(t, "ada", info.Subject)
		_, err = r.signIn()
		require.ErrorIs(t, err, auth.ErrInvalidResponse)
	})
	t.Run("an address of another type", func(t *testing.T) {
		r, _, err := serve(t, "application/json", func(*relying) string { return `{"sub":"ada","email_verified":1}` })
		require.Error(t, err, "go-oidc takes it for a broken answer")
		_, err = r.signIn()
		require.NoError(t, err)
	})
}
