package auth_test

import (
	"encoding/json"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/providers"
)

// notRun are the programs that the pages have people call, other than go, and how they are called. Each
// has a reason why it is not run here.
var notRun = map[string]*regexp.Regexp{
	"cd":      regexp.MustCompile(`^(\S+)$`),                                                                           // what is called there is
	"curl":    regexp.MustCompile(`^(-i )?(-H "[A-Za-z-]+: [^"]+" )?https://\S*example\.com/\S*$`),                     // the site is the reader's
	"docker":  regexp.MustCompile(`^compose -f (\S+) up --build$`),                                                     // there is no daemon; TestDockerfile and TestCompose read its files
	"npm":     regexp.MustCompile(`^(ci|run \w+|start)$`),                                                              // needs a registry; e2e builds the same
	"openssl": regexp.MustCompile(`^(rand -(hex|base64) \d+|genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256)$`), // need not be there; e2e/readme calls it
}

var (
	assignment   = regexp.MustCompile(`^([A-Z][A-Z0-9_]*)=("[^"]*"|\$\([^)]*\)|[^\s"]*)`)
	substitution = regexp.MustCompile(`\$\(([^)]*)\)`)
)

// isCommand reports whether line begins with a program that is known, or an assignment for one.
func isCommand(line string) bool {
	word, _, _ := strings.Cut(line, " ")
	return word == "go" || notRun[word] != nil || assignment.MatchString(line)
}

// isAssignment reports whether line is one of a file of an environment.
func isAssignment(line string) bool {
	return regexp.MustCompile(`^([A-Z][A-Z0-9_]*=[^=]*( |$))+$`).MatchString(line) && !regexp.MustCompile(`\$\(| go `).MatchString(line)
}

// assignments are those of text, of which a file of an environment has one a line.
func assignments(text string) (list []string) {
	for _, m := range regexp.MustCompile(`(?m)(?:^| )([A-Z][A-Z0-9_]*=\S*)`).FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	return list
}

// checkCommands holds each command of b to being one that works: the package, the
// script or the file is there, and so are the variables. What stands below a curl is its answer.
func (b codeBlock) checkCommands(t *testing.T) {
	t.Helper()
	text := strings.ReplaceAll(b.text, "\\\n", " ")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(regexp.MustCompile(` +#.*`).ReplaceAllString(line, ""))
		if line == "" || isExchange(line) {
			require.True(t, line == "" || strings.HasPrefix(text, "curl "), "%s: %q is no command", b.page, line)
			continue
		}
		for _, m := range substitution.FindAllStringSubmatch(line, -1) {
			b.checkCommand(t, ".", m[1], nil)
		}
		dir := path.Dir(b.page)
		if strings.HasPrefix(b.page, "docs/") || exists(path.Join(dir, "package.json")) {
			dir = "." // where a checkout begins
		}
		for command := range strings.SplitSeq(line, " && ") {
			var set []string
			for m := assignment.FindString(command); m != ""; m = assignment.FindString(command) {
				set, command = append(set, m), strings.TrimSpace(command[len(m):])
			}
			if to, ok := strings.CutPrefix(command, "cd "); ok {
				dir = path.Join(dir, to)
				require.DirExists(t, filepath.FromSlash(dir), b.page)
				continue
			}
			b.checkCommand(t, dir, command, set)
		}
	}
}

// checkCommand is checkCommands for one, called in dir with variables set.
func (b codeBlock) checkCommand(t *testing.T, dir, command string, set []string) {
	t.Helper()
	program, rest, _ := strings.Cut(command, " ")
	switch {
	case program == "go":
		dir = b.checkGo(t, dir, strings.Fields(rest))
	case program != "":
		require.NotNil(t, notRun[program], "%s calls %s", b.page, program)
		m := notRun[program].FindStringSubmatch(rest)
		require.NotNil(t, m, "%s calls %s in a way that is not known", b.page, command)
		switch program {
		case "docker":
			require.FileExists(t, filepath.FromSlash(m[1]))
		case "npm":
			checkScript(t, dir, strings.TrimPrefix(m[1], "run "))
		}
	}
	b.checkVariables(t, set, dir)
}

