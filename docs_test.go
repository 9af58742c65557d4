package auth_test

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/providers"
)

// TestThreatModelNamesTests: what docs/threat-model.md says is shown by a test is.
func TestThreatModelNamesTests(t *testing.T) {
	text, err := os.ReadFile("docs/threat-model.md")
	require.NoError(t, err)
	there := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`)
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "node_modules" {
			return fs.SkipDir
		}
		if err == nil && strings.HasSuffix(path, "_test.go") {
			var source []byte
			if source, err = os.ReadFile(path); err == nil {
				for _, m := range function.FindAllSubmatch(source, -1) {
					there[string(m[1])] = true
				}
			}
		}
		return err
	}))
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(named), 50)
	for _, m := range named {
		require.True(t, there[m[1]], "there is no %s", m[1])
	}
}

// TestLinks: what the Markdown files link to within the repository is there.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	n := 0
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "node_modules" {
			return fs.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range link.FindAllSubmatch(text, -1) {
			n++
			to, err := url.PathUnescape(string(m[1]))
			require.NoError(t, err)
			_, err = os.Stat(filepath.Join(filepath.Dir(path), to))
			require.NoError(t, err, path)
		}
		return err
	}))
	require.Greater(t, n, 20)
}

// TestEveryProviderHasAGuide: under its id, with its variables and its callback, and named
// by the README.
func TestEveryProviderHasAGuide(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for id := range providers.All() {
		if id == "microsoft" || id == "microsoft-entra-id" {
			continue // names of azure-ad
		}
		guide, err := os.ReadFile("docs/providers/" + id + ".md")
		require.NoError(t, err)
		require.Contains(t, string(guide), "/api/auth/callback/"+id)
		require.Contains(t, string(guide), strings.ToUpper(strings.ReplaceAll(id, "-", "_"))+"_")
		require.Contains(t, string(readme), "(docs/providers/"+id+".md)")
		require.Contains(t, string(readme), "/callback/"+id+"`")
	}
}

// TestEveryGuideIsFound: the README leads to each.
func TestEveryGuideIsFound(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	guides, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, guides)
	for _, guide := range guides {
		require.Contains(t, string(readme), "("+filepath.ToSlash(guide)+")")
	}
}
