// Package wechat signs people in with WeChat (微信) by a code that they scan, in the
// OAuth 2.0 of its own that WeChat has for websites.
//
// At WeChat's Open Platform, the application is a website (网站应用) whose callback
// domain (授权回调域) is the host of https://<host>/api/auth/callback/wechat.
//
// In the environment, where the provider's id is "wechat", [FromEnv] reads
// WECHAT_CLIENT_ID and WECHAT_CLIENT_SECRET, or as Auth.js and LobeChat spell them
// AUTH_WECHAT_ID and AUTH_WECHAT_SECRET.
//
// # Who somebody is
//
// The subject is the unionid: one person's in all applications of one Open Platform
// account, and LobeChat's id. Every website there is told of it. The openid, another one
// for each application, never stands in for it, or the same person would be two: without
// a unionid nobody signs in. There are no addresses, no groups and no user names.
//
// # What it does not protect from
//
// Anybody in the world can get an account, and no variable says who may enter: write an
// [auth.Policy] of unionids, or put another provider beside it. There is no PKCE: a code
// that is stolen from somebody's redirect can be brought to a sign-in of its thief's.
// WeChat takes the secret and the access token in the query of an address: whoever logs
// the addresses of this server's requests, such as a proxy that opens TLS, has them.
package wechat

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/internal/oauth2env"
	"github.com/sallyport/auth/providers/oauth2"
)

const api = "https://api.weixin.qq.com/sns"

// Config describes a website of WeChat's Open Platform.
type Config struct {
	AppID      string           // "wx...". Required
	AppSecret  auth.Secret      // shown once, when it is made. Required
	HTTPClient *http.Client     // its Transport is used. If nil, one of our own
	Now        func() time.Time // If nil, time.Now
}

// New returns the provider "wechat". It does no network I/O.
func New(c Config) (auth.Provider, error) { return oauth2.New(c.oauth2()) }

func (c Config) oauth2() oauth2.Config {
	return oauth2.Config{
		Name:           "wechat",
		Issuer:         "https://open.weixin.qq.com",
		AuthURL:        "https://open.weixin.qq.com/connect/qrconnect",
		TokenURL:       api + "/oauth2/access_token",
		ClientID:       c.AppID,
		ClientSecret:   c.AppSecret,
		ClientAuth:     oauth2.ClientSecretPost,
		Scopes:         []string{"snsapi_login"},
		ParamNames:     []string{},
		Identify:       identify,
		AnyoneMayEnter: true, NoEmails: true, NoGroups: true,
		Presentation: auth.Presentation{Label: "WeChat", Mark: mark},
		Dialect: oauth2.Dialect{ // https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login.html
			ClientID: "appid", ClientSecret: "secret", TokenQuery: true,
			ErrorCode: "errcode", ErrorText: "errmsg", Errors: codes,
			Extra: []string{"openid"}, Fragment: "wechat_redirect", InsecureNoPKCE: true,
		},
		HTTPClient: c.HTTPClient, Now: c.Now,
	}
}

// codes are a busy server's, a wrong registration's, and those of codes that count no more.
var codes = map[string]error{
	"-1": auth.ErrUnavailable, "45011": auth.ErrUnavailable,
	"40013": auth.ErrMisconfigured, "40125": auth.ErrMisconfigured,
	"40029": auth.ErrExpired, "40163": auth.ErrExpired,
}

// identify asks for the person. The access token goes in the query, beside the openid.
func identify(ctx context.Context, a *oauth2.API) (*auth.Identity, error) {
	openID, _ := a.Token().Extra("openid").(string)
	if openID == "" {
		return nil, fmt.Errorf("%w: the token's answer has no openid", auth.ErrInvalidResponse)
	}
	var user struct {
		Code     int    `json:"errcode"`
		OpenID   string `json:"openid"`
		UnionID  string `json:"unionid"`
		Nickname string `json:"nickname"`
		Picture  string `json:"headimgurl"`
	}
	query := url.Values{"access_token": {a.Token().AccessToken}, "openid": {openID}}
	if _, err := a.GetJSON(ctx, api+"/userinfo?"+query.Encode(), &user); err != nil {
		return nil, err
	}
	switch {
	case user.Code != 0:
		return nil, fmt.Errorf("%w: /sns/userinfo answered errcode %d", auth.ErrInvalidResponse, user.Code)
	case user.OpenID != openID:
		return nil, fmt.Errorf("%w: /sns/userinfo speaks of another openid than the token's", auth.ErrInvalidResponse)
	case user.UnionID == "" || len(user.UnionID) > 255:
		return nil, fmt.Errorf("%w: /sns/userinfo has no unionid: the application has to be a website of the Open Platform", auth.ErrInvalidResponse)
	}
	return &auth.Identity{Subject: user.UnionID, Name: user.Nickname, Picture: user.Picture}, nil
}

// FromEnv is the [auth.ProviderFactory] of "wechat".
func FromEnv(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
	return oauth2env.Read(env, id, "wechat", fromenv.Cures{
		ClientID:     "WeChat's Open Platform shows it as AppID on the website's page",
		ClientSecret: "WeChat's Open Platform shows it as AppSecret, once, when it is made",
	}, func(reg fromenv.Registration) oauth2.Config {
		return Config{AppID: reg.ClientID, AppSecret: reg.ClientSecret, HTTPClient: client}.oauth2()
	})
}

var mark = auth.Mark{ViewBox: "0 0 24 24", Paths: []auth.Path{
	{D: "M17.12 8.81C16.54 5.43 13.06 2.72 8.81 2.72 4.17 2.72 .4 5.91 .4 9.78c0 2.22 1.16 4.06 2.9 5.41l-.58 2.13 2.51-1.45a9.67 9.67 0 0 0 4.26 .38c-.87-2.51 .19-4.83 1.83-6.18 1.64-1.35 3.77-1.84 5.8-1.26zM6.01 6.39a1.16 1.16 0 1 1 0 2.32 1.16 1.16 0 0 1 0-2.32zm5.6 0a1.16 1.16 0 1 1 0 2.32 1.16 1.16 0 0 1 0-2.32zM23.6 15.09c0 1.74-.97 3.29-2.42 4.35l.49 1.84-2.13-1.16a8.22 8.22 0 0 1-2.51 .39c-3.77 0-6.48-2.42-6.48-5.51s2.71-5.51 6.48-5.51 6.57 2.51 6.57 5.6zm-9.09-2.8a.97 .97 0 1 0 0 1.93 .97 .97 0 0 0 0-1.93zm4.64 0a.97 .97 0 1 0 0 1.93 .97 .97 0 0 0 0-1.93z", Fill: "#07C160"},
}}
