// Package envvar reads environment variables for functions that configure
// something from them: the FromEnv of a provider, of a backend, of a store.
//
// A [Reader] reads on after a problem, so that an operator learns of all of them
// at once, and each says which variable is wrong and what to do about it:
//
//	func FromEnv(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
//		r := envvar.NewReader(env)
//		c := Config{
//			Issuer:       r.Need("it is the server's address, such as https://git.example.com", "GITEA_ISSUER"),
//			ClientID:     r.Need("Gitea shows it under Applications", "GITEA_CLIENT_ID"),
//			ClientSecret: auth.NewSecret(r.Need("Gitea shows it once, when the application is made", "GITEA_CLIENT_SECRET")),
//			HTTPClient:   client,
//		}
//		if err := r.Err(); err != nil {
//			return nil, err
//		}
//		return New(c)
//	}
//
// No error holds a variable's value, which may be a secret.
package envvar

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Env reads one environment variable, as [os.Getenv] does. One that is set and
// empty counts as unset.
type Env func(name string) string

// First returns the first of names that is set, and its name. It reads all of them,
// so that whoever listens at e learns of every spelling that there is.
func (e Env) First(names ...string) (value, name string) {
	for _, n := range names {
		if v := e(n); v != "" && value == "" {
			value, name = v, n
		}
	}
	return value, name
}

// Error says which variable is wrong and what to do about it. Its text is one
// line for an operator.
type Error struct {
	Variable string // "AUTH0_ISSUER"
	Problem  string // "is not set"
	Cure     string // "set it to the issuer of your Auth0 tenant, such as https://example.eu.auth0.com/"
}

// Error is one sentence, without the value.
func (e *Error) Error() string { return "auth: " + e.Variable + " " + e.Problem + ": " + e.Cure }

// Reader reads variables and collects what is wrong with them. It is not safe for
// concurrent use.
type Reader struct {
	env Env
	err error
}

// NewReader returns a reader of env.
func NewReader(env Env) *Reader { return &Reader{env: env} }

// Err joins the problems met so far, each an [*Error]. It is nil where there is
// none.
func (r *Reader) Err() error { return r.err }

// Problem adds one that the caller found, or several that are joined.
func (r *Reader) Problem(err error) { r.err = errors.Join(r.err, err) }

// Get returns the first of names that is set, or "". Several names are spellings
// of one variable, the documented one first. White space and quotes around a value
// are a problem: see [Check].
func (r *Reader) Get(names ...string) string {
	value, name := r.env.First(names...)
	r.Problem(Check(name, value))
	return value
}

// First is [Env.First], for a value that may have white space around it or is looked
// at by the caller.
func (r *Reader) First(names ...string) (value, name string) { return r.env.First(names...) }

// Need is [Reader.Get] for what there is no way without. cure says what the value
// is and where to find it.
func (r *Reader) Need(cure string, names ...string) string {
	value := r.Get(names...)
	if value == "" {
		r.Problem(&Error{names[0], "is not set", cure})
	}
	return value
}

// Duration is [Reader.Get] for a length of time that is longer than none: a Go
// duration ("90m", "12h30m"), or days ("7d"). It is 0 where the variable is not set, and
// where it is no such length, which is a problem.
func (r *Reader) Duration(names ...string) time.Duration {
	value, name := r.First(names...)
	if value == "" {
		return 0
	}
	if err := Check(name, value); err != nil {
		r.Problem(err)
		return 0
	}
	d, err := time.ParseDuration(value)
	if days, ok := strings.CutSuffix(value, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d <= 0 {
		r.Problem(&Error{name, "is no length of time", "write it like 30m, 12h or 7d"})
		return 0
	}
	return d
}

// Names are those of environ, which is of the form of [os.Environ].
func Names(environ []string) []string {
	names := make([]string, 0, len(environ))
	for _, line := range environ {
		if name, _, ok := strings.Cut(line, "="); ok && name != "" {
			names = append(names, name)
		}
	}
	return names
}

// List is [Reader.Get] for a list: see [Split].
func (r *Reader) List(names ...string) []string { return Split(r.Get(names...)) }

// Check reports white space or quotes around a value, which can't be meant:
// `docker --env-file` leaves quotes, a secret mounted as a file a newline. The
// error is an [*Error], or nil.
func Check(name, value string) error {
	switch {
	case value == "":
		return nil
	case strings.TrimSpace(value) != value || strings.HasPrefix(value, "\ufeff"):
		return &Error{name, "begins or ends with white space", "remove it; a value from a file often ends with a newline"}
	case len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0]:
		return &Error{name, "is in quotes", "remove them; docker --env-file keeps quotes as part of the value"}
	}
	return nil
}

// Split splits a value at commas, the full-width one too, which a Chinese keyboard
// makes. It drops white space around entries and entries that are empty; it
// returns nil where nothing is left.
func Split(value string) (list []string) {
	for f := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == '，' }) {
		if f = strings.TrimSpace(f); f != "" {
			list = append(list, f)
		}
	}
	return list
}
