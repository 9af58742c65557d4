package auth

import (
	"fmt"

	"github.com/sallyport/auth/session"
)

// UserID returns what the application calls whose session s is: see
// [Config].UserID.
func (a *Authenticator) UserID(s *session.Session) string { return a.userID(s) }

// SubjectID is a [Config].UserID: the subject alone. With several ways to sign in,
// two people may have the same.
func SubjectID(s *session.Session) string { return s.Subject }

// ProviderSubjectID is a [Config].UserID: the provider's name, "|" and the subject,
// such as github|583231. No two people have the same. The name is empty for
// somebody whom Auth.js signed in.
func ProviderSubjectID(s *session.Session) string { return s.Provider + "|" + s.Subject }

// severalWays reports whether people can sign in in more than one way.
func (c *Config) severalWays() bool {
	count := len(c.Providers)
	for _, there := range []bool{c.AccessCode != nil, c.Backend != nil} {
		if there {
			count++
		}
	}
	return count > 1
}

// unique is the [Config].UserID that no two people share: with several ways in, two
// of them may know somebody by one subject.
func (c *Config) unique() func(*session.Session) string {
	if c.severalWays() {
		return ProviderSubjectID
	}
	return SubjectID
}

// naming is what the application calls people: [Config].UserID, and the claim in
// which a session says so to others, if that has a name.
type naming struct {
	claim  string
	userID func(*session.Session) string
}

func (n naming) check() error {
	if n.claim == "" {
		return nil
	}
	if err := new(session.Session).SetClaim(n.claim, ""); err != nil {
		return fmt.Errorf("auth: Config.UserIDClaim: %w", err)
	}
	return nil
}

// write has s say who it is.
func (n naming) write(s *session.Session) error {
	if n.claim == "" {
		return nil
	}
	return s.SetClaim(n.claim, n.userID(s))
}

// of is who s says that it is, if Auth.js began it.
func (n naming) of(s *session.Session) string {
	if n.claim != "" && s.Provider == "" {
		var id string
		if _, err := s.Claim(n.claim, &id); err == nil && id != "" {
			return id
		}
	}
	return n.userID(s)
}
