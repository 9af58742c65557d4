package main

import (
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
