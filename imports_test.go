package auth_test

import (
	"flag"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/sallyport/auth"

var update = flag.Bool("update", false, "write testdata anew")

// goList runs go list on pkgs and returns a line for each package.
func goList(t *testing.T, format string, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-f", format}, args...)...).Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}

// arrows are the packages that each part may import of this module, by pattern.
// They point one way:
//
//	examples -> providers -> one provider -> providers/oauth2, providers/oidc -> providers/internal -> auth
//	            one provider -> providers/internal/oidcenv, providers/internal/oauth2env -> providers/internal/fromenv -> auth, envvar
//	auth -> internal/web -> internal/attempt, internal/fault, pages -> session -> internal
//	clerk, accesscode, native, authtest -> auth
//	authtest -> internal/web, and nothing -> authtest but tests
var arrows = []struct{ from, to string }{
	{"", "envvar internal/web internal/attempt internal/fault internal/controlchar pages session"},
	{"internal/web", "internal/attempt internal/device internal/fault internal/forwarded internal/generations internal/hostcookie internal/pace internal/returnto internal/strictjson internal/upstream pages session"},
	{"internal/attempt", "internal/hostcookie session"},
	{"internal/fault", "session"},
	{"pages", "internal/fault"},
	{"session", "internal/generations internal/strictjson"},
	{"session/*", "internal/sqlerror session"},
	{"internal/clerkvectors", ". clerk session"},
	{"internal/*", "internal/strictjson"},
	{"envvar", ""},
	{"accesscode", ". envvar session"},
	{"clerk", ". envvar internal/forwarded internal/pace internal/strictjson internal/upstream session"},
	{"native", ". pages"},
	{"authtest", ". internal/web session"},
	{"clerk/clerktest", ". clerk providers/providertest"},
	{"providers/internal/signing", ""},
	{"providers/internal/dpop", "providers/internal/signing"},
	{"providers/internal/codegrant", ". internal/strictjson internal/upstream providers/internal/dpop providers/internal/signing"},
	{"providers/oauth2", ". providers/internal/codegrant internal/strictjson internal/upstream"},
	{"providers/oidc", ". providers/internal/codegrant providers/internal/dpop providers/internal/signing internal/strictjson internal/upstream session"},
	{"providers/providertest", "."},
	{"providers/internal/fromenv", ". envvar internal/upstream providers/internal/signing"},
	{"providers/internal/oidcenv", ". envvar providers/internal/fromenv providers/oidc"},
	{"providers/internal/oauth2env", ". envvar providers/internal/fromenv providers/oauth2"},
	{"providers/internal/recorded", "."},
	{"providers/*", ". envvar providers/oidc providers/oauth2 providers/internal/fromenv providers/internal/oidcenv providers/internal/oauth2env"},
	{"providers", ". providers/*"},
	{"examples/internal/serve", "envvar"},
	{"examples/internal/visit", ""},
	{"examples/*", ". envvar pages session accesscode clerk clerk/clerktest native providers providers/* examples/internal/*"},
}

func TestArrows(t *testing.T) {
	for _, line := range goList(t, `{{.ImportPath}}={{join .Imports ","}}`, "./...") {
		from, imports, _ := strings.Cut(line, "=")
		from = strings.TrimPrefix(strings.TrimPrefix(from, module), "/")
		i := slices.IndexFunc(arrows, func(a struct{ from, to string }) bool { ok, _ := path.Match(a.from, from); return ok })
		require.NotEqual(t, -1, i, "say what %s may import", from)
		for imported := range strings.SplitSeq(imports, ",") {
			to, own := strings.CutPrefix(imported, module)
			if !own {
				continue
			}
			to = strings.TrimPrefix(to, "/")
			if to == "" {
				to = "."
			}
			allowed := slices.ContainsFunc(strings.Fields(arrows[i].to), func(pattern string) bool { ok, _ := path.Match(pattern, to); return ok })
			require.True(t, allowed, "%s imports %s, against the arrows", from, to)
		}
	}
}

// TestLinked holds what a program links that imports one of these, so that a
// change of it is seen in review. go test -run TestLinked . -update writes it.
func TestLinked(t *testing.T) {
	const file = "testdata/linked.txt"
	var b strings.Builder
	for _, pkg := range []string{".", "./providers/github", "./providers/oidc", "./examples/quickstart"} {
		b.WriteString(pkg + "\n")
		linked := goList(t, `{{if not .Standard}}{{.ImportPath}}{{end}}`, "-deps", pkg)
		slices.Sort(linked)
		for _, p := range linked {
			b.WriteString("\t" + p + "\n")
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, strings.Split(string(want), "\n"), strings.Split(b.String(), "\n"), "go test -run TestLinked . -update, and look at the difference")
}

// TestNoProviderIsLinkedUnasked: a program links the providers that it names, and
// of Clerk and access codes nothing that it does not ask for.
func TestNoProviderIsLinkedUnasked(t *testing.T) {
	linked := goList(t, "{{.ImportPath}}", "-deps", ".", "./providers/oidc", "./providers/oauth2", "./providers/github", "./accesscode", "./session")
	for _, p := range linked {
		own, ok := strings.CutPrefix(p, module+"/providers/")
		require.False(t, ok && !slices.Contains([]string{"oidc", "oauth2", "github"}, own) && !strings.HasPrefix(own, "internal/"), p)
		require.NotContains(t, p, "clerk")
	}
	for _, p := range goList(t, `{{if not .Standard}}{{.ImportPath}}{{end}}`, "-deps", ".") {
		require.True(t, strings.HasPrefix(p, module) || strings.HasPrefix(p, "golang.org/x/oauth2"), "the root links %s", p)
	}
}

// TestStoresBringNoDriver: a database's driver is the program's to choose.
func TestStoresBringNoDriver(t *testing.T) {
	for _, p := range goList(t, `{{if not .Standard}}{{.ImportPath}}{{end}}`, "-deps", "./session/sqlstore", "./session/authjsdb") {
		require.True(t, strings.HasPrefix(p, module), "a store links %s", p)
	}
}
