package auth_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestArrows holds the import graph: arrows point one way, and a program links
// only the providers that it names.
func TestArrows(t *testing.T) {
	const module = "github.com/sallyport/auth"
	linked := func(pkg string) []string {
		out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", pkg).Output()
		require.NoError(t, err)
		return strings.Fields(string(out))
	}
	own := func(list []string) (rest []string) {
		for _, p := range list {
			if path, ok := strings.CutPrefix(p, module+"/"); ok && !strings.HasPrefix(path, "internal/") {
				rest = append(rest, path)
			}
		}
		return rest
	}
	require.Equal(t, []string{"session"}, own(linked(module)), "the root links no provider, no Clerk, no access code")
	require.Equal(t, []string{"session"}, own(linked(module+"/session")))
	github := sorted(own(linked(module + "/providers/github")))
	require.Equal(t, []string{"providers/github", "providers/internal/codegrant", "providers/internal/settings", "providers/oauth2", "session"}, github, "one provider links no other")
	shared := []string{"providers/internal/codegrant", "session"}
	require.Equal(t, shared, without(sorted(own(linked(module+"/providers/oidc"))), "providers/oidc"))
	require.Equal(t, shared, without(sorted(own(linked(module+"/providers/oauth2"))), "providers/oauth2"))
	const goOIDC = "github.com/coreos/go-oidc/v3/oidc"
	require.NotContains(t, linked(module+"/providers/github"), goOIDC)
	require.Contains(t, linked(module+"/providers/oidc"), goOIDC)
	require.Equal(t, []string{"session"}, without(own(linked(module+"/accesscode")), "accesscode"))
	require.Equal(t, []string{"session"}, without(own(linked(module+"/clerk")), "clerk"))
	for _, p := range linked(module) {
		allowed := strings.HasPrefix(p, module) || strings.HasPrefix(p, "golang.org/x/oauth2")
		require.True(t, allowed, "the root links %s", p)
	}
}

func without(list []string, one string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == one })
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
