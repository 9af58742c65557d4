package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

// outlet is two nodes of a site whose people sign in at one identity provider.
type outlet struct {
	t     *testing.T
	idp   *providertest.Server
	nodes []*httptest.Server
}

// newOutlet has a person in the provider's session s1.
func newOutlet(t *testing.T) *outlet {
	o := &outlet{t: t, idp: providertest.NewServer(providertest.Config{
		Clients: []providertest.Client{{ID: "app", Secret: clientSecret}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada", Claims: map[string]any{"sid": "s1"}}},
	})}
	t.Cleanup(o.idp.Close)
	store := session.NewMemoryStore(0, nil)
	for range 2 {
		p, err := oidc.New(oidc.Config{Name: "idp", Issuer: o.idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret(clientSecret), Algorithms: []string{"RS256"}})
		require.NoError(t, err)
		a, err := auth.New(auth.Config{
			Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, Providers: []auth.Provider{p},
			Session: session.Config{Store: store}, BackChannelLogout: true, FrontChannelLogout: true, Logger: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		node := httptest.NewServer(a)
		t.Cleanup(node.Close)
		o.nodes = append(o.nodes, node)
	}
	return o
}

// signIn signs ada in on the first node. Cookies are those of a host, whatever its port.
func (o *outlet) signIn() *http.Client {
	o.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(o.t, err)
	client := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	resp, err := client.Get(o.nodes[0].URL + "/api/auth/csrf")
	require.NoError(o.t, err)
	defer resp.Body.Close()
	var csrf struct{ CsrfToken string }
	require.NoError(o.t, json.NewDecoder(resp.Body).Decode(&csrf))
	resp, err = client.PostForm(o.nodes[0].URL+"/api/auth/signin/idp", url.Values{"csrfToken": {csrf.CsrfToken}})
	require.NoError(o.t, err)
	resp.Body.Close()
	require.True(o.t, o.signedIn(client))
	return client
}

// signedIn is what both nodes say.
func (o *outlet) signedIn(client *http.Client) bool {
	o.t.Helper()
	var answers [2]string
	for i, node := range o.nodes {
		resp, err := client.Get(node.URL + "/api/auth/session")
		require.NoError(o.t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(o.t, err)
		resp.Body.Close()
		answers[i] = string(body)
	}
	require.Equal(o.t, answers[0], answers[1])
	return answers[0] != "null"
}

// notify is the provider's server.
func (o *outlet) notify(token string) (status int, cacheControl string) {
	o.t.Helper()
	form := url.Values{"logout_token": {token}, "ignored_parameter": {"ignored"}}
	resp, err := http.PostForm(o.nodes[1].URL+"/api/auth/backchannel-logout/idp", form)
	require.NoError(o.t, err)
	resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Cache-Control")
}

// TestOpenIDFoundationBackChannelLogout has the modules of the OpenID Foundation's plan
// oidcc-client-back-channel-logout-rp-basic, with the status that each wants. Its tokens
// have sub, sid, jti, iat, an exp in two minutes, a claim that nobody knows, and no typ.
// Its metadata lists every algorithm, and the client is registered for RS256, which is to
// be configured: the wrong one is signed with a key of the issuer's, too.
func TestOpenIDFoundationBackChannelLogout(t *testing.T) { // BC-02 to BC-12
	o := newOutlet(t)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	o.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) {
		m["id_token_signing_alg_values_supported"] = []string{"none", "HS256", "RS256", "PS256", "ES256", "EdDSA"}
	}, Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
		if name == "keys" {
			providertest.WriteJSON(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: o.idp.SigningKey().Public(), KeyID: o.idp.SigningKeyID()}, {Key: other.Public(), KeyID: "other"}}})
		}
		return name == "keys"
	}})
	token := func(change change) string {
		return o.idp.LogoutToken("app", "ada", "s1", func(h, c map[string]any) {
			delete(h, "typ")
			c["unknown"] = "ignored"
			if change != nil {
				change(h, c)
			}
		})
	}
	var claims map[string]any
	_ = token(func(_, c map[string]any) { claims = c })
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: other, KeyID: "other"}}, nil)
	require.NoError(t, err)
	payload, err := json.Marshal(claims)
	require.NoError(t, err)
	signed, err := signer.Sign(payload)
	require.NoError(t, err)
	wrongAlg, err := signed.CompactSerialize()
	require.NoError(t, err)

	const module = "oidcc-client-test-rp-backchannel-rpinitlogout"
	for _, test := range []struct {
		name, token string
		status      int
	}{
		{"-alg-none", providertest.Encode(map[string]any{"alg": "none"}) + "." + providertest.Encode(claims) + ".", 400},
		{"-no-event", token(without("events")), 400},
		{"-with-nonce", token(set("nonce", "nonce")), 400},
		{"-wrong-alg", wrongAlg, 400},
		{"-wrong-aud", token(set("aud", "app1")), 400},
		{"-wrong-event", token(set("events", map[string]any{"http://schemas.openid.net/event/foobar": map[string]any{}})), 400},
		{"-wrong-iss", token(set("iss", o.idp.Issuer()+"1")), 400},
		{"", token(nil), 200}, // the last, for no sign-in begins any more with s1
	} {
		t.Run(module+test.name, func(t *testing.T) {
			ada := o.signIn()
			status, cacheControl := o.notify(test.token)
			require.Equal(t, test.status, status)
			require.Contains(t, cacheControl, "no-store")
			require.Equal(t, test.status == 400, o.signedIn(ada))
		})
	}
}

// TestOpenIDFoundationFrontChannelLogout is the module of the plan
// oidcc-client-front-channel-logout-rp-basic.
func TestOpenIDFoundationFrontChannelLogout(t *testing.T) { // FC-01
	t.Run("oidcc-client-test-rp-frontchannel-rpinitlogout", func(t *testing.T) {
		o := newOutlet(t)
		ada := o.signIn()
		frame, err := http.Get(o.nodes[1].URL + "/api/auth/frontchannel-logout/idp?" + url.Values{"iss": {o.idp.Issuer()}, "sid": {"s1"}}.Encode())
		require.NoError(t, err)
		frame.Body.Close()
		require.Equal(t, 200, frame.StatusCode)
		require.True(t, strings.HasSuffix(frame.Header.Get("Content-Security-Policy"), "frame-ancestors "+o.idp.Issuer()))
		require.False(t, o.signedIn(ada))
	})
}

// TestLogoutOfTheOtherIssuer: whoever has one issuer's keys ends nobody's session of
// another one.
func TestLogoutOfTheOtherIssuer(t *testing.T) { // BC-11
	o, other := newOutlet(t), newOutlet(t)
	ada := o.signIn()
	status, _ := o.notify(other.idp.LogoutToken("app", "ada", "s1", nil))
	require.Equal(t, 400, status)
	status, _ = o.notify(other.idp.LogoutToken("app", "ada", "s1", func(_, c map[string]any) { c["iss"] = o.idp.Issuer() }))
	require.Equal(t, 400, status)
	require.True(t, o.signedIn(ada))
}
