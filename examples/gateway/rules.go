package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/sallyport/auth/envvar"
)

const (
	rulesVariable = "GATEWAY_RULES"
	maxRules      = 1 << 20 // of the file, in bytes
)

// access says who may go to a path. The zero value is everybody who is signed in, and
// any other that is not open names groups, separated by commas.
type access string

const open access = "*"

// rules say who may go where: a pattern of [http.ServeMux] a line, and the access.
type rules struct {
	exact, folded *patterns
}

// patterns are those of the rules, as they stand there or with the case of letters
// taken away.
type patterns struct {
	mux *http.ServeMux
	all map[string]access
}

// add reports whether pattern can be one, beside those that are there already.
func (p *patterns) add(pattern string, who access) (ok bool) {
	defer func() { ok = recover() == nil }() // the mux panics at one that cannot
	p.mux.Handle(pattern, http.NotFoundHandler())
	p.all[pattern] = who
	return
}

// of is the access of the pattern that is closest to path, or the zero value.
func (p *patterns) of(method, path string) access {
	_, pattern := p.mux.Handler(&http.Request{Method: method, URL: &url.URL{Path: path}})
	return p.all[pattern]
}

// fold takes the case of letters away.
func fold(path string) string { return strings.ToLower(strings.ToUpper(path)) }

// of is who may have what r asks for. ok is false where the application may take r for
// something else than the gateway does, with another access: by its path, by the case of
// letters, or by a slash at its end.
func (s *rules) of(r *http.Request) (who access, ok bool) {
	if !readsOneWay(r.URL) || r.Method != strings.ToUpper(r.Method) {
		return "", false
	}
	path := r.URL.Path
	who = s.exact.of(r.Method, path)
	if s.folded.of(r.Method, fold(path)) != who {
		return "", false
	}
	bare := strings.TrimSuffix(path, "/")
	return who, bare == "" || s.folded.of(r.Method, fold(bare)) == who
}

// groups are all that a rule names.
func (s *rules) groups() (list []string) {
	if s == nil {
		return nil
	}
	for _, who := range s.exact.all {
		if who != "" && who != open {
			list = append(list, strings.Split(string(who), ",")...)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// readRules reads the file of GATEWAY_RULES. It is nil where that is not set. own
// reports whether the gateway answers a path itself. The error joins every line's, each
// an [*envvar.Error].
func readRules(name string, own func(path string) bool) (*rules, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, unreadable(err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxRules+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if len(text) > maxRules {
		return nil, rulesProblem("names a file of more than a megabyte", "set it to a text file with a path and who may see it in each line")
	}
	return parseRules(string(text), own)
}

func unreadable(err error) error {
	problem := "names a file that does not exist"
	if at := (*fs.PathError)(nil); !errors.Is(err, fs.ErrNotExist) && errors.As(err, &at) {
		problem = fmt.Sprintf("names a file that cannot be read (%v)", at.Err)
	}
	return rulesProblem(problem, "set it to a text file with a path and who may see it in each line")
}

func rulesProblem(problem, cure string) error {
	return &envvar.Error{Variable: rulesVariable, Problem: problem, Cure: cure}
}

func parseRules(text string, own func(path string) bool) (*rules, error) {
	s := &rules{exact: &patterns{http.NewServeMux(), map[string]access{}}, folded: &patterns{http.NewServeMux(), map[string]access{}}}
	var errs []error
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if problem, cure := s.add(line, own); problem != "" {
			errs = append(errs, rulesProblem(fmt.Sprintf("has line %d, %s", n, problem), cure))
		}
	}
	if len(errs) == 0 && len(s.exact.all) == 0 {
		errs = append(errs, rulesProblem("names a file without a rule", "write a line like /admin/ groups: admins, or unset the variable"))
	}
	return s, errors.Join(errs...)
}

// add reads one line. problem is empty where it is a rule.
func (s *rules) add(line string, own func(path string) bool) (problem, cure string) {
	method, rest := "", line
	if line[0] != '/' {
		method, rest = cutBlank(line)
	}
	path, words := cutBlank(rest)
	if !strings.HasPrefix(path, "/") || method != strings.ToUpper(method) {
		return "which does not begin with a path", "write it like /admin/ groups: admins, or GET /icons/ open"
	}
	who, ok := readAccess(words)
	if !ok {
		return "which does not say who may see its path", "end it with open, signed-in, or groups: and the groups, separated by commas"
	}
	literal, _, _ := strings.Cut(path, "{")
	if own(literal) {
		return "whose path the gateway answers itself", "take the line out"
	}
	if !readsOneWay(&url.URL{Path: path}) {
		return "whose path no request can have", "write it decoded, without dots, parameters and empty segments, as /a/b"
	}
	before, after := "", path
	if method != "" {
		before = method + " "
	}
	alone := patterns{http.NewServeMux(), map[string]access{}}
	if !alone.add(before+after, who) {
		return "whose path is no pattern", "write it like /a/b for one path, /a/ for all below, /a/{name}/b for any segment, /a/{$} for /a/ alone"
	}
	if !s.exact.add(before+after, who) || !s.folded.add(before+fold(after), who) {
		return "which has the same paths as a line above, or some of them, by the case of letters perhaps", "join the two, or make one a part of the other"
	}
	return "", ""
}

func readAccess(words string) (who access, ok bool) {
	switch words {
	case "open":
		return open, true
	case "signed-in":
		return "", true
	}
	list, ok := strings.CutPrefix(words, "groups:")
	groups := envvar.Split(list)
	if !ok || len(groups) == 0 || slices.Contains(groups, string(open)) {
		return "", false
	}
	slices.Sort(groups)
	return access(strings.Join(slices.Compact(groups), ",")), true
}

// cutBlank cuts at the first white space, and what follows that.
func cutBlank(s string) (before, after string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}
