package oidc_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/signing"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// change changes the header h and the claims c of a logout token.
type change = func(h, c map[string]any)

func set(name string, value any) change { return func(_, c map[string]any) { c[name] = value } }

func without(name string) change { return func(_, c map[string]any) { delete(c, name) } }

func typ(value any) change { return func(h, _ map[string]any) { h["typ"] = value } }

func TestLogoutToken(t *testing.T) { // BC-05, BC-07, BC-10
	r := newRelying(t, nil)
	now := r.clock().Truncate(time.Second)
	for name, test := range map[string]struct {
		change change
		want   auth.Logout
	}{
		"as it is":           {nil, auth.Logout{Subject: "ada", SessionID: "s1"}},
		"sub alone":          {without("sid"), auth.Logout{Subject: "ada"}},
		"sid alone":          {without("sub"), auth.Logout{SessionID: "s1"}},
		"JWT":                {typ("JWT"), auth.Logout{Subject: "ada", SessionID: "s1"}},
		"no typ":             {func(h, _ map[string]any) { delete(h, "typ") }, auth.Logout{Subject: "ada", SessionID: "s1"}},
		"typ in capitals":    {typ("Logout+JWT"), auth.Logout{Subject: "ada", SessionID: "s1"}},
		"an unknown claim":   {set("ignored", []any{1}), auth.Logout{Subject: "ada", SessionID: "s1"}},
		"aud in a list":      {set("aud", []string{"app"}), auth.Logout{Subject: "ada", SessionID: "s1"}},
		"more than an event": {set("events", map[string]any{logoutEvent: map[string]any{}, "x": 1}), auth.Logout{Subject: "ada", SessionID: "s1"}},
		"an event with more": {set("events", map[string]any{logoutEvent: map[string]any{"x": 1}}), auth.Logout{Subject: "ada", SessionID: "s1"}},
	} {
		t.Run(name, func(t *testing.T) {
			jti := rand.Text()
			got, err := r.p.VerifyLogout(context.Background(), r.idp.LogoutToken("app", "ada", "s1", func(h, c map[string]any) {
				c["jti"] = jti
				if test.change != nil {
					test.change(h, c)
				}
			}))
			require.NoError(t, err)
			test.want.Issuer, test.want.TokenID, test.want.IssuedAt = r.idp.Issuer(), jti, now
			require.Equal(t, &test.want, got)
		})
	}
}

