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
	require.ElementsMatch(t, []string{"pages", "session"}, own(linked(module)), "the root links no provider, no Clerk, no access code")
	require.Equal(t, []string{"session"}, own(linked(module+"/session")))
	github := own(linked(module + "/providers/github"))
	slices.Sort(github)
	require.Subset(t, []string{"pages", "providers/github", "providers/internal/settings", "session"}, github, "one provider links no other")
	require.ElementsMatch(t, []string{"pages", "session"}, without(own(linked(module+"/accesscode")), "accesscode"))
	require.ElementsMatch(t, []string{"pages", "session"}, without(own(linked(module+"/clerk")), "clerk"))
	for _, p := range linked(module) {
		allowed := strings.HasPrefix(p, module) || strings.HasPrefix(p, "golang.org/x/oauth2") || strings.HasPrefix(p, "github.com/go-jose/go-jose/v4")
		require.True(t, allowed, "the root links %s", p)
	}
}

func without(list []string, one string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == one })
}
