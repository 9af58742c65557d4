// Package oauth2env makes a provider of package oauth2 as the environment wants it: of
// a configuration that the provider's package knows, and the operator's settings.
package oauth2env

import (
	"maps"
	"net/url"
	"slices"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/oauth2"
)

// Read reads the variables of the provider id, whose own id is kind, and is [New] of
// what config makes of them. The error joins every problem that they have.
func Read(env auth.Env, id, kind string, cures fromenv.Cures, config func(fromenv.Registration) oauth2.Config) (auth.Provider, error) {
	cures.OAuth2 = true
	reg, err := fromenv.Read(env, id, kind, cures)
	if err != nil {
		return nil, err
	}
	c := config(reg)
	c.Name = id
	return New(c, reg.Settings)
}

// New is [oauth2.New] of c, in which what s says replaces what c says; the scopes that c requires are asked for in any case. A prompt is a
// problem where c has none among its ParamNames, and a way to authenticate where c
// names the only one.
func New(c oauth2.Config, s fromenv.Settings) (auth.Provider, error) {
	problem := func(variable, problem string) error {
		return &envvar.Error{Variable: "AUTH_" + fromenv.Variable(c.Name) + "_" + variable, Problem: problem, Cure: "unset it"}
	}
	if s.Label != "" {
		c.Presentation.Label = s.Label
	}
	if s.Scopes != nil {
		c.Scopes = s.Scopes
		for _, scope := range c.RequiredScopes {
			if !slices.Contains(c.Scopes, scope) {
				c.Scopes = append(c.Scopes, scope)
			}
		}
	}
	if s.Prompt != "" {
		if !slices.Contains(c.ParamNames, "prompt") {
			return nil, problem("PROMPT", "is set, and this provider knows no prompts")
		}
		c.AuthParams = maps.Clone(c.AuthParams)
		if c.AuthParams == nil {
			c.AuthParams = url.Values{}
		}
		c.AuthParams.Set("prompt", s.Prompt)
		c.ParamNames = slices.DeleteFunc(slices.Clone(c.ParamNames), func(name string) bool { return name == "prompt" }) // and not for the browser to say
	}
	if s.ClientAuth != "" {
		if c.ClientAuth != "" && string(c.ClientAuth) != s.ClientAuth {
			return nil, problem("CLIENT_AUTH", "is set, and this provider knows "+string(c.ClientAuth)+" alone")
		}
		c.ClientAuth = oauth2.ClientAuth(s.ClientAuth)
	}
	c.InsecureHTTP = c.InsecureHTTP || s.InsecureHTTP
	return oauth2.New(c)
}
