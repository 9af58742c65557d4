package oidc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

// newBound is a relying party whose tokens are bound to a key, at an issuer that has clients
// as these.
func newBound(t *testing.T, client providertest.Client, change func(*oidc.Config)) *relying {
	client.ID, client.Secret, client.DPoP = "app", clientSecret, true
	return newRelyingOn(t, providertest.Config{Clients: []providertest.Client{client}}, func(c *oidc.Config) {
		c.DPoPKey, c.Scopes = ecKey(t), []string{"openid", "offline_access"}
		if change != nil {
			change(c)
		}
	})
}

func TestDPoP(t *testing.T) { // RFC 9449
	r := newBound(t, providertest.Client{}, func(c *oidc.Config) { c.AlwaysUserinfo = true })
	tx := r.transaction()
	address, err := r.p.AuthCodeURL(context.Background(), tx)
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	require.Len(t, u.Query().Get("dpop_jkt"), 43, "the code is bound as well")
	id, err := r.p.Exchange(context.Background(), tx, r.follow(address))
	require.NoError(t, err)
	require.Equal(t, "ada", id.Subject)
	require.Equal(t, "DPoP", id.Token.Type())
	require.Equal(t, []int{2, 1}, []int{r.idp.Hits("token"), r.idp.Hits("userinfo")}, "once without a nonce, and from then on with it")

	r.idp.RotateNonce()
	_, err = r.signIn()
	require.NoError(t, err)
	r.idp.RotateNonce()
	fresh, err := r.p.Refresh(context.Background(), id.Token)
	require.NoError(t, err)
	require.Equal(t, "DPoP", fresh.Type())
	require.NotEqual(t, id.Token.AccessToken, fresh.AccessToken)

	for _, token := range []*oauth2.Token{id.Token, fresh} {
		r.idp.RotateNonce()
		before := r.idp.Hits("userinfo")
		client := &http.Client{Transport: &oauth2.Transport{Source: oauth2.StaticTokenSource(token), Base: r.p.DPoP(nil)}}
		for _, want := range []int{2, 3} {
			resp, err := client.Get(r.idp.Issuer() + "/userinfo?x=1")
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			require.Equal(t, 200, resp.StatusCode)
			require.Equal(t, before+want, r.idp.Hits("userinfo"))
		}
	}
	stolen := oauth2.NewClient(context.Background(), oauth2.StaticTokenSource(&oauth2.Token{AccessToken: fresh.AccessToken}))
	resp, err := stolen.Get(r.idp.Issuer() + "/userinfo")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 401, resp.StatusCode, "it is worth nothing without the key")
}

func TestDPoPByOtherMeans(t *testing.T) {
	key := ecKey(t)
	for name, change := range map[string]func(*oidc.Config){
		"secret in the form": func(c *oidc.Config) { c.ClientAuth = oidc.ClientSecretPost },
		"pushed requests":    func(c *oidc.Config) { c.PushedRequests = true },
	} {
		r := newBound(t, providertest.Client{}, change)
		if name == "pushed requests" {
			r.idp.SetFaults(takesPushed(r, true, nil))
		}
		_, err := r.signIn()
		require.NoError(t, err, name)
	}
	r := newBound(t, providertest.Client{Key: key.Public()}, func(c *oidc.Config) { c.ClientSecret, c.PrivateKey = auth.Secret{}, key })
	_, err := r.signIn()
	require.NoError(t, err, "each attempt has an assertion of its own")
	plain := newRelying(t, nil)
	require.Equal(t, http.DefaultTransport, plain.p.DPoP(nil))
}

func TestDPoPOfADevice(t *testing.T) { // RFC 8628, RFC 9449
	r := newBound(t, providertest.Client{}, nil)
	d, err := r.p.AuthorizeDevice(context.Background())
	require.NoError(t, err)
	resp, err := http.Get(d.VerificationURIComplete)
	require.NoError(t, err)
	resp.Body.Close()
	id, err := r.p.AwaitDevice(context.Background(), d)
	require.NoError(t, err)
	require.Equal(t, "DPoP", id.Token.Type())
}

// TestTokensThatAreNotBound: whoever asked for bound tokens is not content with others.
func TestTokensThatAreNotBound(t *testing.T) {
	for name, kind := range map[string]any{"Bearer": "Bearer", "none": nil, "another": "mac"} {
		r := newBound(t, providertest.Client{}, nil)
		r.idp.SetFaults(providertest.Faults{Token: func(m map[string]any) {
			if m["token_type"] = kind; kind == nil {
				delete(m, "token_type")
			}
		}})
		_, err := r.signIn()
		require.ErrorIs(t, err, auth.ErrMisconfigured, name)
		require.ErrorContains(t, err, "want DPoP", name)
	}
	r := newRelying(t, nil)
	r.idp.SetFaults(providertest.Faults{Token: func(m map[string]any) { m["token_type"] = "DPoP" }})
	_, err := r.signIn()
	require.ErrorIs(t, err, auth.ErrMisconfigured)
}

// TestNonceWithoutEnd: however often a server wants another nonce, a code is sent twice and
// userinfo asked twice.
func TestNonceWithoutEnd(t *testing.T) {
	for name, test := range map[string]struct {
		endpoint string
		nonce    bool
		asked    int
	}{
		"token endpoint, another each time": {"token", true, 2},
		"token endpoint, none":              {"token", false, 1},
		"userinfo, another each time":       {"userinfo", true, 2},
		"userinfo, none":                    {"userinfo", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newBound(t, providertest.Client{}, func(c *oidc.Config) { c.AlwaysUserinfo = true })
			_, err := r.signIn()
			require.NoError(t, err)
			before := r.idp.Hits(test.endpoint)
			r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
				if name != test.endpoint {
					return false
				}
				if test.nonce {
					w.Header().Set("DPoP-Nonce", rand.Text())
				}
				status := map[string]int{"token": 400, "userinfo": 401}[name]
				providertest.WriteJSON(w, status, map[string]any{"error": "use_dpop_nonce"})
				return true
			}})
			_, err = r.signIn()
			require.Error(t, err)
			require.Equal(t, before+test.asked, r.idp.Hits(test.endpoint))
		})
	}
	// Another error with a nonce beside it is an answer: the code is not sent again.
	r := newBound(t, providertest.Client{}, nil)
	r.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
		if name == "token" {
			w.Header().Set("DPoP-Nonce", rand.Text())
			providertest.WriteJSON(w, 400, map[string]any{"error": "invalid_grant"})
		}
		return name == "token"
	}})
	_, err := r.signIn()
	require.ErrorIs(t, err, auth.ErrExpired)
	require.Equal(t, 1, r.idp.Hits("token"))
}

func TestDPoPKeyThatIsNone(t *testing.T) {
	key := ecKey(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	for want, c := range map[string]oidc.Config{
		"DPoPKey: want RSA":     {ClientSecret: auth.NewSecret("s"), DPoPKey: p384},
		"DPoPKey is PrivateKey": {PrivateKey: key, DPoPKey: key},
	} {
		c.Name, c.Issuer, c.ClientID = "idp", "https://idp.example", "app"
		_, err := oidc.New(c)
		require.ErrorContains(t, err, want)
	}
}
