package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/auth/envvar"
)

// options are the gateway's own settings that have to do with requests.
type options struct {
	routes      routes
	open        openPaths
	rules       *rules // nil for none: then open, and everybody who is signed in
	keepSession bool   // whether the application gets the session's cookies too
	preflight   bool   // whether CORS preflight requests reach the application
	plain       bool   // whether identity goes in headers of its own
	tokens      *identityTokens
	unbuffered  bool   // whether a line about a request is written at once
	adminAddr   string // where /metrics and /readyz are; "" for /readyz with the rest
	trusted     []string
}

// readOptions reads the variables that begin with GATEWAY_; publicURL is that of the
// routes. Each error is an [*envvar.Error].
func readOptions(env envvar.Env, publicURL string) (options, error) {
	o := options{routes: routesOf(publicURL), adminAddr: env(adminVariable)}
	var errs [8]error
	o.open, errs[0] = readOpenPaths(env("GATEWAY_OPEN_PATHS"))
	o.rules, errs[1] = readRules(env(rulesVariable), o.routes.own)
	if o.rules != nil && o.open != nil {
		errs[2] = rulesProblem("is set beside GATEWAY_OPEN_PATHS", "write those paths into the file, each with open")
	}
	o.keepSession, errs[3] = readSwitch(env, "GATEWAY_KEEP_SESSION", "set it to 1 for an application that reads the session itself, with the same secret, or unset it")
	o.preflight, errs[4] = readSwitch(env, "GATEWAY_PASS_PREFLIGHT", "set it to 1 for an application that answers CORS preflight requests itself, or unset it")
	o.plain, o.tokens, errs[5] = readIdentity(env, publicURL)
	errs[6] = checkAdminAddr(o.adminAddr)
	o.unbuffered, errs[7] = readSwitch(env, "GATEWAY_LOG_UNBUFFERED", "set it to 1 to have each line about a request written by itself, or unset it")
	return o, errors.Join(errs[:]...)
}

func readSwitch(env envvar.Env, name, cure string) (on bool, err error) {
	switch env(name) {
	case "", "0":
		return false, nil
	case "1":
		return true, nil
	}
	return false, &envvar.Error{Variable: name, Problem: "is neither 0 nor 1", Cure: cure}
}

// routes is the path of the routes of sign-in, without a slash at the end.
type routes string

func routesOf(publicURL string) routes {
	u, err := url.Parse(publicURL)
	if err != nil || strings.Trim(u.Path, "/") == "" {
		return "/api/auth"
	}
	return routes(strings.TrimSuffix(u.Path, "/"))
}

// is reports whether path is name below the routes, whether or not a proxy in front
// has taken the site's prefix off.
func (s routes) is(path, name string) bool {
	bare, ok := strings.CutSuffix(path, name)
	return ok && (bare == string(s) || bare == "/api/auth" && strings.HasSuffix(string(s), bare))
}

// own reports whether the gateway answers path itself, and nobody else.
func (s routes) own(path string) bool {
	for _, base := range [...]string{string(s), "/api/auth"} {
		if (path == base || strings.HasPrefix(path, base+"/")) && strings.HasSuffix(string(s), base) {
			return true
		}
	}
	return path == "/healthz" || path == "/readyz"
}

// openPaths need no sign-in. One with a slash at the end stands for all below it too.
type openPaths []string

func readOpenPaths(list string) (openPaths, error) {
	open := openPaths(envvar.Split(list))
	for _, path := range open {
		if path == "/" || !plain(path) {
			return nil, &envvar.Error{Variable: "GATEWAY_OPEN_PATHS", Problem: "is not a list of paths", Cure: "write it like /manifest.json,/icons/ with letters, digits and -._~@+ alone; / would open everything"}
		}
	}
	return open, nil
}

// lets reports whether r may go to the application although nobody is signed in: to
// read, and where its path is spelled as on the list. Whatever an application might
// read as another path, because of an encoded letter, a dot segment, a parameter
// (/icons/..;/admin) or a slash too many, is not opened, wherever it begins.
func (open openPaths) lets(r *http.Request) bool {
	if len(open) == 0 || r.Method != "GET" && r.Method != "HEAD" || r.Header.Get("Upgrade") != "" {
		return false
	}
	// As it was sent: URL.Path has lost its encoding.
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if path != r.URL.Path || !plain(path) {
		return false
	}
	for _, one := range open {
		if path == one || strings.HasSuffix(one, "/") && strings.HasPrefix(path, one) {
			return true
		}
	}
	return false
}

// plain reports whether everybody reads path in one way. An empty segment is allowed at
// the end only.
func plain(path string) bool {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return false
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(rest, "/"), "/") {
		if segment == "" && rest != "" || segment == "." || segment == ".." {
			return false
		}
	}
	return !strings.ContainsFunc(rest, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("/-._~@+", c)
	})
}
