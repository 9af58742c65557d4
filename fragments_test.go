package auth_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// packages are those that fragments of programs call by these names. oauth2 may be that of
// golang.org/x, too.
var packages = map[string]string{
	"auth": ".", "session": "session", "accesscode": "accesscode", "clerk": "clerk", "native": "native", "authtest": "authtest",
	"providers": "providers", "pages": "pages", "oidc": "providers/oidc", "azuread": "providers/azure-ad", "providertest": "providers/providertest",
	"sqlstore": "session/sqlstore", "authjsdb": "session/authjsdb", "redisstore": "session/redisstore", "otelauth": "otelauth",
}

// variables are what fragments call values of this module.
var variables = map[string]string{"a": "auth.Authenticator", "cfg": "auth.Config", "who": "session.Session"}

// fragmentOf is a piece of a program, in which "..." stands for what is left out, or nil: statements,
// declarations, an expression, or fields of a struct.
func fragmentOf(text string) *ast.File {
	for _, left := range []struct{ out, in string }{
		{`(?m)^\s*\.\.\.$`, ""}, {`,\s*\.\.\.(\s*[})])`, "$1"}, {`([({])\s*\.\.\.\s*([)}])`, "$1$2"},
	} {
		text = regexp.MustCompile(left.out).ReplaceAllString(text, left.in)
	}
	for _, around := range [][2]string{{"func _() {\n", "\n}"}, {"var _ = ", ""}, {"", ""}, {"var _ = fields{\n", "\n}"}} {
		if f, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+around[0]+text+around[1]+"\n", 0); err == nil {
			return f
		}
	}
	return nil
}

// checkFragment holds b to being Go, and what it takes of this module's to being there:
// names of packages, fields of structs, and methods of what is called as everywhere.
func (b codeBlock) checkFragment(t *testing.T) {
	t.Helper()
	f := fragmentOf(b.text)
	require.NotNil(t, f, "%s has a fragment that is no Go:\n%s", b.page, b.text)
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok {
				break
			}
			if dir, ok := packages[x.Name]; ok {
				require.True(t, offers(t, dir, n.Sel.Name), "%s: there is no %s.%s", b.page, x.Name, n.Sel.Name)
			}
			if kind, ok := variables[x.Name]; ok {
				of, name, _ := strings.Cut(kind, ".")
				require.True(t, offers(t, packages[of], name+"."+n.Sel.Name), "%s: %s has no %s", b.page, kind, n.Sel.Name)
			}
		case *ast.CompositeLit:
			kind, ok := n.Type.(*ast.SelectorExpr)
			if !ok {
				break
			}
			x, ok := kind.X.(*ast.Ident)
			if !ok || packages[x.Name] == "" {
				break
			}
			for _, e := range n.Elts {
				if field, ok := e.(*ast.KeyValueExpr); ok {
					name := kind.Sel.Name + "." + field.Key.(*ast.Ident).Name
					require.True(t, offers(t, packages[x.Name], name), "%s: there is no %s.%s", b.page, x.Name, name)
				}
			}
		}
		return true
	})
}

var (
	offered = map[string][]string{} // by directory, what exported says of each name

	names = []*regexp.Regexp{
		regexp.MustCompile(`^(?:const|var|type) (\w+)`), regexp.MustCompile(`^func (\w+)[([]`),
		regexp.MustCompile(`^func \(\w+ \*?(\w+)\) (\w+)`), regexp.MustCompile(`^type (\w+) (?:struct|interface), (\w+)`),
	}
	alias = regexp.MustCompile(`^type (\w+) = (\w+)\.(\w+)`)
)

// offers reports whether the package in dir has name: "New", or "Config.URL" of a type.
func offers(t *testing.T, dir, name string) bool {
	t.Helper()
	if offered[dir] == nil {
		lines, err := exported(filepath.FromSlash(dir))
		require.NoError(t, err)
		require.NotEmpty(t, lines, dir)
		for _, line := range lines {
			_, line, _ = strings.Cut(line, ": ")
			offered[dir] = append(offered[dir], line)
		}
	}
	kind, member, ok := strings.Cut(name, ".")
	return slices.ContainsFunc(offered[dir], func(line string) bool {
		if m := alias.FindStringSubmatch(line); ok && m != nil && m[1] == kind {
			return offers(t, packages[m[2]], m[3]+"."+member)
		}
		return slices.ContainsFunc(names, func(of *regexp.Regexp) bool {
			m := of.FindStringSubmatch(line)
			return m != nil && strings.Join(m[1:], ".") == name
		})
	})
}
