package discord_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/discord"
	"github.com/sallyport/auth/providers/internal/recorded"
)

const (
	token  = "discord.com/api/oauth2/token"
	me     = "discord.com/api/users/@me"
	guilds = "discord.com/api/users/@me/guilds"
)

func kit(withGuilds bool) recorded.Kit {
	k := recorded.Kit{
		New: func(client *http.Client) (auth.Provider, error) {
			return discord.New(discord.Config{ClientID: recorded.ClientID, ClientSecret: auth.NewSecret(recorded.Secret), Guilds: withGuilds, HTTPClient: client})
		},
		Token: token,
		Answers: map[string]string{
			token: `{"access_token":"` + recorded.AccessToken + `","token_type":"Bearer","expires_in":604800,"refresh_token":"D43f5y0ahjqew82jZ4NViEr2YafMKhue","scope":"identify email guilds"}`,
			me: `{"id":"80351110224678912","username":"nelly","discriminator":"0","global_name":"Nelly","avatar":"8342729096ea3675442027381ff50dfe",
				"verified":true,"email":"nelly@example.com","flags":64,"banner":null,"accent_color":16711680,"premium_type":1,"public_flags":64}`,
		},
	}
	if withGuilds {
		k.Answers[guilds] = `[{"id":"80351110224678913","name":"1337 Krew","icon":null,"owner":true,"permissions":"36953089","features":["COMMUNITY"]},{"id":"5","name":"Acme"}]`
	}
	return k
}

func TestKeepsWhatEveryProviderKeeps(t *testing.T) { // CB-01 to CB-03, TK-02, TK-13, LG-01, PK-01
	require.NoError(t, kit(false).Check())
	k := kit(true)
	answer := k.Answers[guilds]
	delete(k.Answers, guilds) // a list, which Check does not know how to spoil
	change := func(address string, what any) map[string]any { return map[string]any{guilds: answer, address: what} }
	_, _, err := k.SignIn(change(guilds, "{}"))
	require.ErrorIs(t, err, auth.ErrInvalidResponse)
	_, _, err = k.SignIn(change(guilds, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })))
	require.ErrorIs(t, err, auth.ErrUnavailable)
	_, _, err = k.SignIn(change(token, `{"access_token":"x","token_type":"Bearer","scope":"identify email"}`))
	require.ErrorIs(t, err, auth.ErrDeclined, "without the scope nobody knows the groups")
}

func TestIdentity(t *testing.T) { // UI-08
	id, s, err := kit(true).SignIn(nil)
	require.NoError(t, err)
	require.Equal(t, "https://discord.com 80351110224678912 Nelly nelly nelly@example.com", id.Issuer+" "+id.Subject+" "+id.Name+" "+id.Username+" "+id.Email)
	require.True(t, id.EmailVerified)
	require.Equal(t, "https://cdn.discordapp.com/avatars/80351110224678912/8342729096ea3675442027381ff50dfe.png", id.Picture)
	require.Equal(t, []string{"80351110224678913", "5"}, id.Groups)
	require.Equal(t, "Bearer "+recorded.AccessToken, s.Asked[1].Header.Get("Authorization"))
	for name, test := range map[string]struct{ old, new, want string }{
		"not verified":         {`"verified":true`, `"verified":false`, "80351110224678912 Nelly false"},
		"nobody says":          {`"verified":true,`, ``, "80351110224678912 Nelly false"},
		"verified, no address": {`"email":"nelly@example.com"`, `"email":null`, "80351110224678912 Nelly false"},
		"no display name":      {`"global_name":"Nelly"`, `"global_name":null`, "80351110224678912 nelly true"},
		"no avatar":            {`"8342729096ea3675442027381ff50dfe"`, `null`, "80351110224678912 Nelly true"},
		"an avatar elsewhere":  {`"8342729096ea3675442027381ff50dfe"`, `"../../x"`, "80351110224678912 Nelly true"},
		"no id":                {`"id":"80351110224678912"`, `"id":""`, ""},
		"an id that is a path": {`"id":"80351110224678912"`, `"id":"1/x"`, ""},
		"an id of zero":        {`"id":"80351110224678912"`, `"id":"0"`, ""},
		"an id that is none":   {`"id":"80351110224678912"`, `"id":80351110224678912`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			k := kit(false)
			id, _, err := k.SignIn(map[string]any{me: strings.Replace(k.Answers[me], test.old, test.new, 1)})
			if test.want == "" {
				require.ErrorIs(t, err, auth.ErrInvalidResponse)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, id.Subject+" "+id.Name+map[bool]string{true: " true", false: " false"}[id.EmailVerified])
			require.Equal(t, strings.Contains(name, "avatar"), id.Picture == "")
			require.Nil(t, id.Groups)
		})
	}
}

func TestFromEnv(t *testing.T) { // LG-06
	_, err := discord.FromEnv(func(string) string { return "" }, "discord", nil)
	require.EqualError(t, err, "auth: DISCORD_CLIENT_ID is not set: Discord shows it in the developer portal, on the application's page OAuth2\n"+
		"auth: DISCORD_CLIENT_SECRET is not set: Discord makes it in the developer portal, on the application's page OAuth2")
	for groups, scope := range map[string]string{"": "identify email", "80351110224678913": "identify email guilds"} {
		for scopes, more := range map[string]string{"": "", "identify connections": "identify connections"} {
			env := map[string]string{"AUTH_DISCORD_ID": "c", "AUTH_DISCORD_SECRET": "s", "AUTH_ALLOWED_GROUPS": groups, "AUTH_DISCORD_SCOPES": scopes, "AUTH_DISCORD_PROMPT": "consent"}
			p, err := discord.FromEnv(func(name string) string { return env[name] }, "discord", nil)
			require.NoError(t, err)
			require.True(t, p.(auth.OpenDoor).AnyoneMayEnter())
			_, lacks := p.(auth.Lacking).Lacks()
			require.Equal(t, groups == "", lacks)
			address, err := p.AuthCodeURL(t.Context(), auth.Transaction{Verifier: strings.Repeat("v", 43)})
			require.NoError(t, err)
			u, err := url.Parse(address)
			require.NoError(t, err)
			want := scope
			if more != "" {
				want = strings.Replace(scope, "identify email", more, 1)
			}
			require.Equal(t, want, u.Query().Get("scope"))
			require.Equal(t, "consent", u.Query().Get("prompt"))
		}
	}
}
