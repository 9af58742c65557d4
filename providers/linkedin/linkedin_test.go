package linkedin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/recorded"
	"github.com/sallyport/auth/providers/linkedin"
)

const (
	token    = "www.linkedin.com/oauth/v2/accessToken"
	userinfo = "api.linkedin.com/v2/userinfo"
)

func kit() recorded.Kit {
	return recorded.Kit{
		New: func(client *http.Client) (auth.Provider, error) {
			return linkedin.New(linkedin.Config{ClientID: recorded.ClientID, ClientSecret: auth.NewSecret(recorded.Secret), HTTPClient: client})
		},
		Token: token,
		Answers: map[string]string{
			token: `{"access_token":"` + recorded.AccessToken + `","expires_in":5184000,"scope":"email,openid,profile","token_type":"Bearer","id_token":"eyJ6aXAiOiJERUYi.e30.x"}`,
			userinfo: `{"sub":"782bbtaQ","name":"John Doe","given_name":"John","family_name":"Doe","picture":"https://media.licdn-ei.com/dms/image/C5F03AQHqK8v7tB1HCQ/profile-displayphoto",
				"locale":"en-US","email":"doe@email.com","email_verified":true}`,
		},
		NoPKCE: true,
	}
}

func TestKeepsWhatEveryProviderKeeps(t *testing.T) { // CB-01 to CB-03, TK-02, TK-13, LG-01
	require.NoError(t, kit().Check())
}

// TestNoVerifier: LinkedIn answers invalid_client to one.
func TestNoVerifier(t *testing.T) {
	_, s, err := kit().SignIn(nil)
	require.NoError(t, err)
	form, err := url.ParseQuery(s.Bodies[0])
	require.NoError(t, err)
	require.Equal(t, url.Values{
		"grant_type": {"authorization_code"}, "code": {recorded.Code}, "redirect_uri": {"https://app.example/api/auth/callback/linkedin"},
		"client_id": {recorded.ClientID}, "client_secret": {recorded.Secret},
	}, form)
}

func TestIdentity(t *testing.T) {
	id, _, err := kit().SignIn(nil)
	require.NoError(t, err)
	require.Equal(t, "https://www.linkedin.com/oauth 782bbtaQ John Doe doe@email.com", id.Issuer+" "+id.Subject+" "+id.Name+" "+id.Email)
	require.NotEmpty(t, id.Picture)
	for said, want := range map[string]bool{`true`: true, `"true"`: true, `false`: false, `"false"`: false, `"TRUE"`: false, `1`: false, `null`: false, `["true"]`: false} {
		k := kit()
		id, _, err := k.SignIn(map[string]any{userinfo: strings.Replace(k.Answers[userinfo], `"email_verified":true`, `"email_verified":`+said, 1)})
		require.NoError(t, err)
		require.Equal(t, want, id.EmailVerified, said)
	}
	for _, who := range []string{`{"sub":"1","email_verified":true}`, `{"sub":"1","email":"","email_verified":true}`} {
		id, _, err := kit().SignIn(map[string]any{userinfo: who})
		require.NoError(t, err)
		require.False(t, id.EmailVerified, "there is no address")
	}
	for _, who := range []string{`{"sub":""}`, `{"sub":7}`, `{"id":"x"}`, `{"sub":"` + strings.Repeat("x", 256) + `"}`} {
		_, _, err := kit().SignIn(map[string]any{userinfo: who})
		require.ErrorIs(t, err, auth.ErrInvalidResponse)
	}
}

func TestFromEnv(t *testing.T) { // LG-06
	_, err := linkedin.FromEnv(func(string) string { return "" }, "linkedin", nil)
	require.ErrorContains(t, err, "auth: LINKEDIN_CLIENT_ID is not set: LinkedIn shows it")
	require.ErrorContains(t, err, "auth: LINKEDIN_CLIENT_SECRET is not set: LinkedIn shows it")
	env := map[string]string{"AUTH_LINKEDIN_ID": "c", "AUTH_LINKEDIN_SECRET": "s"}
	p, err := linkedin.FromEnv(func(name string) string { return env[name] }, "linkedin", nil)
	require.NoError(t, err)
	require.True(t, p.(auth.OpenDoor).AnyoneMayEnter())
	emails, groups := p.(auth.Lacking).Lacks()
	require.False(t, emails)
	require.True(t, groups)
}
