package auth_test

import (
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/pages"
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

// TestChinesePages: what is not prose is the same on a Chinese page as on its English one, so that neither is changed
// without the other, and each provider's guide has a Chinese page.
func TestChinesePages(t *testing.T) {
	chinese := map[string]string{"README.md": "README.zh-CN.md"}
	for _, pattern := range []string{"docs/zh-CN/*.md", "docs/zh-CN/*/*.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, page := range found {
			page = filepath.ToSlash(page)
			chinese[strings.Replace(page, "/zh-CN", "", 1)] = page
		}
	}
	guides, err := filepath.Glob("docs/providers/*.md")
	require.NoError(t, err)
	for _, guide := range guides {
		require.NotEmpty(t, chinese[filepath.ToSlash(guide)], "%s has no Chinese page", guide)
	}
	require.Equal(t, "English | [简体中文](README.zh-CN.md)", readPage(t, "README.md").languages)
	for english, page := range chinese {
		t.Run(page, func(t *testing.T) {
			want, got := readPage(t, english), readPage(t, page)
			require.Equal(t, want.code, got.code)
			require.Equal(t, want.shape, got.shape)
			require.ElementsMatch(t, want.spans, got.spans)
			for i, link := range want.links {
				if to, ok := chinese[link]; ok {
					want.links[i] = to
				}
			}
			require.ElementsMatch(t, want.links, got.links)
			for code, problem := range pages.Match("en").Problems {
				there, _ := pages.Match("zh-CN").Problem(string(code))
				require.Equal(t, strings.Count(want.prose, `"`+problem.Title+`"`), strings.Count(got.prose, "「"+there.Title+"」"), there.Title)
			}
			back, err := filepath.Rel(filepath.Dir(page), english)
			require.NoError(t, err)
			require.Equal(t, "[English]("+filepath.ToSlash(back)+") | 简体中文", got.languages)
		})
	}
}

// markdownPage is what a translation of a Markdown page keeps.
type markdownPage struct {
	languages string   // the line that links the page in other languages
	code      []string // the lines of its blocks of code
	prose     string   // the other lines
	shape     []string // its headings, items and rows, and the cells without a word
	spans     []string // its code within sentences: variables, paths, addresses
	links     []string // what it links to: addresses, and paths from the root
}

func readPage(t *testing.T, name string) (p markdownPage) {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	var prose strings.Builder
	fenced := false
	marker := regexp.MustCompile(`^(#+|-|\d+\.|\|) `)
	for line := range strings.Lines(string(text)) {
		fence := strings.HasPrefix(line, "```")
		if fence || fenced || strings.HasPrefix(line, "    ") {
			fenced = fenced != fence
			p.code = append(p.code, line)
			continue
		}
		if strings.Contains(line, "简体中文") {
			p.languages = strings.TrimSpace(line)
			continue
		}
		prose.WriteString(line)
		m := marker.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		p.shape = append(p.shape, m[1])
		if m[1] == "|" {
			for cell := range strings.SplitSeq(line, "|") {
				if strings.ContainsFunc(cell, unicode.IsLetter) {
					cell = "words"
				}
				p.shape = append(p.shape, strings.TrimSpace(cell))
			}
		}
	}
	p.prose = prose.String()
	spans := regexp.MustCompile("`[^`]+`")
	for _, span := range spans.FindAllString(p.prose, -1) {
		p.spans = append(p.spans, strings.Join(strings.Fields(span), " "))
	}
	links := regexp.MustCompile(`\]\(([^)#]+)|(https?://[^\s,>]+)`)
	for _, m := range links.FindAllStringSubmatch(spans.ReplaceAllString(p.prose, ""), -1) {
		link := m[1] + m[2]
		if !strings.Contains(link, ":") {
			link = path.Join(path.Dir(name), link)
		}
		p.links = append(p.links, link)
	}
	return p
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