func TestLogoutTokenRefused(t *testing.T) { // BC-03 to BC-10, BC-16
	r := newRelying(t, nil)
	at := func(name string, d time.Duration) change {
		return func(_, c map[string]any) { c[name] = r.clock().Add(d).Unix() }
	}
	for name, change := range map[string]change{
		"BC-04 alg none in the header":   func(h, _ map[string]any) { h["alg"] = "none" },
		"BC-04 alg HS256":                func(h, _ map[string]any) { h["alg"] = "HS256" },
		"BC-04 alg that is not listed":   func(h, _ map[string]any) { h["alg"] = "RS512" },
		"BC-04 another key":              func(h, _ map[string]any) { h["kid"] = "another" },
		"BC-04 crit":                     func(h, _ map[string]any) { h["crit"] = []string{"x"} },
		"BC-05 no iss":                   without("iss"),
		"BC-05 another iss":              set("iss", r.idp.Issuer()+"/"),
		"BC-05 no aud":                   without("aud"),
		"BC-05 another aud":              set("aud", "app2"),
		"BC-05 another aud beside":       set("aud", []string{"app", "app2"}),
		"BC-05 aud of another kind":      set("aud", 1),
		"BC-05 no iat":                   without("iat"),
		"BC-05 iat as text":              set("iat", "1"),
		"BC-05 iat is old":               at("iat", -6*time.Minute-time.Second),
		"BC-05 iat is to come":           at("iat", time.Minute+2*time.Second),
		"BC-05 no exp":                   without("exp"),
		"BC-05 exp has passed":           at("exp", -time.Minute-time.Second),
		"BC-05 exp is far, iat is old":   func(h, c map[string]any) { at("iat", -time.Hour)(h, c); at("exp", 1e6*time.Hour)(h, c) },
		"BC-06 no jti":                   without("jti"),
		"BC-06 jti is empty":             set("jti", ""),
		"BC-06 jti is no text":           set("jti", 1),
		"BC-06 jti is long":              set("jti", strings.Repeat("x", 256)),
		"BC-07 neither sub nor sid":      func(_, c map[string]any) { delete(c, "sub"); delete(c, "sid") },
		"BC-07 sub is empty":             set("sub", ""),
		"BC-07 sub is null":              set("sub", nil),
		"BC-07 sid is no text":           set("sid", []string{"s1"}),
		"BC-07 sid is long":              set("sid", strings.Repeat("x", 256)),
		"BC-08 no events":                without("events"),
		"BC-08 events is text":           set("events", logoutEvent),
		"BC-08 events is a list":         set("events", []string{logoutEvent}),
		"BC-08 events is null":           set("events", nil),
		"BC-08 events is empty":          set("events", map[string]any{}),
		"BC-08 another event":            set("events", map[string]any{"http://schemas.openid.net/event/foobar": map[string]any{}}),
		"BC-08 in other letters":         set("events", map[string]any{strings.ToUpper(logoutEvent): map[string]any{}}),
		"BC-08 the event is true":        set("events", map[string]any{logoutEvent: true}),
		"BC-08 the event is null":        set("events", map[string]any{logoutEvent: nil}),
		"BC-08 the event is text":        set("events", map[string]any{logoutEvent: "{}"}),
		"BC-08 the event is a list":      set("events", map[string]any{logoutEvent: []any{}}),
		"BC-09 nonce":                    set("nonce", "n"),
		"BC-09 nonce is null":            set("nonce", nil),
		"BC-10 an access token's typ":    typ("at+jwt"),
		"BC-10 typ is null":              typ(nil),
		"BC-10 typ with another subtype": typ("secevent+jwt"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.p.VerifyLogout(context.Background(), r.idp.LogoutToken("app", "ada", "s1", change))
			require.Error(t, err)
			require.True(t, errors.Is(err, auth.ErrInvalidResponse) || errors.Is(err, auth.ErrMisconfigured) || errors.Is(err, auth.ErrClock), err)
		})
	}
	token := r.idp.LogoutToken("app", "ada", "s1", nil)
	signed := token[:strings.LastIndex(token, ".")+1]
	for name, raw := range map[string]string{
		"nothing": "", "no JWT": "hunter2", "BC-04 no signature": signed, "BC-16 encrypted": "a.b.c.d.e",
		"BC-04 another signature": signed + strings.Repeat("A", 342),
		"longer than any token":   strings.Repeat("x", 64<<10+1),
	} {
		_, err := r.p.VerifyLogout(context.Background(), raw)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "hunter2")
	}

	var idToken string
	r.idp.SetFaults(providertest.Faults{Token: func(m map[string]any) { idToken, _ = m["id_token"].(string) }})
	_, err := r.signIn()
	require.NoError(t, err)
	_, err = r.p.VerifyLogout(context.Background(), idToken)
	require.ErrorIs(t, err, auth.ErrInvalidResponse, "BC-10: an ID token is no logout token")
	r.idp.SetFaults(providertest.Faults{Token: func(m map[string]any) {
		m["id_token"] = r.idp.LogoutToken("app", "ada", "s1", nil)
	}})
	_, err = r.signIn()
	require.ErrorIs(t, err, auth.ErrInvalidResponse, "nor the other way round")
}

// TestLogoutTokenIsReadStrictly: a kinder reader takes the last of two, and SUB for sub.
func TestLogoutTokenIsReadStrictly(t *testing.T) { // BC-03
	r := newRelying(t, nil)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: r.idp.SigningKey()}, nil)
	require.NoError(t, err)
	now := r.clock().Unix()
	for members, ok := range map[string]bool{
		`"sub":"ada"`:             true,
		`"sub":"ada","sub":"eve"`: false,
		`"SUB":"ada"`:             false,
		`"sub":"ada","NONCE":"n"`: true,
	} {
		signed, err := signer.Sign(fmt.Appendf(nil, `{"iss":%q,"aud":"app","iat":%d,"exp":%d,"jti":"j","events":{%q:{}},%s}`, r.idp.Issuer(), now, now+120, logoutEvent, members))
		require.NoError(t, err)
		token, err := signed.CompactSerialize()
		require.NoError(t, err)
		_, err = r.p.VerifyLogout(context.Background(), token)
		require.Equal(t, ok, err == nil, "%s: %v", members, err)
	}
}

