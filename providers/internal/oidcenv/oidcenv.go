// Package oidcenv makes a provider of package oidc as the environment wants it: of a
// configuration that the provider's package knows, and the operator's settings.
package oidcenv

import (
	"cmp"
	"maps"
	"net/url"
	"slices"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/oidc"
)

// New is [oidc.New] of c, in which what s says replaces what c says. The audiences of
// both are trusted.
func New(c oidc.Config, s fromenv.Settings) (auth.Provider, error) {
	if s.Label != "" {
		c.Presentation.Label = s.Label
	}
	if s.Scopes != nil {
		c.Scopes = s.Scopes
	}
	if s.Algorithms != nil {
		c.Algorithms = s.Algorithms
	}
	if s.TrustedAudiences != nil {
		c.TrustedAudiences = slices.Concat(c.TrustedAudiences, s.TrustedAudiences)
		c.AudiencesByIssuer = false // those that are named, and no others
	}
	if s.PrivateKey != nil {
		c.PrivateKey, c.PrivateKeyID, c.ClientAuth = s.PrivateKey, s.PrivateKeyID, oidc.PrivateKeyJWT
	}
	if s.ClientAuth != "" {
		c.ClientAuth = oidc.ClientAuth(s.ClientAuth)
	}
	if s.TrustEmail && c.AnyoneMayEnter {
		return nil, &envvar.Error{Variable: "AUTH_" + fromenv.Variable(c.Name) + "_TRUST_EMAIL", Problem: "is set for a provider at which anybody can get an account, with any address", Cure: "unset it, or name one tenant that is your own"}
	}
	c.TrustEmail, c.InternalURL = c.TrustEmail || s.TrustEmail, s.InternalURL
	c.PushedRequests = c.PushedRequests || s.PushedRequests
	c.DiscoveryURL = cmp.Or(s.DiscoveryURL, c.DiscoveryURL)
	c.InsecureHTTP = c.InsecureHTTP || s.InsecureHTTP
	if s.GroupsClaim != "" {
		c.GroupsClaim = s.GroupsClaim
	}
	c.Needs.Email, c.Needs.Groups = c.Needs.Email || s.NeedsEmail, c.Needs.Groups || s.NeedsGroups
	if s.Prompt != "" {
		params := url.Values{}
		maps.Copy(params, c.AuthParams)
		params.Set("prompt", s.Prompt)
		c.AuthParams = params
		// oidc's own list without "prompt", which is then not for the browser to say.
		c.ParamNames = []string{"login_hint", "ui_locales", "screen_hint", "domain_hint", "connection", "organization", "max_age", "acr_values"}
	}
	return oidc.New(c)
}
