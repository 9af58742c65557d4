package oidc_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

func TestAuthorizationRequest(t *testing.T) { // PK-01, PK-02, PK-03, NO-01, ST-16
	for name, change := range map[string]func(map[string]any){
		"S256":       nil,
		"plain only": func(m map[string]any) { m["code_challenge_methods_supported"] = []string{"plain"} },
		"no methods": func(m map[string]any) { delete(m, "code_challenge_methods_supported") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelying(t, func(c *oidc.Config) {
				c.Scopes, c.AuthParams = []string{"email"}, url.Values{"prompt": {"consent"}, "resource": {"x"}}
			})
			r.idp.SetFaults(providertest.Faults{Metadata: change})
			tx := r.transaction()
			tx.Params = url.Values{"prompt": {"login"}, "nonce": {"evil"}, "code_challenge_method": {"plain"}, "request_uri": {"https://evil.example"}, "unknown": {"x"}}
			raw, err := r.p.AuthCodeURL(context.Background(), tx)
			require.NoError(t, err)
			u, err := url.Parse(raw)
			require.NoError(t, err)
			sum := sha256.Sum256([]byte(tx.Verifier))
			require.Equal(t, url.Values{
				"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {tx.RedirectURI}, "scope": {"openid email"}, "state": {tx.State}, "nonce": {tx.Nonce},
				"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}, "prompt": {"login"}, "resource": {"x"},
			}, u.Query())
			require.NotContains(t, raw, tx.Verifier)
		})
	}
}

func TestInjectedCode(t *testing.T) { // CI-01, PK-04, NO-03, NO-04
	t.Run("PKCE alone refuses it", func(t *testing.T) {
		r := newRelying(t, nil)
		victim, attacker := r.transaction(), r.transaction()
		attacker.Nonce = victim.Nonce
		response, err := r.authorize(attacker)
		require.NoError(t, err)
		_, err = r.p.Exchange(context.Background(), victim, response)
		require.ErrorIs(t, err, auth.ErrExpired, "the identity provider says invalid_grant")
		require.Equal(t, victim.Verifier, r.idp.TokenRequests()[0].Get("code_verifier"))
	})
	t.Run("the nonce alone refuses it", func(t *testing.T) {
		r := newRelying(t, nil)
		victim, attacker := r.transaction(), r.transaction()
		attacker.Verifier = victim.Verifier
		response, err := r.authorize(attacker)
		require.NoError(t, err)
		_, err = r.p.Exchange(context.Background(), victim, response)
		require.ErrorIs(t, err, auth.ErrInvalidResponse)
		require.ErrorContains(t, err, "nonce")
	})
	t.Run("an ID token of an earlier attempt", func(t *testing.T) {
		r := newRelying(t, nil)
		var kept string
		r.idp.SetFaults(providertest.Faults{Token: func(m map[string]any) {
			if kept == "" {
				kept = m["id_token"].(string)
			}
			m["id_token"] = kept
		}})
		_, err := r.signIn()
		require.NoError(t, err)
		_, err = r.signIn()
		require.ErrorIs(t, err, auth.ErrInvalidResponse)
	})
}

func TestMixUp(t *testing.T) { // MX-06, MX-07
	honest, evil := newRelying(t, nil), newRelying(t, nil)
	t.Run("a code of the honest provider at the callback of another", func(t *testing.T) {
		tx := evil.transaction()
		response, err := honest.authorize(tx)
		require.NoError(t, err)
		_, err = evil.p.Exchange(context.Background(), tx, response)
		require.ErrorIs(t, err, auth.ErrInvalidResponse)
		require.Zero(t, evil.idp.Hits("token"), "it is not told the code")
	})
	t.Run("iss of the callback is not the ID token's", func(t *testing.T) {
		honest.idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) { m["iss"] = evil.idp.Issuer() }})
		_, err := honest.signIn()
		require.ErrorIs(t, err, auth.ErrInvalidResponse)
	})
	t.Run("nor with a template", func(t *testing.T) { // EN-01
		const tenant, other = "11111111-2222-3333-4444-555555555555", "21111111-2222-3333-4444-555555555555"
		r := newRelying(t, func(c *oidc.Config) { c.IssuerTemplate = "https://login.example/{tenantid}/v2.0" })
		for iss, redeemed := range map[string]int{
			"https://login.example/" + other + "/v2.0":  1, // found out by the ID token
			"https://evil.example/" + tenant + "/v2.0":  0,
			"https://login.example/" + tenant + "/":     0,
			"https://login.example/" + tenant + "/v2.0": 1,
		} {
			r.idp.SetFaults(providertest.Faults{
				Metadata: func(m map[string]any) { m["issuer"] = "https://login.example/{tenantid}/v2.0" },
				Callback: func(v url.Values) { v.Set("iss", iss) },
				IDToken:  func(m map[string]any) { m["iss"], m["tid"] = "https://login.example/"+tenant+"/v2.0", tenant },
			})
			before := r.idp.Hits("token")
			_, err := r.signIn()
			if iss == "https://login.example/"+tenant+"/v2.0" {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, auth.ErrInvalidResponse)
			}
			require.Equal(t, redeemed, r.idp.Hits("token")-before, iss)
		}
	})
}

