// Package providers names the providers that the environment can ask for. Each is a
// package of its own, with a New for programs that configure it in code:
//
//	id in the environment    package
//	apple                    apple
//	auth0                    auth0
//	azure-ad                 azure-ad (azuread)
//	microsoft-entra-id       azure-ad (azuread), under its newer name
//	microsoft                azure-ad (azuread), as LobeChat's later versions call it
//	authentik                authentik
//	github                   github
//	discord                  discord
//	feishu                   feishu
//	linkedin                 linkedin
//	wechat                   wechat
//	zitadel                  zitadel
//	generic-oidc             generic, any OpenID Connect issuer
//	authelia, casdoor, cloudflare-zero-trust, cognito, gitlab, google, keycloak, logto,
//	okta and slack           preset
//
// NEXT_AUTH_SSO_PROVIDERS=corp:keycloak,partner:keycloak has two of one kind, whose
// variables are AUTH_CORP_ID, AUTH_PARTNER_ID and so on.
//
// Providers of other kinds are made by packages oidc and oauth2, which hold the
// protocol, and tested with package providertest.
package providers

import (
	"maps"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/apple"
	"github.com/sallyport/auth/providers/auth0"
	"github.com/sallyport/auth/providers/authentik"
	azuread "github.com/sallyport/auth/providers/azure-ad"
	"github.com/sallyport/auth/providers/discord"
	"github.com/sallyport/auth/providers/feishu"
	"github.com/sallyport/auth/providers/generic"
	"github.com/sallyport/auth/providers/github"
	"github.com/sallyport/auth/providers/linkedin"
	"github.com/sallyport/auth/providers/preset"
	"github.com/sallyport/auth/providers/wechat"
	"github.com/sallyport/auth/providers/zitadel"
)

// All returns the factories of all providers by the id that NEXT_AUTH_SSO_PROVIDERS
// uses, in a map of the caller's own, to which others may be added. A program that
// wants fewer makes a map of those that it wants, and links no others.
func All() map[string]auth.ProviderFactory {
	all := map[string]auth.ProviderFactory{
		"apple":              apple.FromEnv,
		"auth0":              auth0.FromEnv,
		"azure-ad":           azuread.FromEnv,
		"microsoft-entra-id": azuread.FromEnv,
		"microsoft":          azuread.FromEnv,
		"authentik":          authentik.FromEnv,
		"github":             github.FromEnv,
		"discord":            discord.FromEnv,
		"feishu":             feishu.FromEnv,
		"linkedin":           linkedin.FromEnv,
		"wechat":             wechat.FromEnv,
		"zitadel":            zitadel.FromEnv,
		"generic-oidc":       generic.FromEnv,
	}
	maps.Copy(all, preset.Factories())
	return all
}
