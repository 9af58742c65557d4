package auth_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// codeBlock is one of a Markdown page: fenced, or indented by four spaces.
type codeBlock struct {
	page     string // its path, with slashes
	fenced   bool
	language string // of a fenced one
	text     string
}

// blocksOf are the blocks of a page.
func blocksOf(page, text string) (blocks []codeBlock) {
	var open *codeBlock
	blank := true // the line before
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		language, fence := strings.CutPrefix(line, "```")
		rest, indented := strings.CutPrefix(line, "    ")
		switch {
		case open != nil && open.fenced && fence:
			blocks, open = append(blocks, *open), nil
		case open != nil && open.fenced:
			open.text += line
		case fence:
			open = &codeBlock{page: page, fenced: true, language: strings.TrimSpace(language)}
		case open != nil && indented:
			open.text += rest
		case open != nil && strings.TrimSpace(line) == "":
			open.text += "\n"
		case open != nil:
			blocks, open = append(blocks, *open), nil
		case indented && blank:
			open = &codeBlock{page: page, text: rest}
		}
		blank = strings.TrimSpace(line) == ""
	}
	if open != nil {
		blocks = append(blocks, *open)
	}
	return blocks
}

// runElsewhere are the tests that run what blocks of a language have, or of no language and
// with such a beginning, by page.
var runElsewhere = []struct{ page, language, begins, test string }{
	{"README.md", "sh", "", "e2e/readme/readme_test.go"},
	{"README.md", "console", "", "e2e/readme/readme_test.go"},
	{"docs/behind-a-proxy.md", "nginx", "# ", "e2e/proxies/proxies_test.go"},
	{"docs/behind-a-proxy.md", "caddyfile", "# ", "e2e/proxies/proxies_test.go"},
	{"docs/gateway.md", "nginx", "# verify\n", "e2e/proxies/gateway_test.go"},
	{"docs/gateway.md", "caddyfile", "# verify\n", "e2e/proxies/gateway_test.go"},
	{"docs/gateway.md", "yaml", "http:\n", "examples/gateway/guides_test.go"},
	{"docs/gateway.md", "", "# Who may see what.", "examples/gateway/guides_test.go"},
	{"docs/gateway.md", "", "UPSTREAM_URL=", "examples/gateway/guides_test.go"},
	{"docs/from-oauth2-proxy.md", "", "UPSTREAM_URL=", "examples/gateway/guides_test.go"},
	{"docs/pages.md", "html", "", "internal/web/policy_test.go"},
	{"docs/providers/authelia.md", "yaml", "identity_providers:\n", "examples/gateway/guides_test.go"},
	{"docs/single-page-apps.md", "js", "", "e2e/guides/script_test.go"},
	{"docs/stores.md", "sql", "", "session/sqlstore/migrate_test.go"},
	{"docs/stores.md", "", "user sallyport on ", "e2e/stores/redis_single_test.go"},
}

// saidByPrograms are blocks that nobody types: what a program says, or asks.
var saidByPrograms = []struct{ page, begins string }{
	{"docs/gateway.md", "ok     site: "},
	{"docs/observability.md", "auth_events_total{"},
	{"docs/observability.md", "100 * sum(rate(auth_events_total{"},
}

// pictures are of what goes where.
var pictures = regexp.MustCompile(`──>|^browser -> gateway -> `)

// TestEveryBlockIsRun: whatever the pages have people type, copy or expect is held to
// something; a block of a kind that nothing runs is a fault. A Chinese page has the blocks
// of the English one, which TestChinesePages holds.
func TestEveryBlockIsRun(t *testing.T) {
	n := map[string]int{}
	require.NoError(t, filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		page := filepath.ToSlash(file)
		if err == nil && (d.Name() == "node_modules" || page == "docs/zh-CN") {
			return fs.SkipDir
		}
		if err != nil || path.Ext(page) != ".md" || page == "README.zh-CN.md" {
			return err
		}
		text, err := os.ReadFile(file)
		for _, b := range blocksOf(page, string(text)) {
			t.Run(page, func(t *testing.T) {
				kind := b.check(t)
				require.NotEmpty(t, kind, "%s has a block that nothing runs:\n%s", page, b.text)
				n[kind]++
			})
		}
		return err
	}))
	for kind, least := range map[string]int{"a program": 4, "a fragment": 40, "run elsewhere": 18, "commands": 10, "an environment": 2, "an exchange": 5} {
		require.GreaterOrEqual(t, n[kind], least, kind)
	}
}

// check holds b to what it is, and returns that, or "" for nothing that is known.
func (b codeBlock) check(t *testing.T) (kind string) {
	t.Helper()
	for _, e := range runElsewhere {
		if b.page != e.page || b.language != e.language || !strings.HasPrefix(b.text, e.begins) {
			continue
		}
		source, err := os.ReadFile(filepath.FromSlash(e.test))
		require.NoError(t, err)
		name := strings.TrimSuffix(path.Base(b.page), ".md")
		require.Contains(t, string(source), name, "%s does not read %s", e.test, b.page)
		return "run elsewhere"
	}
	for _, said := range saidByPrograms {
		if b.page == said.page && strings.HasPrefix(b.text, said.begins) {
			return "said by a program"
		}
	}
	lines := strings.Split(strings.TrimSpace(b.text), "\n")
	switch {
	case b.language == "go" && strings.HasPrefix(b.text, "package "):
		require.Regexp(t, `^(README|docs/.+)\.md$`, b.page, "TestProgramsOfGuides does not see it")
		return "a program"
	case b.language == "go", !b.fenced && fragmentOf(b.text) != nil:
		b.checkFragment(t)
		return "a fragment"
	case b.fenced:
		return ""
	case pictures.MatchString(b.text):
		return "a picture"
	case all(lines, isAssignment):
		b.checkVariables(t, assignments(b.text), "")
		return "an environment"
	case isCommand(lines[0]):
		b.checkCommands(t)
		return "commands"
	case all(lines, regexp.MustCompile(`^\S+(, \S+)* {2,}\S`).MatchString):
		for _, line := range lines {
			for place := range strings.SplitSeq(regexp.MustCompile(` {2,}.*`).ReplaceAllString(line, ""), ", ") {
				require.True(t, place == "..." || exists(place), "%s: there is no %s", b.page, place)
			}
		}
		return "places"
	case all(lines, isExchange):
		b.checkJSON(t)
		return "an exchange"
	}
	return ""
}

func all(lines []string, is func(string) bool) bool {
	for _, line := range lines {
		if !is(line) {
			return false
		}
	}
	return true
}

func exists(file string) bool {
	_, err := os.Stat(filepath.FromSlash(file))
	return err == nil
}

var exchangeLine = regexp.MustCompile(`^(GET|POST) /\S*( {2,}.+)?$|^HTTP/1\.1 [1-5]\d\d [A-Z]|^[A-Z][A-Za-z-]+: \S|^$|^\{"| {1,2}"`)

// isExchange reports whether line is of a request, an answer or a line of a log.
func isExchange(line string) bool {
	return exchangeLine.MatchString(line) || strings.HasPrefix(line, ` "`)
}

// checkJSON holds the bodies, and lines of a log, to being JSON.
func (b codeBlock) checkJSON(t *testing.T) {
	t.Helper()
	for _, body := range regexp.MustCompile(`(?ms)^\{".*?\}$`).FindAllString(b.text, -1) {
		require.True(t, json.Valid([]byte(body)), "%s: %s", b.page, body)
	}
}
