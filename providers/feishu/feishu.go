// Package feishu signs people in with Feishu (飞书), by OAuth 2.0.
//
// At Feishu, the application is a custom app (企业自建应用) with the capability Web App
// and the redirect URL https://<host>/api/auth/callback/feishu under Security Settings.
//
// In the environment, where the provider's id is "feishu", [FromEnv] reads
// AUTH_FEISHU_APP_ID and AUTH_FEISHU_APP_SECRET, as LobeChat spells them,
// FEISHU_CLIENT_ID and FEISHU_CLIENT_SECRET, or as Auth.js does AUTH_FEISHU_ID and
// AUTH_FEISHU_SECRET.
//
// # Who somebody is
//
// The subject is the union_id, which is the same in all apps of one developer, and
// LobeChat's id of the account. The one group is the tenant_key, which stands for the
// company. An e-mail address is there where the app has the permission
// contact:user.email:readonly and people were asked for it (AUTH_FEISHU_SCOPES); Feishu
// does not say whether it was checked, so it never counts as verified.
//
// # What it does not protect from
//
// A custom app is open to those of its own company whom its availability names. An app
// of the app store is open to every company that installs it: there,
// [auth.AllowGroups] with the tenant keys says which.
package feishu

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/internal/oauth2env"
	"github.com/sallyport/auth/providers/oauth2"
)

const issuer = "https://accounts.feishu.cn"

// Config describes an application of Feishu's developer console.
type Config struct {
	AppID      string           // of Credentials & Basic Info: "cli_...". Required
	AppSecret  auth.Secret      // likewise. Required
	HTTPClient *http.Client     // its Transport is used. If nil, one of our own
	Now        func() time.Time // If nil, time.Now
}

// New returns the provider "feishu". It does no network I/O. The error says what is
// wrong with c.
func New(c Config) (auth.Provider, error) { return oauth2.New(c.oauth2()) }

func (c Config) oauth2() oauth2.Config {
	return oauth2.Config{
		Name:         "feishu",
		Issuer:       issuer,
		AuthURL:      issuer + "/open-apis/authen/v1/authorize",
		TokenURL:     "https://open.feishu.cn/open-apis/authen/v2/oauth/token",
		ClientID:     c.AppID,
		ClientSecret: c.AppSecret,
		ClientAuth:   oauth2.ClientSecretPost,
		ParamNames:   []string{"prompt"},
		Identify:     identify,
		NoEmails:     true,
		Presentation: auth.Presentation{Label: "Feishu", Mark: mark},
		Dialect: oauth2.Dialect{ // https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/authentication-management/access-token/get-user-access-token
			TokenJSON: true,
			ErrorCode: "code",
			ErrorText: "msg",
			Errors:    map[string]error{"20010": auth.ErrNotAllowed}, // may not use the app
		},
		HTTPClient: c.HTTPClient,
		Now:        c.Now,
	}
}

// identify asks for the user
// (https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/authen-v1/user_info/get).
func identify(ctx context.Context, a *oauth2.API) (*auth.Identity, error) {
	var answer struct {
		Code *int `json:"code"`
		Data struct {
			UnionID         string `json:"union_id"`
			TenantKey       string `json:"tenant_key"`
			Name            string `json:"name"`
			EnglishName     string `json:"en_name"`
			AvatarURL       string `json:"avatar_url"`
			Email           string `json:"email"`
			EnterpriseEmail string `json:"enterprise_email"`
		} `json:"data"`
	}
	if _, err := a.GetJSON(ctx, "https://open.feishu.cn/open-apis/authen/v1/user_info", &answer); err != nil {
		return nil, err
	}
	user := answer.Data
	switch {
	case answer.Code == nil || *answer.Code != 0:
		return nil, fmt.Errorf("%w: user_info answered no code 0", auth.ErrInvalidResponse)
	case user.UnionID == "" || len(user.UnionID) > 255:
		return nil, fmt.Errorf("%w: user_info has no union_id", auth.ErrInvalidResponse)
	}
	id := &auth.Identity{Subject: user.UnionID, Name: cmp.Or(user.Name, user.EnglishName), Email: cmp.Or(user.Email, user.EnterpriseEmail), Picture: user.AvatarURL}
	if user.TenantKey != "" {
		id.Groups = []string{user.TenantKey}
	}
	return id, nil
}

// FromEnv is the [auth.ProviderFactory] of "feishu".
func FromEnv(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
	return oauth2env.Read(env, id, "feishu", fromenv.Cures{
		ClientID:     "Feishu shows it as App ID under Credentials & Basic Info",
		ClientSecret: "Feishu shows it as App Secret under Credentials & Basic Info",
		IDName:       "AUTH_FEISHU_APP_ID",
		SecretName:   "AUTH_FEISHU_APP_SECRET",
	}, func(reg fromenv.Registration) oauth2.Config {
		return Config{AppID: reg.ClientID, AppSecret: reg.ClientSecret, HTTPClient: client}.oauth2()
	})
}

var mark = auth.Mark{ViewBox: "0 0 24 24", Paths: []auth.Path{
	{D: "M.6 8.1c2.5 2.8 5.4 4.9 8.6 6.3 2.9 1.3 5.3 2.2 7.4 2 1.8-.2 3.1-1.1 4.1-2.5-2.3 4.2-6.7 7-11.6 7.1-2.6 0-5.1-.8-7.1-2.2-.4-.3-.6-.6-.6-1.1z", Fill: "#3370FF"},
	{D: "M5.3 3h9.3c.4 0 .7 .2 .9 .4 1.2 1.5 2 3.1 2.4 4.9-1.4 .5-2.5 1.3-3.6 2.4l-1.5 1.4C10.8 8.7 8.2 6 5.1 3.8c-.4-.3-.2-.8 .2-.8z", Fill: "#00D6B9"},
	{D: "M23.4 9.2c-.7 .6-1.2 1.4-1.6 2.2l-1.1 2.2c-1 2-2.4 3.1-4.6 3.3-2 .2-4.1-.7-6.4-1.6 1.2-.6 2.2-1.3 3-2.2l1.7-1.6c2.4-2.4 5.8-3.6 9-2.3z", Fill: "#133C9A"},
}}
