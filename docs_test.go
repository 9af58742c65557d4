package auth_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
