package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// TestCommandsOfGuides: the gateway starts with what the guides have people type.
func TestCommandsOfGuides(t *testing.T) {
	command := regexp.MustCompile(`(?m)^    UPSTREAM_URL=(?:.*\\\n)+    go run -C examples/gateway \.$`)
	assignment := regexp.MustCompile(`([A-Z][A-Z0-9_]*)=("[^"]*"|\S+)`)
	for _, guide := range []string{"gateway", "from-oauth2-proxy"} {
		text, err := os.ReadFile("../../docs/" + guide + ".md")
		require.NoError(t, err)
		typed := command.FindString(strings.ReplaceAll(string(text), "\r\n", "\n"))
		require.NotEmpty(t, typed, guide)
		env := map[string]string{}
		for _, m := range assignment.FindAllStringSubmatch(typed, -1) {
			env[m[1]] = m[2]
			if strings.Contains(m[2], "openssl rand") {
				env[m[1]] = secret
			}
		}
		require.Greater(t, len(env), 5)
		g, err := prepare(func(name string) string { return env[name] }, slog.New(slog.DiscardHandler))
		g.close()
		require.NoError(t, err, guide)
	}
}

// TestRulesOfTheGuide: the file of rules that docs/gateway.md has is one.
func TestRulesOfTheGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/gateway.md")
	require.NoError(t, err)
	typed := regexp.MustCompile(`(?m)^    # Who may see what\..*\n(?:    .*\n)+`).FindString(strings.ReplaceAll(string(text), "\r\n", "\n"))
	require.NotEmpty(t, typed)
	file := filepath.Join(t.TempDir(), "rules")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(typed, "\n    ", "\n")[4:]), 0o600))
	found, err := readRules(file, routesOf("").own)
	require.NoError(t, err)
	require.Len(t, found.exact.all, 5)
}

// yamlOf decodes the YAML of a guide, in which there is nothing that to does not have.
func yamlOf(t *testing.T, guide string, to any) {
	text, err := os.ReadFile("../../docs/" + guide + ".md")
	require.NoError(t, err)
	found := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(strings.ReplaceAll(string(text), "\r\n", "\n"), -1)
	require.Len(t, found, 1, guide)
	d := yaml.NewDecoder(strings.NewReader(found[0][1]))
	d.KnownFields(true)
	require.NoError(t, d.Decode(to), guide)
}

// TestTraefikOfTheGuide reads the configuration as Traefik does: its names lead to one
// another, and each header that says who it is comes from the gateway.
func TestTraefikOfTheGuide(t *testing.T) {
	type forwardAuth struct {
		Address                  string
		TrustForwardHeader       *bool    `yaml:"trustForwardHeader"`
		AuthResponseHeaders      []string `yaml:"authResponseHeaders"`
		AddAuthCookiesToResponse []string `yaml:"addAuthCookiesToResponse"`
	}
	type router struct {
		Rule, Service string
		Middlewares   []string
	}
	type service struct {
		LoadBalancer struct{ Servers []struct{ URL string } } `yaml:"loadBalancer"`
	}
	var traefik struct {
		HTTP struct {
			Middlewares map[string]struct {
				ForwardAuth forwardAuth `yaml:"forwardAuth"`
			}
			Routers  map[string]router
			Services map[string]service
		}
	}
	yamlOf(t, "gateway", &traefik)
	routes, application := traefik.HTTP.Routers["routes"], traefik.HTTP.Routers["application"]
	require.Empty(t, routes.Middlewares, "whoever signs in is not signed in yet")
	require.Equal(t, application.Rule+" && PathPrefix(`/api/auth/`)", routes.Rule)
	require.Len(t, application.Middlewares, 1)
	asked := traefik.HTTP.Middlewares[application.Middlewares[0]].ForwardAuth
	gateway := traefik.HTTP.Services[routes.Service].LoadBalancer.Servers[0].URL
	require.Equal(t, gateway+"/api/auth"+verifyPath, asked.Address)
	require.ElementsMatch(t, identityHeaders, asked.AuthResponseHeaders)
	require.False(t, *asked.TrustForwardHeader, "what a client says of itself is worth nothing")
	require.Equal(t, []string{"__Secure-authjs.session-token"}, asked.AddAuthCookiesToResponse)
	require.NotEmpty(t, traefik.HTTP.Services[application.Service].LoadBalancer.Servers)
}

// TestAutheliaOfTheGuide: docs/providers/authelia.md registers what the preset asks with.
func TestAutheliaOfTheGuide(t *testing.T) {
	type client struct {
		ID        string   `yaml:"client_id"`
		Name      string   `yaml:"client_name"`
		Secret    string   `yaml:"client_secret"`
		Policy    string   `yaml:"authorization_policy"`
		PKCE      bool     `yaml:"require_pkce"`
		Method    string   `yaml:"pkce_challenge_method"`
		Callbacks []string `yaml:"redirect_uris"`
		Scopes    []string
		Auth      string `yaml:"token_endpoint_auth_method"`
	}
	var authelia struct {
		Providers struct{ OIDC struct{ Clients []client } } `yaml:"identity_providers"`
	}
	yamlOf(t, "providers/authelia", &authelia)
	require.Len(t, authelia.Providers.OIDC.Clients, 1)
	one := authelia.Providers.OIDC.Clients[0]
	require.Equal(t, []string{"https://<domain>/api/auth/callback/authelia"}, one.Callbacks)
	require.Equal(t, []any{true, "S256", "client_secret_basic"}, []any{one.PKCE, one.Method, one.Auth})
	require.Subset(t, one.Scopes, []string{"openid", "profile", "email", "groups"})
}