// checkScript holds package.json in dir to having the script that npm is told to run.
func checkScript(t *testing.T, dir, script string) {
	t.Helper()
	if script == "ci" {
		require.FileExists(t, filepath.Join(dir, "package-lock.json"))
		return
	}
	text, err := os.ReadFile(filepath.Join(dir, "package.json"))
	require.NoError(t, err)
	var manifest struct{ Scripts map[string]string }
	require.NoError(t, json.Unmarshal(text, &manifest))
	require.NotEmpty(t, manifest.Scripts[script], script)
}

// checkGo holds a call of go to naming a program or a benchmark that is there, and returns
// the directory of that.
func (b codeBlock) checkGo(t *testing.T, dir string, args []string) string {
	t.Helper()
	verb, args := args[0], args[1:]
	if verb == "get" {
		require.Equal(t, []string{module}, args, b.page)
		return dir
	}
	var bench, pkg string
	for len(args) > 0 && pkg == "" {
		switch value := args[min(1, len(args)-1)]; args[0] {
		case "-C":
			dir, args = path.Join(dir, value), args[2:]
		case "-run", "-benchtime", "-cpu":
			require.Equal(t, "test", verb, b.page)
			args = args[2:]
		case "-bench":
			bench, args = value, args[2:]
		default:
			require.NotEqual(t, '-', rune(args[0][0]), "%s: the flag %s of go %s is not known", b.page, args[0], verb)
			pkg, args = args[0], args[1:]
		}
	}
	dir = path.Join(dir, pkg)
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*.go"))
	require.NoError(t, err)
	var source strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		source.Write(text)
	}
	switch verb {
	case "run":
		require.Contains(t, source.String(), "func main() {", "%s: %s is no program", b.page, dir)
		for _, arg := range args {
			require.Contains(t, source.String(), `"`+arg+`"`, "%s: %s takes no %s", b.page, dir, arg)
		}
	case "test":
		want := `func Benchmark\w*` + bench
		if bench == "" {
			want = `func Test\w+`
		}
		require.Regexp(t, want, source.String(), "%s: %s has no such test", b.page, dir)
		for _, arg := range args {
			require.Contains(t, source.String(), `flag.Bool("`+strings.TrimPrefix(arg, "-")+`"`, "%s: the tests of %s take no %s", b.page, dir, arg)
		}
	default:
		require.Fail(t, "unknown", "%s: go %s", b.page, verb)
	}
	return dir
}

// checkVariables holds the variables that are set to being read: by the library, as it is configured by the
// others, or by the program in dir or the gateway.
func (b codeBlock) checkVariables(t *testing.T, set []string, dir string) {
	t.Helper()
	made := substitution.ReplaceAllString(strings.Join(set, " "), "0123456789abcdef")
	if !strings.Contains(made, "NEXT_AUTH_SSO_PROVIDERS=") {
		made += " NEXT_AUTH_SECRET=" + testSecret + " NEXT_AUTH_SSO_PROVIDERS=" + strings.Join(slices.Collect(maps.Keys(providers.All())), ",")
	}
	asked := askedFor(strings.ReplaceAll(made, `"`, ""))
	for _, one := range set {
		name, _, _ := strings.Cut(one, "=")
		require.True(t, slices.Contains(asked, name) || mentions(t, "examples/gateway", name) || dir != "" && mentions(t, dir, name), "%s: nothing reads %s", b.page, name)
	}
}

// mentions reports whether a source in dir, of Go or JavaScript, has name.
func mentions(t *testing.T, dir, name string) bool {
	t.Helper()
	for _, pattern := range []string{"*.go", "*.js"} {
		files, err := filepath.Glob(filepath.Join(filepath.FromSlash(dir), pattern))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			if regexp.MustCompile(`["'.]`+name+`\b`).Match(text) && !strings.HasSuffix(file, "_test.go") {
				return true
			}
		}
	}
	return false
}
