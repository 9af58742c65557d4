package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// Policy decides who, of those whom a provider vouches for, may sign in. It
// returns nil for yes and an error that wraps [ErrNotAllowed] for no; any other
// error means that it could not decide, which refuses too. It is called once for
// each sign-in, at each request of a [Backend]'s people, about once a minute for each access
// token, and is safe for concurrent use.
type Policy func(ctx context.Context, provider string, id *Identity) error

// AllowEmails lets those in whose verified e-mail address is in list, or whose
// domain is: "ada@example.com", "example.com", which may be written "@example.com" and
// "*@example.com" too. Addresses compare without case.
// An empty list is an error, for it would let nobody in.
func AllowEmails(list ...string) (Policy, error) {
	if len(list) == 0 {
		return nil, errors.New("auth: AllowEmails: the list is empty and would let nobody in")
	}
	var addresses, domains []string
	var err error
	for _, entry := range list {
		e := lowerASCII(strings.TrimPrefix(entry, "@"))
		if domain, ok := strings.CutPrefix(e, "*@"); ok && plainDomain(domain) {
			e = domain
		}
		switch local, domain, isAddress := strings.Cut(e, "@"); {
		case strings.Contains(e, "*"): // a pattern, which as an address would be nobody's
			err = errors.Join(err, fmt.Errorf("auth: AllowEmails: %q has a * in it: *@ before a domain is the only pattern, and means the domain", entry))
		case isAddress && plainLocal(local) && plainDomain(domain):
			addresses = append(addresses, e)
		case !isAddress && plainDomain(e):
			domains = append(domains, e)
		default:
			err = errors.Join(err, fmt.Errorf("auth: AllowEmails: %q is neither an e-mail address nor a domain", entry))
		}
	}
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, provider string, id *Identity) error {
		switch {
		case id.Email == "":
			return fmt.Errorf("%w: the provider gave no e-mail address", ErrNotAllowed)
		case !id.EmailVerified:
			return fmt.Errorf("%w: the provider has not verified the e-mail address; where the OpenID Connect issuer is your own, AUTH_%s_TRUST_EMAIL=1 (oidc.Config.TrustEmail) says that its addresses are right", ErrNotAllowed, variableID(provider))
		}
		e := lowerASCII(id.Email)
		local, domain, ok := strings.Cut(e, "@")
		if !ok || !plainLocal(local) || !plainDomain(domain) {
			return fmt.Errorf("%w: the e-mail address is not a plain one", ErrNotAllowed)
		}
		if slices.Contains(addresses, e) || slices.Contains(domains, domain) {
			return nil
		}
		return fmt.Errorf("%w: the e-mail address is not on the allow-list", ErrNotAllowed)
	}, nil
}

// AllowGroups lets the members of any of groups in, as the provider names them.
// An empty list is an error, for it would let nobody in. A session keeps groups longer
// than others; a policy that asks this one hands on its ctx for that. See
// [Config].KeepGroups.
func AllowGroups(groups ...string) (Policy, error) {
	if len(groups) == 0 {
		return nil, errors.New("auth: AllowGroups: the list is empty and would let nobody in")
	}
	return func(ctx context.Context, _ string, id *Identity) error {
		nameGroups(ctx, groups)
		for _, g := range id.Groups {
			if slices.Contains(groups, g) {
				return nil
			}
		}
		return fmt.Errorf("%w: not in any of the allowed groups", ErrNotAllowed)
	}, nil
}

// namedGroups are the groups that a policy names. A [Policy] is a function, which says
// nothing of itself; those of [AllowGroups] say it while they are asked, also from
// inside of another one that hands on its context.
type namedGroups struct {
	mu   sync.Mutex // guards list: a policy may ask others at once
	list []string
}

type namedGroupsKey struct{}

// in is ctx for a policy that says to n which groups it names.
func (n *namedGroups) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, namedGroupsKey{}, n)
}

// nameGroups says that a policy that ctx was handed to names groups.
func nameGroups(ctx context.Context, groups []string) {
	if n, ok := ctx.Value(namedGroupsKey{}).(*namedGroups); ok {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.list = slices.Concat(n.list, groups)
	}
}

// Rule decides whether a session is good enough for a route: nil for yes. An error is no,
// whatever it is, and says what the person gets:
//
//   - one that is an [http.Handler], or wraps one, answers the request itself, with a page
//     of the application, say. [FromContext] tells it who is refused.
//   - one that wraps [ErrSignInAgain] has a navigation sign in again and come back: at the
//     same provider, with a prompt that has it ask, where there is one ([Prompter]), or
//     else on the sign-in page. Whatever is no navigation gets what it would get if nobody
//     were signed in. Whoever comes back and is refused again gets 403, and so do a
//     [Backend]'s people, who sign in elsewhere. That somebody was asked anew, a provider
//     need not heed: what the rule wants, it has to find in the session, as
//     [RequireFresh] and [RequireACR] do, which also say to the provider what they want.
//   - one that wraps [ErrNotAllowed] is 403, a page that says so or JSON, and so is any
//     other.
//
// It is called for each request and is safe for concurrent use.
type Rule func(s *session.Session) error

// Identified is a [Rule] that wants a person who has signed in, and for whom a
// provider vouches. An access code says only that somebody knows it, and a program's
// token ([session.Session].Machine) not that the person is there for whom it acts.
func Identified(s *session.Session) error {
	switch {
	case s.Provider == AccessCode:
		return fmt.Errorf("%w: signed in with an access code, and this asks for a person", ErrNotAllowed)
	case s.Machine:
		return fmt.Errorf("%w: a program's token, and this asks for a person", ErrNotAllowed)
	}
	return nil
}

// plainLocal reports whether s is the part before the @ of an ordinary address.
// Quoted local parts, and whatever else lets one address be read as another, are
// not.
func plainLocal(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if !isLower(c) && !isDigit(c) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) < 0 {
			return false
		}
	}
	return true
}

// plainDomain reports whether s is a domain name in ASCII, with a dot.
func plainDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(s) > 253 || len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, c := range []byte(l) {
			if !isLower(c) && !isDigit(c) && c != '-' {
				return false
			}
		}
	}
	return true
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// lowerASCII leaves everything but A to Z alone: Unicode's lower case turns some
// other letters, the Kelvin sign for one, into ASCII.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

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
		now := s.AsOf
		if now.IsZero() {
			now = time.Now()
		}
		if now.Sub(shown(s)) > maxAge {
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

// scopeClaim says in a session for what an access token was issued.
const scopeClaim = "scope"

// RequireScope is a [Rule] that wants an access token for all of scopes. Others get 403
// with the challenge of RFC 6750, which names them. A person who has signed in here has
// given no token, and so is refused, unless Config.Enrich has set the claim "scope": names
// with spaces between them.
//
// It panics without scopes, and where one is no text of visible ASCII without quotation
// marks and backslashes.
func RequireScope(scopes ...string) Rule {
	mustBeNames("RequireScope", scopes)
	wanted := strings.Join(scopes, " ")
	return func(s *session.Session) error {
		var has string
		if _, err := s.Claim(scopeClaim, &has); err != nil || !covers(has, wanted) {
			return &fault.Scope{Wanted: wanted}
		}
		return nil
	}
}

// covers reports whether has, names with spaces between them, has all of wanted.
func covers(has, wanted string) bool {
	for scope := range strings.SplitSeq(wanted, " ") {
		if !strings.Contains(" "+has+" ", " "+scope+" ") {
			return false
		}
	}
	return true
}
