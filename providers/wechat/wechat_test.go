package wechat_test

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/recorded"
	"github.com/sallyport/auth/providers/wechat"
)

const (
	token = "api.weixin.qq.com/sns/oauth2/access_token"
	user  = "api.weixin.qq.com/sns/userinfo"
)

func newProvider(client *http.Client) (auth.Provider, error) {
	return wechat.New(wechat.Config{AppID: recorded.ClientID, AppSecret: auth.NewSecret(recorded.Secret), HTTPClient: client})
}

func kit() recorded.Kit {
	return recorded.Kit{
		New:   newProvider,
		Token: token,
		Answers: map[string]string{
			token: `{"access_token":"` + recorded.AccessToken + `","expires_in":7200,"refresh_token":"REFRESH","openid":"OPENID","scope":"snsapi_login","unionid":"o6_bmasdasdsad6_2sgVt7hMZOPfL"}`,
			user: `{"openid":"OPENID","nickname":"林晓","sex":1,"province":"","city":"","country":"","headimgurl":"https://thirdwx.qlogo.cn/mmopen/g3MonUZtNHkdmzicIlibx6iaFqAc56vxLSUfpb6n5WKSYVY0ChQKkiaJSgQ1dZuTOgvLLrhJbERQQ4eMsv84eavHiaiceqxibJxCfHe/0",
				"privilege":["PRIVILEGE1"],"unionid":"o6_bmasdasdsad6_2sgVt7hMZOPfL"}`,
		},
		Client: "appid", NoPKCE: true, PlainText: true,
	}
}

func TestKeepsWhatEveryProviderKeeps(t *testing.T) { // CB-01 to CB-03, TK-02, TK-13, LG-01
	require.NoError(t, kit().Check())
}

func TestAuthorizationRequest(t *testing.T) {
	p, err := newProvider(nil)
	require.NoError(t, err)
	address, err := p.AuthCodeURL(t.Context(), auth.Transaction{State: "3d6be0a4035d839573b04816624a415e", RedirectURI: "https://app.example/api/auth/callback/wechat", Verifier: "v",
		Params: url.Values{"prompt": {"login"}, "login_hint": {"x"}}})
	require.NoError(t, err)
	require.Equal(t, "https://open.weixin.qq.com/connect/qrconnect?appid=the-client&redirect_uri=https%3A%2F%2Fapp.example%2Fapi%2Fauth%2Fcallback%2Fwechat"+
		"&response_type=code&scope=snsapi_login&state=3d6be0a4035d839573b04816624a415e#wechat_redirect", address, "as WeChat's documentation writes it")
}

func TestTokenRequest(t *testing.T) {
	_, s, err := kit().SignIn(nil)
	require.NoError(t, err)
	require.Equal(t, "GET", s.Asked[0].Method)
	require.Empty(t, s.Bodies[0])
	require.Empty(t, s.Asked[0].Header.Get("Content-Type"))
	require.Equal(t, url.Values{
		"appid": {recorded.ClientID}, "secret": {recorded.Secret}, "code": {recorded.Code}, "grant_type": {"authorization_code"},
		"redirect_uri": {"https://app.example/api/auth/callback/wechat"},
	}, s.Asked[0].URL.Query())
	require.Equal(t, url.Values{"access_token": {recorded.AccessToken}, "openid": {"OPENID"}}, s.Asked[1].URL.Query())
}

func TestIdentity(t *testing.T) {
	id, _, err := kit().SignIn(nil)
	require.NoError(t, err)
	require.Equal(t, "https://open.weixin.qq.com o6_bmasdasdsad6_2sgVt7hMZOPfL 林晓", id.Issuer+" "+id.Subject+" "+id.Name)
	require.Contains(t, id.Picture, "https://thirdwx.qlogo.cn/")
	require.Empty(t, id.Email+id.Username)
	for name, change := range map[string]map[string]any{
		"no unionid":         {user: `{"openid":"OPENID","nickname":"林晓"}`},
		"another openid":     {user: `{"openid":"ANOTHER","unionid":"u"}`},
		"no openid":          {user: `{"unionid":"u"}`},
		"an error":           {user: `{"errcode":40003,"errmsg":"invalid openid","openid":"OPENID","unionid":"u"}`},
		"a token for nobody": {token: `{"access_token":"x","expires_in":7200}`},
		"an openid that is none": {
			token: `{"access_token":"x","expires_in":7200,"openid":7}`,
			user:  `{"openid":"","unionid":"u"}`,
		},
	} {
		_, _, err := kit().SignIn(change)
		require.ErrorIs(t, err, auth.ErrInvalidResponse, name)
	}
}