// TestLogoutTokenOfAnotherAlgorithm: a client is registered for one, by which its ID tokens
// are signed, whatever keys the issuer has besides.
func TestLogoutTokenOfAnotherAlgorithm(t *testing.T) { // BC-04
	r := newRelying(t, nil)
	other := ecKey(t)
	r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) {
		m["id_token_signing_alg_values_supported"] = []string{"RS256", "ES256"}
	}, Endpoint: func(name string, w http.ResponseWriter, _ *http.Request) bool {
		if name == "keys" {
			providertest.WriteJSON(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: r.idp.SigningKey().Public(), KeyID: r.idp.SigningKeyID()}, {Key: other.Public(), KeyID: "other"}}})
		}
		return name == "keys"
	}})
	var claims map[string]any
	ordinary := r.idp.LogoutToken("app", "ada", "s1", func(_, c map[string]any) { claims = c })
	signed, err := signing.Key{Signer: other, ID: "other"}.Sign("logout+jwt", claims, false)
	require.NoError(t, err)
	_, err = r.p.VerifyLogout(context.Background(), signed)
	require.NoError(t, err, "nothing is known yet")
	_, err = r.signIn()
	require.NoError(t, err)
	_, err = r.p.VerifyLogout(context.Background(), signed)
	require.ErrorContains(t, err, "ES256")
	_, err = r.p.VerifyLogout(context.Background(), ordinary)
	require.NoError(t, err)
}

func TestLogoutTokenWithAnAlias(t *testing.T) { // BC-05
	r := newRelying(t, func(c *oidc.Config) { c.IssuerAlias = "idp.example" })
	l, err := r.p.VerifyLogout(context.Background(), r.idp.LogoutToken("app", "ada", "s1", set("iss", "idp.example")))
	require.NoError(t, err)
	require.Equal(t, r.idp.Issuer(), l.Issuer, "as identities have it")
}

// TestLogoutTokenWhereMapNamesPeople: the token's sub may be nobody's Subject then.
func TestLogoutTokenWhereMapNamesPeople(t *testing.T) { // BC-07
	r := newRelying(t, func(c *oidc.Config) {
		c.Map = func(ctx context.Context, claims oidc.Claims) (*auth.Identity, error) {
			id, err := oidc.DefaultIdentity(ctx, claims)
			if err == nil {
				id.Subject += "@corp"
			}
			return id, err
		}
	})
	l, err := r.p.VerifyLogout(context.Background(), r.idp.LogoutToken("app", "ada", "s1", nil))
	require.NoError(t, err)
	require.Equal(t, []string{"", "s1"}, []string{l.Subject, l.SessionID}, "the session alone says who it is")
	l, err = r.p.VerifyLogout(context.Background(), r.idp.LogoutToken("app", "ada", "", nil))
	require.NoError(t, err)
	require.Equal(t, "ada", l.Subject)
}

// TestLogoutTokenFlood: whoever sends them does not decide how often the issuer is asked.
func TestLogoutTokenFlood(t *testing.T) { // BC-14, JW-03
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	r := newRelying(t, nil)
	_, err = r.p.VerifyLogout(context.Background(), r.idp.LogoutToken("app", "ada", "s1", nil))
	require.NoError(t, err)
	bad := []string{
		r.idp.LogoutToken("app", "ada", "s1", func(h, _ map[string]any) { h["kid"] = "unknown" }),
		providertest.Sign(own, map[string]any{"alg": "RS256", "kid": r.idp.SigningKeyID()}, map[string]any{"iss": r.idp.Issuer()}),
		"garbage", "e30.e30.e30",
	}
	many := 100_000
	if testing.Short() {
		many = 1000
	}
	for i := range many {
		_, err := r.p.VerifyLogout(context.Background(), bad[i%len(bad)])
		require.Error(t, err)
	}
	require.Equal(t, 1, r.idp.Hits("discovery"))
	require.LessOrEqual(t, r.idp.Hits("keys"), 6)
	_, err = r.p.VerifyLogout(context.Background(), r.idp.LogoutToken("app", "ada", "s1", nil))
	require.NoError(t, err, "the keys that there are keep working")

	down := newRelying(t, nil)
	down.idp.SetFaults(providertest.Faults{Endpoint: func(_ string, w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "down", http.StatusBadGateway)
		return true
	}})
	for range 1000 {
		_, err := down.p.VerifyLogout(context.Background(), bad[0])
		require.ErrorIs(t, err, auth.ErrUnavailable)
	}
	require.LessOrEqual(t, down.idp.Hits("discovery"), 2)
}

// TestIdentityKnowsItsIDTokensTime, by the provider's clock.
func TestIdentityKnowsItsIDTokensTime(t *testing.T) { // BC-13
	r := newRelying(t, nil)
	at := r.clock().Add(-time.Minute).Unix()
	r.idp.SetFaults(providertest.Faults{IDToken: func(c map[string]any) { c["iat"] = at }})
	id, err := r.signIn()
	require.NoError(t, err)
	require.Equal(t, at, id.IssuedAt.Unix())
}
