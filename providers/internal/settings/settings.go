// Package settings reads a provider's variables and collects what is wrong
// with them.
package settings

import (
	"errors"

	"github.com/sallyport/auth"
)

// Reader reads variables. Err joins the problems that it met, each an
// [*auth.EnvError].
type Reader struct {
	env auth.Env
	Err error
}

// New reads from env.
func New(env auth.Env) *Reader { return &Reader{env: env} }

// Get returns the first of names that is set, or "".
func (r *Reader) Get(names ...string) string {
	value, name := r.env.First(names...)
	if err := auth.CheckEnvValue(name, value); err != nil {
		r.Err = errors.Join(r.Err, err)
	}
	return value
}

// Need is Get for what a provider cannot do without. cure says what the value is
// and where to find it.
func (r *Reader) Need(cure string, names ...string) string {
	value := r.Get(names...)
	if value == "" {
		r.Err = errors.Join(r.Err, &auth.EnvError{Variable: names[0], Problem: "is not set", Cure: cure})
	}
	return value
}