func TestTokensForOthers(t *testing.T) { // ID-08, ID-37, ID-38
	r := newRelying(t, nil)
	key := r.idp.SigningKey()
	stolen := providertest.Sign(key, map[string]any{"alg": "RS256"}, map[string]any{"sub": "another"})
	for name, sign := range map[string]func(h, m map[string]any) string{
		"of another client":                  func(h, m map[string]any) string { m["aud"] = "another-client"; return providertest.Sign(key, h, m) },
		"an access token of the same claims": func(h, m map[string]any) string { h["typ"] = "at+jwt"; return providertest.Sign(key, h, m) },
		"no signature":                       func(h, m map[string]any) string { return providertest.Encode(h) + "." + providertest.Encode(m) + "." },
		"the signature of another token": func(h, m map[string]any) string {
			return providertest.Encode(h) + "." + providertest.Encode(m) + stolen[len(stolen)-343:]
		},
		"another header": func(h, m map[string]any) string {
			signed := providertest.Sign(key, h, m)
			delete(h, "typ")
			return providertest.Encode(h) + signed[len(providertest.Encode(map[string]any{"alg": "RS256", "typ": "JWT", "kid": h["kid"]})):]
		},
	} {
		t.Run(name, func(t *testing.T) {
			r.idp.SetFaults(providertest.Faults{Sign: sign})
			_, err := r.signIn()
			if name == "of another client" { // which the issuer has signed
				require.ErrorIs(t, err, auth.ErrMisconfigured)
				return
			}
			require.ErrorIs(t, err, auth.ErrInvalidResponse)
		})
	}
}

// TestNothingIsFetchedThatATokenNames: no address of an unverified claim, of a
// header or of a verified claim is ever called.
func TestNothingIsFetchedThatATokenNames(t *testing.T) { // DI-09, ID-27, UI-08, UI-09, I9
	var hits atomic.Int32
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer evil.Close()
	r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
	claims := func(m map[string]any) {
		m["picture"], m["profile"], m["website"] = evil.URL+"/picture", evil.URL+"/profile", evil.URL
		m["_claim_names"] = map[string]string{"groups": "src1", "email": "src1"}
		m["_claim_sources"] = map[string]any{"src1": map[string]string{"endpoint": evil.URL + "/claims", "access_token": "x"}}
	}
	r.idp.SetFaults(providertest.Faults{IDToken: claims, Userinfo: claims})
	id, err := r.signIn()
	require.NoError(t, err)
	require.Equal(t, "ada@example.com", id.Email)
	require.Empty(t, id.Picture, "it is not https")
	for _, name := range []string{"jku", "x5u", "iss"} {
		r.idp.SetFaults(providertest.Faults{
			Header:  func(h map[string]any) { h[name], h["kid"] = evil.URL, "unknown" },
			IDToken: func(m map[string]any) { m["iss"] = evil.URL },
		})
		_, err = r.signIn()
		require.Error(t, err)
	}
	require.Zero(t, hits.Load())
}

func TestPeopleAreNotMixedUp(t *testing.T) { // UI-10
	r := newRelying(t, func(c *oidc.Config) { c.AlwaysUserinfo = true })
	people := make([]providertest.Person, 50)
	for i := range people {
		people[i] = providertest.Person{Subject: fmt.Sprint("subject-", i), Name: fmt.Sprint("name-", i)}
	}
	idp := providertest.NewServer(providertest.Config{Clients: []providertest.Client{{ID: "app", Secret: "s"}}, People: people})
	defer idp.Close()
	p, err := oidc.New(oidc.Config{Name: "idp", Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("s"), AlwaysUserinfo: true})
	require.NoError(t, err)
	var wait sync.WaitGroup
	for i := range people {
		wait.Go(func() {
			tx := r.transaction()
			tx.Params = url.Values{"login_hint": {people[i].Subject}}
			target, err := p.AuthCodeURL(context.Background(), tx)
			if err != nil {
				t.Error(err)
				return
			}
			id, err := p.Exchange(context.Background(), tx, r.follow(target))
			if err != nil || id.Subject != people[i].Subject || id.Name != people[i].Name {
				t.Errorf("%s: got %+v %v", people[i].Subject, id, err)
			}
		})
	}
	wait.Wait()
}

func TestBrowserGoesAwayDuringExchange(t *testing.T) { // CB-09, RL-03
	r := newRelying(t, nil)
	tx := r.transaction()
	response, err := r.authorize(tx)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, _ http.ResponseWriter, q *http.Request) bool {
		if name == "token" {
			_, _ = io.Copy(io.Discard, q.Body) // net/http notices who goes away after the body
			cancel()
			<-q.Context().Done() // the call ends with the browser's
			close(gone)
		}
		return name == "token"
	}})
	_, err = r.p.Exchange(ctx, tx, response)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, auth.ErrUnavailable)
	<-gone
	require.Equal(t, 1, r.idp.Hits("token"))
}
