package fault

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// StepUp is a cause for which somebody has to sign in again, and how: what a provider can
// be asked for, and the client of an API told. It wraps [ErrSignInAgain].
type StepUp struct {
	MaxAge time.Duration // since the person showed who they are; 0 for any
	ACRs   []string      // classes of authentication, of which one has to be; nil for any
}

func (s *StepUp) Error() string {
	text := ErrSignInAgain.Error()
	if s.MaxAge > 0 {
		text += fmt.Sprintf(": the last time is more than %v ago", s.MaxAge)
	}
	if len(s.ACRs) > 0 {
		text += fmt.Sprintf(": acr is none of %q", s.ACRs)
	}
	return text
}

// Unwrap returns [ErrSignInAgain].
func (s *StepUp) Unwrap() error { return ErrSignInAgain }

// StepUpOf is all that err, of one rule, asks for, and nil where it asks for nothing that
// a provider can be told. Of two that [errors.Join] has put together, both count.
func StepUpOf(err error) *StepUp {
	var all StepUp
	all.gather(err)
	if all.MaxAge == 0 && all.ACRs == nil {
		return nil
	}
	return &all
}

func (s *StepUp) gather(err error) {
	switch e := err.(type) {
	case *StepUp:
		if e.MaxAge > 0 && (s.MaxAge == 0 || e.MaxAge < s.MaxAge) {
			s.MaxAge = e.MaxAge
		}
		if s.ACRs == nil {
			s.ACRs = e.ACRs
		}
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			s.gather(one)
		}
	case interface{ Unwrap() error }:
		s.gather(e.Unwrap())
	}
}

// Params are s as parameters of an authorization request: OpenID Connect Core 3.1.2.1.
func (s *StepUp) Params() url.Values {
	params := url.Values{}
	if s.MaxAge > 0 {
		params.Set("max_age", s.seconds())
	}
	if len(s.ACRs) > 0 {
		params.Set("acr_values", strings.Join(s.ACRs, " "))
	}
	return params
}

// Challenge is s as parameters of a challenge: RFC 9470 3.
func (s *StepUp) Challenge() string {
	text := `error="insufficient_user_authentication"`
	if len(s.ACRs) > 0 {
		text += `, acr_values="` + strings.Join(s.ACRs, " ") + `"`
	}
	if s.MaxAge > 0 {
		text += `, max_age="` + s.seconds() + `"`
	}
	return text
}

func (s *StepUp) seconds() string { return strconv.FormatInt(int64(s.MaxAge/time.Second), 10) }
