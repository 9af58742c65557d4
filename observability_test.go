package auth_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/fault"
)

// rows are the first cells of the tables in docs/observability.md that are code.
func rows(t *testing.T) (cells []string) {
	text, err := os.ReadFile("docs/observability.md")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(string(text), -1) {
		cells = append(cells, m[1])
	}
	return cells
}

// TestEventsAreDocumented: docs/observability.md has the closed sets.
func TestEventsAreDocumented(t *testing.T) {
	told := rows(t)
	for _, kind := range []auth.EventKind{auth.EventSignedIn, auth.EventSignInFailed, auth.EventSignedOut, auth.EventSessionsEnded, auth.EventTokenIssued, auth.EventLoggedOut, auth.EventUpdated, auth.EventRefused, auth.EventSessionFailed} {
		require.Contains(t, told, string(kind))
	}
	ofPagesAlone := []fault.Code{
		fault.OAuthCallback, fault.SessionRequired, fault.FormNotSent, fault.InsideAFrame, fault.SignedOut, fault.NotFound,
		fault.MethodNotAllowed, fault.BadRequest, fault.Default,
	}
	for _, code := range fault.Codes {
		require.Equal(t, !slices.Contains(ofPagesAlone, code), slices.Contains(told, string(code)), code)
	}
}

// TestLogLinesAreDocumented: each begins as a row of docs/observability.md, and each row is
// how one begins.
func TestLogLinesAreDocumented(t *testing.T) {
	line := regexp.MustCompile(`(?:\.(?:Debug|Info|Warn|Error)(?:Context)?\((?:[a-zA-Z.()]+, )?|\t\t)"((?:auth|clerk): [^"]{3,})"`)
	var said []string
	for _, dir := range []string{".", "internal", "session", "providers", "accesscode", "clerk", "native"} {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && dir == "." && path != "." {
				return fs.SkipDir
			}
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range line.FindAllSubmatch(source, -1) {
				said = append(said, string(m[1]))
			}
			return err
		}))
	}
	require.Greater(t, len(said), 35)
	told := slices.DeleteFunc(rows(t), func(cell string) bool {
		return !strings.Contains(cell, ": ") || strings.Contains(cell, "NAME") || strings.Contains(cell, ": anyone")
	})
	for _, text := range said {
		require.True(t, slices.ContainsFunc(told, func(row string) bool { return strings.HasPrefix(text, row) }), "docs/observability.md has no line %q", text)
	}
	for _, row := range told {
		require.True(t, slices.ContainsFunc(said, func(text string) bool { return strings.HasPrefix(text, row) }), "nothing says %q", row)
	}
}
