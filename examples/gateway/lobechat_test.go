package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
)

// readEnv is a .env of docker compose.
func readEnv(t *testing.T, file string) map[string]string {
	text, err := os.ReadFile(filepath.Join("testdata", file))
	require.NoError(t, err)
	env := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			env[name] = value
		}
	}
	return env
}

// variablesOf are those that err is about, in its order.
func variablesOf(err error) (names []string) {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range list.Unwrap() {
			names = append(names, variablesOf(e)...)
		}
		return names
	}
	var one *envvar.Error
	if errors.As(err, &one) {
		names = append(names, one.Variable)
	}
	return names
}

// TestLobeChatEnvironments: a .env of each kind that LobeChat's documentation shows
// starts the gateway unchanged, or with an error of one cure for a variable, and with
// the cure it starts.
func TestLobeChatEnvironments(t *testing.T) { // LG-06
	seen := map[string]bool{}
	for file, test := range map[string]struct {
		ways    string            // providers' names, "code", "clerk"
		problem []string          // the variables that an error is about, if it does not start unchanged
		cure    map[string]string // what the error says to do
	}{
		"client-database.env":        {ways: "code"},
		"client-database-sample.env": {ways: "code", problem: []string{"ACCESS_CODE"}, cure: map[string]string{"ACCESS_CODE": "0f3d5c7b9a1e2846c0d2e4f6a8b1c3d5"}},
		"client-database-sso.env":    {ways: "auth0 code"},
		"server-database.env":        {ways: "github code", problem: []string{"ACCESS_CODE"}, cure: map[string]string{"ACCESS_CODE": "0f3d5c7b9a1e2846c0d2e4f6a8b1c3d5"}},
		"docker-domain.env":          {ways: "zitadel code", problem: []string{"ACCESS_CODE"}, cure: map[string]string{"ACCESS_CODE": "0f3d5c7b9a1e2846c0d2e4f6a8b1c3d5"}},
		"docker-ip.env":              {ways: "casdoor code", problem: []string{"ACCESS_CODE", "AUTH_CASDOOR_ISSUER"}, cure: map[string]string{"ACCESS_CODE": "0f3d5c7b9a1e2846c0d2e4f6a8b1c3d5", "AUTH_INSECURE_HTTP": "1"}},
		"vercel-clerk.env":           {ways: "clerk"},
		"vercel-next-auth.env":       {ways: "microsoft-entra-id github code"},
	} {
		seen[file] = true
		t.Run(file, func(t *testing.T) {
			env := readEnv(t, file)
			env["UPSTREAM_URL"], env["PORT"] = "http://127.0.0.1:3210", "0"
			read := func(name string) string { return env[name] }
			ended, end := context.WithCancel(context.Background())
			end() // it says all that it has to say before it serves
			err := run(ended, read, io.Discard)
			require.Equal(t, test.problem, variablesOf(err), "%v", err)
			if err != nil {
				for name, value := range env {
					require.False(t, len(value) > 8 && name != "UPSTREAM_URL" && strings.Contains(err.Error(), value), "the value of %s shows: %v", name, err)
				}
				maps.Copy(env, test.cure)
			}
			require.NoError(t, run(ended, read, io.Discard), "with the cure")

			log := &output{}
			all := parts(sessionStore{}, slog.New(slog.NewJSONHandler(log, nil)))
			all.Names = func() []string { return slices.Collect(maps.Keys(env)) }
			config, err := auth.ConfigFromEnv(read, all)
			require.NoError(t, err)
			if test.problem == nil {
				require.NotContains(t, log.String(), "nothing reads")
			}
			var ways []string
			for _, p := range config.Providers {
				ways = append(ways, p.Name())
			}
			if config.AccessCode != nil {
				ways = append(ways, "code")
			}
			if config.Backend != nil {
				ways = append(ways, "clerk")
			}
			require.Equal(t, test.ways, strings.Join(ways, " "))
		})
	}
	files, err := filepath.Glob("testdata/*.env")
	require.NoError(t, err)
	require.Len(t, seen, len(files))
}
