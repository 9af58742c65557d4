package main

import (
	"errors"
	"net/http"
	"strings"

	"github.com/sallyport/auth/envvar"
)

// options are the gateway's own settings that have to do with requests.
type options struct {
	open        openPaths
	keepSession bool // whether the application gets the session's cookies too
}

// readOptions reads GATEWAY_OPEN_PATHS and GATEWAY_KEEP_SESSION. Each error is an
// [*envvar.Error].
func readOptions(env envvar.Env) (options, error) {
	open, err := readOpenPaths(env("GATEWAY_OPEN_PATHS"))
	o := options{open: open}
	switch env("GATEWAY_KEEP_SESSION") {
	case "", "0":
	case "1":
		o.keepSession = true
	default:
		err = errors.Join(err, &envvar.Error{Variable: "GATEWAY_KEEP_SESSION", Problem: "is neither 0 nor 1", Cure: "set it to 1 for an application that reads the session itself, with the same secret, or unset it"})
	}
	return o, err
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
