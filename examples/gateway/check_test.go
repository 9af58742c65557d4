package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/providers/providertest"
)

func TestCheck(t *testing.T) {
	idp := providertest.NewServer(providertest.Config{Clients: []providertest.Client{{ID: "gateway", Secret: "gateway-secret"}}})
	defer idp.Close()
	app := httptest.NewServer(http.NotFoundHandler())
	defer app.Close()
	for name, test := range map[string]struct {
		set  map[string]string
		exit int
		want string
	}{
		"fine":               {nil, 0, "it knows the client"},
		"a wrong secret":     {map[string]string{"GENERIC_OIDC_CLIENT_SECRET": "wrong-4711"}, 1, "FAULT  provider generic-oidc: the token endpoint refuses the client"},
		"no application":     {map[string]string{"UPSTREAM_URL": "http://127.0.0.1:1"}, 1, "FAULT  application: nobody answers at 127.0.0.1:1"},
		"a missing variable": {map[string]string{"GENERIC_OIDC_CLIENT_ID": ""}, 1, "GENERIC_OIDC_CLIENT_ID is not set"},
		"a store":            {map[string]string{"SESSION_STORE_URL": "sqlite:" + t.TempDir() + "/s.db"}, 0, "ok     sessions: they are kept in a store"},
		"a store elsewhere":  {map[string]string{"SESSION_STORE_URL": "redis://127.0.0.1:1"}, 1, "sessions: they are kept in a store"},
	} {
		env := environment(idp.Issuer())
		env["UPSTREAM_URL"] = app.URL
		for variable, value := range test.set {
			env[variable] = value
		}
		var out, problems bytes.Buffer
		require.Equal(t, test.exit, command(t.Context(), []string{"--check"}, func(v string) string { return env[v] }, &out, &problems), "%s: %s", name, out.String())
		require.Contains(t, out.String(), test.want, name)
		require.NotContains(t, out.String(), "4711", name)
	}
}