func TestRefusals(t *testing.T) { // TK-03, TK-17, LG-02
	for answer, want := range map[string]error{
		`{"errcode":40029,"errmsg":"invalid code"}`:                 auth.ErrExpired,
		`{"errcode":40163,"errmsg":"code been used"}`:               auth.ErrExpired,
		`{"errcode":40013,"errmsg":"invalid appid"}`:                auth.ErrMisconfigured,
		`{"errcode":40125,"errmsg":"invalid appsecret"}`:            auth.ErrMisconfigured,
		`{"errcode":-1,"errmsg":"system error"}`:                    auth.ErrUnavailable,
		`{"errcode":45011,"errmsg":"api minute-quota reach limit"}`: auth.ErrUnavailable,
		`{"errcode":41008,"errmsg":"missing code"}`:                 auth.ErrInvalidResponse,
		`{"errcode":40029,"access_token":"x","openid":"OPENID"}`:    auth.ErrExpired,
		`{"errcode":"40029","access_token":"x","openid":"OPENID"}`:  auth.ErrExpired,
		`{"errcode":true,"access_token":"x","openid":"OPENID"}`:     auth.ErrInvalidResponse,
	} {
		_, _, err := kit().SignIn(map[string]any{token: answer})
		require.ErrorIs(t, err, want, answer)
	}
	_, _, err := kit().SignIn(map[string]any{token: `{"errcode":0,"access_token":"x","openid":"OPENID","scope":"snsapi_login"}`})
	require.NoError(t, err)
	_, _, err = kit().SignIn(map[string]any{token: `{"errcode":40029,"errmsg":"invalid code\u001b[31m, rid: 5e8ddb4e"}`})
	var refusal *auth.ProviderError
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, `40029 invalid code\x1b[31m, rid: 5e8ddb4e`, refusal.Code+" "+refusal.Description)
}

// broken fails as net/http does, with the address in the text.
type broken struct{}

func (broken) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New("connection refused")}
}

// TestSecretInTheAddressShowsNowhere: it stands in a query, which errors of net/http
// quote.
func TestSecretInTheAddressShowsNowhere(t *testing.T) { // TK-05, LG-01
	p, err := newProvider(&http.Client{Transport: broken{}})
	require.NoError(t, err)
	_, err = p.Exchange(t.Context(), auth.Transaction{Verifier: "v"}, url.Values{"code": {recorded.Code}})
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.ErrorContains(t, err, "api.weixin.qq.com")
	require.NotContains(t, err.Error(), recorded.Secret)
	require.NotContains(t, err.Error(), recorded.Code)
}

// TestCodeIsSentOnceThoughByGET: net/http sends a GET again by itself where a kept
// connection breaks.
func TestCodeIsSentOnceThoughByGET(t *testing.T) { // I8, TK-01, TK-16
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	var codes atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				r := bufio.NewReader(conn)
				for {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					if req.URL.Query().Has("code") {
						codes.Add(1)
						return
					}
					_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
				}
			}()
		}
	}()
	// The transport is https on the way in and plain inside: the address is WeChat's.
	inner := &http.Transport{}
	defer inner.CloseIdleConnections()
	toListener := roundTrip(func(r *http.Request) (*http.Response, error) {
		plain := r.Clone(r.Context())
		plain.URL.Scheme, plain.URL.Host = "http", listener.Addr().String()
		return inner.RoundTrip(plain)
	})
	resp, err := (&http.Client{Transport: toListener}).Get("https://api.weixin.qq.com/warm")
	require.NoError(t, err)
	buffer := make([]byte, 8)
	_, _ = resp.Body.Read(buffer)
	require.NoError(t, resp.Body.Close())

	p, err := newProvider(&http.Client{Transport: toListener})
	require.NoError(t, err)
	_, err = p.Exchange(t.Context(), auth.Transaction{Verifier: "v"}, url.Values{"code": {recorded.Code}})
	require.ErrorIs(t, err, auth.ErrUnavailable)
	require.EqualValues(t, 1, codes.Load())
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestFromEnv(t *testing.T) { // LG-06
	_, err := wechat.FromEnv(func(string) string { return "" }, "wechat", nil)
	require.ErrorContains(t, err, "auth: WECHAT_CLIENT_ID is not set: WeChat's Open Platform shows it as AppID")
	require.ErrorContains(t, err, "auth: WECHAT_CLIENT_SECRET is not set: WeChat's Open Platform shows it as AppSecret")
	env := map[string]string{"AUTH_WECHAT_ID": "c", "AUTH_WECHAT_SECRET": "hunter2"}
	p, err := wechat.FromEnv(func(name string) string { return env[name] }, "wechat", nil)
	require.NoError(t, err)
	require.True(t, p.(auth.OpenDoor).AnyoneMayEnter())
	emails, groups := p.(auth.Lacking).Lacks()
	require.True(t, emails && groups)
	for variable, value := range map[string]string{"AUTH_WECHAT_PROMPT": "login", "AUTH_WECHAT_CLIENT_AUTH": "client_secret_basic"} {
		env := map[string]string{"AUTH_WECHAT_ID": "c", "AUTH_WECHAT_SECRET": "hunter2", variable: value}
		_, err := wechat.FromEnv(func(name string) string { return env[name] }, "wechat", nil)
		require.ErrorContains(t, err, "auth: "+variable+" is set, and this provider knows")
		require.False(t, strings.Contains(err.Error(), "hunter2"))
	}
}
