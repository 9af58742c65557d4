package oidc_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// inProcess is an identity provider that is reached without a network, so that time can
// stand still.
type inProcess struct {
	*providertest.IdP
	beyond int // requests to other hosts
}

func (i *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "idp.example" || r.URL.Scheme != "https" {
		i.beyond++
	}
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	return w.Result(), nil
}

// atDevice is a program without a browser, and the person in front of it.
type atDevice struct {
	idp *inProcess
	p   *oidc.Provider
}

func newDevice(t *testing.T, change func(*oidc.Config)) *atDevice {
	idp := &inProcess{IdP: providertest.New(providertest.Config{
		Issuer:  "https://idp.example",
		Clients: []providertest.Client{{ID: "app", Secret: clientSecret}},
		People:  []providertest.Person{{Subject: "ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true}, {Subject: "lin", Name: "林晓"}},
	})}
	c := oidc.Config{Name: "idp", Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret(clientSecret), HTTPClient: &http.Client{Transport: idp}}
	if change != nil {
		change(&c)
	}
	p, err := oidc.New(c)
	require.NoError(t, err)
	return &atDevice{idp, p}
}

// decide is the person's browser.
func (a *atDevice) decide(t *testing.T, d *auth.DeviceAuthorization, who string) {
	w := httptest.NewRecorder()
	a.idp.ServeHTTP(w, httptest.NewRequest("GET", d.VerificationURIComplete+"&login_hint="+who, nil))
	require.Equal(t, 200, w.Code)
}

// signIn has somebody decide after 30 seconds.
func (a *atDevice) signIn(t *testing.T, who string) (*auth.Identity, error) {
	d, err := a.p.AuthorizeDevice(context.Background())
	require.NoError(t, err)
	timer := time.AfterFunc(30*time.Second, func() { a.decide(t, d, who) })
	defer timer.Stop()
	return a.p.AwaitDevice(context.Background(), d)
}

func TestDevice(t *testing.T) { // RFC 8628
	synctest.Test(t, func(t *testing.T) {
		a := newDevice(t, func(c *oidc.Config) { c.AuthParams = url.Values{"audience": {"https://api.example.com"}} })
		var asked url.Values
		a.idp.SetFaults(providertest.Faults{Endpoint: func(name string, _ http.ResponseWriter, r *http.Request) bool {
			if name == "device" {
				require.NoError(t, r.ParseForm())
				asked = r.PostForm
			}
			return false
		}})
		begun := time.Now()
		id, err := a.signIn(t, "lin")
		require.NoError(t, err)
		require.Equal(t, "https://idp.example", id.Issuer)
		require.Equal(t, "lin", id.Subject)
		require.Equal(t, "林晓", id.Name)
		require.NotEmpty(t, id.Token.AccessToken)
		require.Less(t, time.Since(begun), 32*time.Second)
		require.Equal(t, "openid profile email", asked.Get("scope"))
		require.Equal(t, "https://api.example.com", asked.Get("audience"))
		require.Zero(t, a.idp.beyond)

		_, err = a.signIn(t, "deny")
		require.ErrorIs(t, err, auth.ErrDeclined)
		require.EqualError(t, err, "auth: idp: token endpoint: the provider answered access_denied: "+auth.ErrDeclined.Error())
	})
}

// TestDeviceIDToken: what holds for an ID token at a sign-in holds here.
func TestDeviceIDToken(t *testing.T) { // ID-01 to ID-20
	for name, test := range map[string]struct {
		faults providertest.Faults
		want   error
		text   string
	}{
		"a nonce":          {providertest.Faults{IDToken: func(c map[string]any) { c["nonce"] = "of another sign-in" }}, auth.ErrInvalidResponse, "nonce"},
		"another issuer":   {providertest.Faults{IDToken: func(c map[string]any) { c["iss"] = "https://evil.example" }}, auth.ErrInvalidResponse, "iss"},
		"another audience": {providertest.Faults{IDToken: func(c map[string]any) { c["aud"] = "other" }}, auth.ErrMisconfigured, "aud"},
		"too old":          {providertest.Faults{IDToken: func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() }}, auth.ErrClock, "expired"},
		"another token":    {providertest.Faults{IDToken: func(c map[string]any) { c["at_hash"] = "x" }}, auth.ErrInvalidResponse, "at_hash"},
		"no signature": {providertest.Faults{Sign: func(h, c map[string]any) string {
			return providertest.Encode(h) + "." + providertest.Encode(c) + ".AAAA"
		}}, auth.ErrInvalidResponse, ""},
		"none":      {providertest.Faults{Token: func(a map[string]any) { delete(a, "id_token") }}, auth.ErrInvalidResponse, "no id_token"},
		"auth_time": {providertest.Faults{IDToken: func(c map[string]any) { c["auth_time"] = time.Now().Add(-time.Hour).Unix() }}, auth.ErrInvalidResponse, "max_age"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newDevice(t, func(c *oidc.Config) { c.AuthParams = url.Values{"max_age": {"300"}} })
				a.idp.SetFaults(test.faults)
				id, err := a.signIn(t, "ada")
				require.Nil(t, id)
				require.ErrorIs(t, err, test.want)
				require.ErrorContains(t, err, test.text)
			})
		})
	}
}

// TestDeviceFailsAfterTheTokens: a code that has been redeemed is not redeemed again
// because something else is down.
func TestDeviceFailsAfterTheTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newDevice(t, nil)
		a.idp.SetFaults(providertest.Faults{Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
			if name == "keys" {
				w.WriteHeader(503)
			}
			return name == "keys"
		}})
		_, err := a.signIn(t, "ada")
		require.ErrorIs(t, err, auth.ErrUnavailable)
		require.ErrorContains(t, err, "ID token")
	})
}

func TestDeviceEndpoint(t *testing.T) { // DI-07
	for name, endpoint := range map[string]any{"none": nil, "no text": 1, "http": "http://127.0.0.1/device_authorization"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newDevice(t, nil)
				a.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m["device_authorization_endpoint"] = endpoint }})
				_, err := a.p.AuthorizeDevice(context.Background())
				require.ErrorIs(t, err, auth.ErrMisconfigured)
				require.ErrorContains(t, err, "device_authorization_endpoint")
				require.Zero(t, a.idp.Hits("device"))
			})
		})
	}
}

// TestDevicePage: people are sent by https, where the issuer is reached so.
func TestDevicePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newDevice(t, nil)
		for _, page := range []string{"http://idp.example/device", "http://127.0.0.1/device", "javascript:alert(1)", "https://ada@idp.example/", ""} {
			a.idp.SetFaults(providertest.Faults{Device: func(d map[string]any) {
				d["verification_uri"] = page
				delete(d, "verification_uri_complete")
			}})
			_, err := a.p.AuthorizeDevice(context.Background())
			require.ErrorIs(t, err, auth.ErrInvalidResponse, page)
		}
	})
}

// TestDeviceRefused: what the issuer means by a code of its own.
func TestDeviceRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newDevice(t, func(c *oidc.Config) {
			c.Refusal = func(code, _ string) error {
				if code == "access_denied" {
					return auth.ErrNotAllowed
				}
				return nil
			}
		})
		_, err := a.signIn(t, "deny")
		require.ErrorIs(t, err, auth.ErrNotAllowed)
		require.False(t, strings.Contains(err.Error(), clientSecret))
	})
}
