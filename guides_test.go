package auth_test

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestProgramsOfGuides: each whole program in README.md and docs is one, to gofmt and go vet. They
// are in a module of their own, as a reader's is, which has from this one what its go.mod
// names, so that nothing is asked of a network.
func TestProgramsOfGuides(t *testing.T) {
	files, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	deeper, err := filepath.Glob("docs/*/*.md")
	require.NoError(t, err)
	dir := t.TempDir()
	program := regexp.MustCompile("(?ms)^```go\n(package .*?)^```")
	n := 0
	for _, file := range append(append(files, deeper...), "README.md") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range program.FindAllSubmatch(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), -1) {
			n++
			formatted, err := format.Source(m[1])
			require.NoError(t, err, file)
			require.Equal(t, string(formatted), string(m[1]), file)
			at := filepath.Join(dir, fmt.Sprintf("%s-%d", strings.TrimSuffix(filepath.Base(file), ".md"), n))
			require.NoError(t, os.Mkdir(at, 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(at, "main.go"), m[1], 0o600))
		}
	}
	require.GreaterOrEqual(t, n, 4)

	root, err := os.Getwd()
	require.NoError(t, err)
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	_, requires, ok := strings.Cut(string(mod), "module "+module)
	require.True(t, ok)
	text := fmt.Sprintf("module guides.example\n%s\nrequire %s v0.0.0\nreplace %[2]s => %q\n", requires, module, filepath.ToSlash(root))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o600))
	sum, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600))

	vet := exec.Command("go", "vet", "-mod=mod", "./...")
	vet.Dir, vet.Env = dir, append(os.Environ(), "GOPROXY=off", "GOWORK=off")
	out, err := vet.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
