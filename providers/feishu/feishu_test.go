package feishu_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/feishu"
	"github.com/sallyport/auth/providers/internal/recorded"
)

const (
	token = "open.feishu.cn/open-apis/authen/v2/oauth/token"
	user  = "open.feishu.cn/open-apis/authen/v1/user_info"
)

func kit() recorded.Kit {
	return recorded.Kit{
		New: func(client *http.Client) (auth.Provider, error) {
			return feishu.New(feishu.Config{AppID: recorded.ClientID, AppSecret: auth.NewSecret(recorded.Secret), HTTPClient: client})
		},
		Token: token,
		Answers: map[string]string{
			token: `{"code":0,"access_token":"` + recorded.AccessToken + `","expires_in":7200,"scope":"auth:user.id:read","token_type":"Bearer"}`,
			user: `{"code":0,"msg":"success","data":{"name":"张三","en_name":"Zhang San","avatar_url":"https://www.feishu.cn/avatar/icon","avatar_thumb":"https://www.feishu.cn/avatar/icon_thumb",
				"open_id":"ou-caecc734c2e3328a62489fe0648c4b98779515d3","union_id":"on-d89jhsdhjsajkda7828enjdj328ydhhw3u43yjhdj","email":"zhangsan@feishu.cn",
				"enterprise_email":"demo@mail.com","user_id":"5d9bdxxx","mobile":"+86130002883xx","tenant_key":"736588c92lxf175d","employee_no":"111222333"}}`,
		},
	}
}

func TestKeepsWhatEveryProviderKeeps(t *testing.T) { // CB-01 to CB-03, TK-02, TK-13, LG-01, PK-01
	require.NoError(t, kit().Check())
}

func TestTokenRequestIsJSON(t *testing.T) { // PK-04, TK-01
	_, s, err := kit().SignIn(nil)
	require.NoError(t, err)
	require.Equal(t, "POST", s.Asked[0].Method)
	require.Equal(t, "application/json; charset=utf-8", s.Asked[0].Header.Get("Content-Type"))
	require.Empty(t, s.Asked[0].URL.RawQuery)
	var sent map[string]string
	require.NoError(t, json.Unmarshal([]byte(s.Bodies[0]), &sent))
	require.Equal(t, map[string]string{
		"grant_type": "authorization_code", "code": recorded.Code, "client_id": recorded.ClientID, "client_secret": recorded.Secret,
		"redirect_uri": "https://app.example/api/auth/callback/feishu", "code_verifier": strings.Repeat("v", 43),
	}, sent)
}

func TestRefusals(t *testing.T) { // TK-03, TK-17, LG-02
	for answer, want := range map[string]error{
		`{"code":20049,"error":"invalid_grant","error_description":"PKCE code challenge failed."}`:    auth.ErrExpired,
		`{"code":20002,"error":"invalid_client","error_description":"The client secret is invalid."}`: auth.ErrMisconfigured,
		`{"code":20010,"error":"access_denied","error_description":"The user may not use the app."}`:  auth.ErrNotAllowed,
		`{"code":20050,"error":"server_error","error_description":"An unexpected server error."}`:     auth.ErrUnavailable,
		`{"code":20014,"msg":"The app access token passed is invalid."}`:                              auth.ErrInvalidResponse,
		`{"code":1,"access_token":"x","token_type":"Bearer"}`:                                         auth.ErrInvalidResponse,
		`{"code":"no","access_token":"x","token_type":"Bearer"}`:                                      auth.ErrInvalidResponse,
		`{"code":[],"access_token":"x","token_type":"Bearer"}`:                                        auth.ErrInvalidResponse,
		`{"code":0,"data":{"access_token":"x","token_type":"Bearer"}}`:                                auth.ErrInvalidResponse,
	} {
		for _, status := range []int{200, 400} {
			_, _, err := kit().SignIn(map[string]any{token: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = w.Write([]byte(answer))
			})})
			require.Error(t, err, answer)
			if status == 200 {
				require.ErrorIs(t, err, want, answer)
			}
		}
	}
	var refusal *auth.ProviderError
	_, _, err := kit().SignIn(map[string]any{token: `{"code":20014,"msg":"The app access token passed is invalid."}`})
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, "20014 The app access token passed is invalid.", refusal.Code+" "+refusal.Description)
}

func TestIdentity(t *testing.T) {
	id, _, err := kit().SignIn(nil)
	require.NoError(t, err)
	require.Equal(t, "https://accounts.feishu.cn on-d89jhsdhjsajkda7828enjdj328ydhhw3u43yjhdj 张三 zhangsan@feishu.cn", id.Issuer+" "+id.Subject+" "+id.Name+" "+id.Email)
	require.False(t, id.EmailVerified, "Feishu does not say so")
	require.Equal(t, []string{"736588c92lxf175d"}, id.Groups)
	for name, test := range map[string]struct{ old, new, want string }{
		"no name":             {`"name":"张三",`, ``, "Zhang San zhangsan@feishu.cn"},
		"a company's address": {`"email":"zhangsan@feishu.cn",`, ``, "张三 demo@mail.com"},
		"no union_id":         {`"union_id"`, `"x"`, ""},
		"another code":        {`{"code":0`, `{"code":20005`, ""},
		"no code":             {`"code":0,`, ``, ""},
		"no data":             {`"data"`, `"x"`, ""},
	} {
		k := kit()
		id, _, err := k.SignIn(map[string]any{user: strings.Replace(k.Answers[user], test.old, test.new, 1)})
		if test.want == "" {
			require.ErrorIs(t, err, auth.ErrInvalidResponse, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, test.want, id.Name+" "+id.Email, name)
	}
	id, _, err = kit().SignIn(map[string]any{user: `{"code":0,"data":{"union_id":"on-1"}}`})
	require.NoError(t, err)
	require.Nil(t, id.Groups, "and no empty one")
}

func TestFromEnv(t *testing.T) { // LG-06
	_, err := feishu.FromEnv(func(string) string { return "" }, "feishu", nil)
	require.EqualError(t, err, "auth: AUTH_FEISHU_APP_ID is not set: Feishu shows it as App ID under Credentials & Basic Info\n"+
		"auth: AUTH_FEISHU_APP_SECRET is not set: Feishu shows it as App Secret under Credentials & Basic Info")
	for _, env := range []map[string]string{
		{"AUTH_FEISHU_APP_ID": "c", "AUTH_FEISHU_APP_SECRET": "s", "AUTH_FEISHU_ID": "wrong"},
		{"AUTH_FEISHU_ID": "c", "AUTH_FEISHU_SECRET": "s"},
		{"FEISHU_CLIENT_ID": "c", "FEISHU_CLIENT_SECRET": "s", "AUTH_FEISHU_SCOPES": "contact:user.email:readonly"},
	} {
		p, err := feishu.FromEnv(func(name string) string { return env[name] }, "feishu", nil)
		require.NoError(t, err)
		require.False(t, p.(auth.OpenDoor).AnyoneMayEnter())
		emails, groups := p.(auth.Lacking).Lacks()
		require.True(t, emails)
		require.False(t, groups)
		address, err := p.AuthCodeURL(t.Context(), auth.Transaction{Verifier: "v"})
		require.NoError(t, err)
		require.Contains(t, address, "client_id=c&")
		require.Equal(t, env["AUTH_FEISHU_SCOPES"] != "", strings.Contains(address, "scope=contact%3Auser.email%3Areadonly"))
	}
}
