package auth

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// The claims of a session that say when and how the person has shown who they are, where
// the provider says so: see [Identity].
const (
	shownClaim = "provider_auth_time"
	acrClaim   = "acr"
	amrClaim   = "amr"
)

// RequireFresh is a [Rule] that wants a person who has shown who they are in the last
// maxAge, before a payment, say. Others sign in again and come back: their provider is
// asked for max_age and told to ask them (OpenID Connect Core 3.1.2.1), and a sign-in that
// is older all the same does not count. Clients of an API get 401 and the challenge of RFC
// 9470.
//
// What counts is the provider's word ([Identity].AuthTime). GitHub, Google and others say
// nothing of it; then it is when the person signed in here, which such a provider may have
// let them do without being asked.
//
// Two that are to be asked for at once, this and [RequireACR], are one Rule, whose error
// is [errors.Join] of theirs. RequireFresh panics if maxAge is less than a minute, by which
// the clocks of a provider and of this machine may differ.
func RequireFresh(maxAge time.Duration) Rule {
	if maxAge < time.Minute {
		panic(fmt.Sprintf("auth: RequireFresh: %v is less than a minute", maxAge))
	}
	return func(s *session.Session) error {
		if time.Since(shown(s)) > maxAge {
			return &fault.StepUp{MaxAge: maxAge}
		}
		return nil
	}
}

// shown is when the person of s has shown who they are. A provider's clock that is fast
// makes nobody's sign-in fresher than it is here.
func shown(s *session.Session) time.Time {
	var seconds int64
	said, err := s.Claim(shownClaim, &seconds)
	switch at := time.Unix(seconds, 0); {
	case err != nil:
		return time.Time{}
	case said && at.Before(s.AuthTime):
		return at
	}
	return s.AuthTime
}

// RequireACR is a [Rule] that wants a person who has signed in in one of the ways that
// values name, as their provider names them: its authentication context classes, such as
// "phr", "urn:example:mfa" or, at Keycloak, "2". Others sign in again and come back: their
// provider is asked for values, the first preferred (acr_values, OpenID Connect Core
// 3.1.2.1). Whoever comes back without one of them is refused. Clients of an API get 401
// and the challenge of RFC 9470.
//
// The class is in the session as the claim "acr", and the methods as "amr", as the ID token
// says. They are from no one else: sessions of [session.Config].Database have no claims, and
// nobody there passes.
//
// RequireACR panics without values, and where one is no text of visible ASCII without
// quotation marks and backslashes.
func RequireACR(values ...string) Rule {
	mustBeNames("RequireACR", values)
	values = slices.Clone(values)
	return func(s *session.Session) error {
		var acr string
		if _, err := s.Claim(acrClaim, &acr); err != nil || !slices.Contains(values, acr) {
			return &fault.StepUp{ACRs: values}
		}
		return nil
	}
}

// mustBeNames panics unless there are names, which can stand in a challenge with spaces
// between them.
func mustBeNames(caller string, names []string) {
	if len(names) == 0 {
		panic("auth: " + caller + ": no names would let nobody in")
	}
	for _, name := range names {
		if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }) {
			panic(fmt.Sprintf("auth: %s: %q cannot be one", caller, name))
		}
	}
}

// writeStrength has s know when and how the person has shown who they are.
func writeStrength(s *session.Session, id *Identity) error {
	for _, c := range [...]struct {
		name  string
		value any
		said  bool
	}{
		{shownClaim, id.AuthTime.Unix(), !id.AuthTime.IsZero()},
		{acrClaim, id.ACR, id.ACR != ""},
		{amrClaim, id.AMR, len(id.AMR) > 0},
	} {
		if c.said {
			if err := s.SetClaim(c.name, c.value); err != nil {
				return err
			}
		}
	}
	return nil
}
