package auth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// voucher is a provider that knows its issuer.
type voucher struct {
	*stubProvider
	issuer string
}

func (v *voucher) VouchesFor(issuer string) bool { return issuer == v.issuer }

// TestSessionOfAnotherIssuer is about two applications with one secret, whose providers
// have one name: each person is who they are at one of the two issuers.
func TestSessionOfAnotherIssuer(t *testing.T) {
	at := func(issuer string) *voucher {
		return &voucher{&stubProvider{name: "corp", identity: &auth.Identity{Issuer: issuer, Subject: "ada"}}, issuer}
	}
	one, other, unknowing := at("https://one.example"), at("https://other.example"), &stubProvider{name: "corp"}
	knows := func(p auth.Provider, cookie *http.Cookie, change func(*auth.Config)) bool {
		c := newConfig(p)
		if change != nil {
			change(&c)
		}
		a, err := auth.New(c)
		require.NoError(t, err)
		r := httptest.NewRequest("GET", "https://app.example/x", nil)
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		return w.Code == 200
	}
	a, err := auth.New(newConfig(one))
	require.NoError(t, err)
	cookie := sealedCookie(t, a, one)
	require.True(t, knows(one, cookie, nil))
	require.False(t, knows(other, cookie, nil))
	require.True(t, knows(unknowing, cookie, nil), "a provider that knows of no issuer goes by the name")
	require.True(t, knows(other, cookie, func(c *auth.Config) { c.ReadOnly, c.Providers = true, nil }), "what another signs in is the other's to judge")

	codec := session.NewCodec("__Secure-authjs.session-token", []session.Secret{auth.NewSecret(testSecret)})
	for claims, want := range map[string]bool{
		`"sub":"ada"`:                   true, // Auth.js's own
		`"sub":"ada","provider":"corp"`: true, // with a claim of the application's
		`"sub":"ada","provider":"corp","provider_issuer":"https://one.example"`:   false,
		`"sub":"ada","provider":"corp","provider_issuer":"https://other.example"`: true,
		`"sub":"ada","provider":"gone","provider_issuer":"https://other.example"`: false,
	} {
		value := codec.Seal([]byte(`{` + claims + `,"jti":"1","iat":1,"exp":4102444800}`))
		require.Equal(t, want, knows(other, &http.Cookie{Name: "__Secure-authjs.session-token", Value: value}, nil), claims)
	}
}

// TestIssuerThatTheProviderDoesNotKnow: a session that would not be known again is an
// error at once, and not a circle.
func TestIssuerThatTheProviderDoesNotKnow(t *testing.T) {
	for issuer, in := range map[string]bool{"https://idp.example": true, "https://my.example": false} {
		p := &voucher{&stubProvider{name: "corp", identity: &auth.Identity{Issuer: issuer, Subject: "ada"}}, "https://idp.example"}
		a, err := auth.New(newConfig(p))
		require.NoError(t, err)
		require.Equal(t, in, whoIn(t, signIn(t, a, p)) != nil, issuer)
	}
}
