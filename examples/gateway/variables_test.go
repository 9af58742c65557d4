package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHelp(t *testing.T) {
	var out, problems bytes.Buffer
	none := func(string) string { return "" }
	require.Equal(t, 0, command(t.Context(), []string{"--help"}, none, &out, &problems))
	require.Empty(t, problems.String())
	text := strings.Join(strings.Fields(out.String()), " ")
	for _, v := range variables {
		require.Contains(t, text, v.name+" ("+v.fallback+") "+v.meaning)
	}
	for line := range strings.Lines(out.String()) {
		if len(strings.Fields(line)) > 1 {
			require.LessOrEqual(t, len(line), 86)
		}
	}
	for _, bad := range [][]string{{"-x"}, {"serve"}, {"--help", "x"}} {
		out.Reset()
		require.Equal(t, 2, command(t.Context(), bad, none, &out, &problems))
		require.Empty(t, out.String())
		require.Contains(t, problems.String(), "--help")
	}
}

// TestHelpIsWhole: each variable that is read, whatever signs people in, is in the list.
func TestHelpIsWhole(t *testing.T) {
	var all []*regexp.Regexp
	spelled := regexp.MustCompile(`[A-Z][A-Z0-9]*_[A-Z0-9_]+`)
	known := map[string]bool{}
	for _, v := range variables {
		known[v.name] = true
		for _, other := range spelled.FindAllString(v.meaning, -1) {
			known[other] = true
		}
		if strings.Contains(v.name, "*") {
			pattern := strings.NewReplacer("<ID>", "(GITHUB|GENERIC_OIDC|AUTH0)", "*", "[A-Z0-9_]+").Replace(v.name)
			all = append(all, regexp.MustCompile("^(NEXT_PUBLIC_)?"+pattern+"$"))
		}
	}
	olderSpelling := regexp.MustCompile(`^(GITHUB|GENERIC_OIDC|AUTH0)_[A-Z_]+$`)
	for _, ways := range []string{healthy, "ACCESS_CODE=0123456789abcdef", healthy + "NEXT_AUTH_SSO_PROVIDERS=generic-oidc,auth0", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY=pk_test_Y2xlcmsuZXhhbXBsZS5jb20k CLERK_SECRET_KEY=sk_test_x"} {
		env, asked, mu := map[string]string{}, map[string]bool{}, sync.Mutex{}
		for word := range strings.FieldsSeq(ways) {
			name, value, _ := strings.Cut(word, "=")
			env[name] = value
		}
		ctx, end := context.WithCancel(context.Background())
		end()
		env["PORT"] = "0"
		_ = run(ctx, func(name string) string {
			mu.Lock()
			defer mu.Unlock()
			asked[name] = true
			return env[name]
		}, new(bytes.Buffer))
		require.Greater(t, len(asked), 20)
		for name := range asked {
			if _, here := os.LookupEnv(name); here {
				continue // whatever is set is looked at once, for mistakes
			}
			fits := known[name] || olderSpelling.MatchString(name)
			for _, pattern := range all {
				fits = fits || pattern.MatchString(name)
			}
			for _, v := range []string{"_ALLOWED_TENANTS", "_ORGANIZATIONS", "_GROUPS_CLAIM", "_ALGORITHMS", "_TRUST_EMAIL", "_INTERNAL_URL", "_DISCOVERY_URL"} {
				fits = fits || strings.HasSuffix(name, v) // asked of all providers, in case one is set
			}
			require.True(t, fits, name)
		}
	}
}

// TestGuideHasAllVariables: in a table, as --help has them.
func TestGuideHasAllVariables(t *testing.T) {
	text, err := os.ReadFile("../../docs/gateway.md")
	require.NoError(t, err)
	var b strings.Builder
	for _, v := range variables {
		b.WriteString("| `" + v.name + "` | " + v.fallback + " | " + v.meaning + " |\n")
	}
	guide := strings.ReplaceAll(string(text), "\r\n", "\n")
	before, rest, ok := strings.Cut(guide, "| variable | if unset | meaning |\n|---|---|---|\n")
	require.True(t, ok)
	table, after, _ := strings.Cut(rest, "\n\n")
	if *update {
		require.NoError(t, os.WriteFile("../../docs/gateway.md", []byte(before+"| variable | if unset | meaning |\n|---|---|---|\n"+b.String()+"\n"+after), 0o644))
		return
	}
	require.Equal(t, b.String(), table+"\n")
}
