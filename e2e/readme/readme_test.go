// Package readme_test does what the README says, word for word, in an empty folder.
package readme_test

import (
	"bufio"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/authtest"
)

// block is the first code block of a language.
func block(t *testing.T, text, language string) string {
	m := regexp.MustCompile("(?s)\n```" + language + "\n(.*?)```").FindStringSubmatch(text)
	require.NotNil(t, m, "no block of %q", language)
	return m[1]
}

func TestReadme(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	raw, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	text := string(raw)
	before, _, _ := strings.Cut(text, "package main")
	require.Less(t, strings.Count(before, "\n"), 25, "the program is what one sees first")

	dir := t.TempDir()
	do := func(name string, args ...string) {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s %q: %s", name, args, out)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(block(t, text, "go")), 0o600))
	do("go", "mod", "init", "example.com/hello")
	// Until there is a release to get, this checkout is it.
	do("go", "mod", "edit", "-require=github.com/sallyport/auth@v0.0.0", "-replace=github.com/sallyport/auth="+root)
	do("go", "mod", "tidy")
	do("go", "vet", ".")

	commands := strings.Split(strings.TrimSpace(block(t, text, "sh")), "\n")
	last := len(commands) - 1
	require.Equal(t, "go run .", commands[last])
	script := strings.Join(commands[:last], "\n") + "\n" + commands[last]
	cmd := exec.Command("bash", "-ec", script)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); _ = cmd.Wait() })
	said, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	code := said[strings.LastIndexByte(said, ' ')+1:]
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://localhost:3000/")
		return err == nil && resp.Body.Close() == nil
	}, 3*time.Minute, 200*time.Millisecond)

	console := strings.SplitN(block(t, text, "console"), "\n", 2)
	answer, err := exec.Command("bash", "-c", "curl -si "+strings.TrimPrefix(console[0], "$ curl -i ")).CombinedOutput()
	require.NoError(t, err, string(answer))
	for _, line := range strings.Split(strings.TrimSpace(console[1]), "\n") {
		require.Contains(t, strings.ReplaceAll(string(answer), "\r", ""), line)
	}

	ada := authtest.NewBrowser(t, "http://localhost:3000", nil)
	page := ada.Get("/report?year=2026")
	require.Contains(t, page.Body, `name="code"`)
	page = ada.Submit("/api/auth/signin/access-code", url.Values{"code": {strings.TrimSpace(code)}})
	require.Equal(t, "/report?year=2026", page.URL.RequestURI())
	require.Contains(t, page.Body, "hello, ")
}
