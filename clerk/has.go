package clerk

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/sallyport/auth/internal/strictjson"
)

// Ask is what [Claims.Has] is asked for. Everything that is set must hold. The zero
// value asks for nothing, which nobody has.
type Ask struct {
	// Role is the person's in the active organization: "org:admin" or "admin".
	Role string

	// Permission is one that the person has there: "org:invoices:create".
	Permission string

	// Feature is one of the organization's or the person's plan: "reports".
	// "org:reports" or "user:reports" says whose.
	Feature string

	// Plan is the organization's or the person's: "pro", "org:pro", "user:pro".
	Plan string

	// Reverification is how recently the person proved who they are: [Strict] or one
	// of its like. If nil, any time.
	Reverification *Reverification
}

// Level says which of a person's factors have to be fresh.
type Level string

// The levels. Who has no second factor is asked for the first, so that none of them
// makes anybody enrol one.
const (
	// FirstFactor is what somebody signs in with: a password, a passkey, a code by
	// e-mail.
	FirstFactor Level = "first_factor"

	// SecondFactor is what they show besides: an authenticator's code, one by SMS.
	SecondFactor Level = "second_factor"

	// MultiFactor is both.
	MultiFactor Level = "multi_factor"
)

// Reverification is a freshness that is asked for: Clerk's "reverification", or
// step-up authentication.
type Reverification struct {
	// Level says which factors have to be fresh.
	Level Level `json:"level"`

	// AfterMinutes is the age from which a factor is no longer fresh. 0 and less is
	// malformed, and held by nobody.
	AfterMinutes int `json:"afterMinutes"`
}

// The freshnesses that Clerk has names for. They are not to be changed.
var (
	// StrictMFA is both factors within 10 minutes.
	StrictMFA = Reverification{MultiFactor, 10}

	// Strict is the second factor within 10 minutes.
	Strict = Reverification{SecondFactor, 10}

	// Moderate is the second factor within an hour.
	Moderate = Reverification{SecondFactor, 60}

	// Lax is the second factor within a day.
	Lax = Reverification{SecondFactor, 1440}
)

// Has reports whether everything that a asks for holds, as Clerk's has() does.
// Asking for nothing, and whatever is malformed, is a no; so is a pending session,
// and a nil c, which is what the State of a program has.
//
// The answer is as old as the token: a role that was taken away at Clerk is there
// until the next one, a minute later.
func (c *Claims) Has(a Ask) bool {
	if c == nil || c.UserID == "" || c.Pending || a == (Ask{}) {
		return false
	}
	return (a.Role == "" || c.hasRole(a.Role)) &&
		(a.Permission == "" || c.hasPermission(a.Permission)) &&
		(a.Feature == "" || c.entitled("fea", a.Feature)) &&
		(a.Plan == "" || c.entitled("pla", a.Plan)) &&
		(a.Reverification == nil || c.fresh(*a.Reverification))
}

// withOrg is name with "org:" in front, once.
func withOrg(name string) string {
	for strings.HasPrefix(name, "org:") {
		name = name[len("org:"):]
	}
	return "org:" + name
}

// hasRole is about the active organization, and nobody has one without it.
func (c *Claims) hasRole(role string) bool {
	return c.OrganizationID != "" && c.OrganizationRole != "" && withOrg(c.OrganizationRole) == withOrg(role)
}

// hasPermission is about the active organization too.
func (c *Claims) hasPermission(permission string) bool {
	return c.OrganizationID != "" && slices.Contains(c.permissions(), withOrg(permission))
}

// permissions are those in the active organization. In version 1 of Clerk's tokens
// they are a list. In version 2 the i-th number of "fpm" says with its bits which of
// "per" the i-th feature of the organization has:
//
//	"fea": "o:invoices,u:export,o:reports"
//	"o":   {"per": "read,create,delete", "fpm": "3,4"}
//
//	         bit 0   bit 1    bit 2
//	invoices read    create   -         3: org:invoices:read, org:invoices:create
//	reports  -       -        delete    4: org:reports:delete
//
// The person's own features, "u:", are not counted. clerk-sdk-go counts them, and so
// gives the bits to other features.
func (c *Claims) permissions() (list []string) {
	if version, _ := strictjson.Int(c.raw("v")); version != 2 {
		list, _ = strictjson.Strings(c.raw("org_permissions"))
		return list
	}
	o := c.raw("o")
	per, _ := strictjson.String(strictjson.Member(o, "per"))
	fpm, _ := strictjson.String(strictjson.Member(o, "fpm"))
	features, _, ok := c.scoped("fea")
	if !ok || per == "" || fpm == "" {
		return nil
	}
	names := strings.Split(per, ",")
	for i, number := range strings.Split(fpm, ",") {
		bits, ok := decimal(strings.TrimSpace(number))
		if i >= len(features) {
			break
		}
		for j, name := range names {
			if ok && bits.Bit(j) == 1 {
				list = append(list, "org:"+features[i]+":"+strings.TrimSpace(name))
			}
		}
	}
	return list
}

// decimal reads digits only, and not too many of them. There may be more features
// than an int has bits.
func decimal(s string) (*big.Int, bool) {
	if s == "" || len(s) > 400 || strings.Trim(s, "0123456789") != "" {
		return nil, false
	}
	return new(big.Int).SetString(s, 10)
}

// scoped splits "o:reports,u:export,ou:both" into those of the organization and
// those of the person.
func (c *Claims) scoped(claim string) (organization, person []string, ok bool) {
	text := c.string(claim)
	if text == "" {
		return nil, nil, true
	}
	for part := range strings.SplitSeq(text, ",") {
		scope, name, found := strings.Cut(strings.TrimSpace(part), ":")
		if !found {
			return nil, nil, false
		}
		if scope == "o" || scope == "ou" || scope == "uo" {
			organization = append(organization, name)
		}
		if scope == "u" || scope == "ou" || scope == "uo" {
			person = append(person, name)
		}
	}
	return organization, person, true
}

// entitled looks for a feature in "fea" or a plan in "pla": the organization's, the
// person's or either's.
func (c *Claims) entitled(claim, asked string) bool {
	organization, person, ok := c.scoped(claim)
	scope, name, explicit := strings.Cut(asked, ":")
	switch {
	case !ok || explicit && name == "":
		return false
	case !explicit:
		return slices.Contains(organization, asked) || slices.Contains(person, asked)
	}
	switch scope {
	case "o", "org", "organization":
		return slices.Contains(organization, name)
	case "u", "user":
		return slices.Contains(person, name)
	}
	return false
}

// fresh reads "fva": how many minutes ago the first and the second factor were
// verified, -1 for one that the person does not have. A claim that is missing is a
// no; clerk-sdk-go takes it for fresh.
func (c *Claims) fresh(r Reverification) bool {
	var ages []*float64
	if json.Unmarshal(c.Raw("fva"), &ages) != nil || len(ages) != 2 || r.AfterMinutes <= 0 {
		return false
	}
	for _, a := range ages {
		if a == nil || math.IsInf(*a, 0) || *a != -1 && *a < 0 {
			return false
		}
	}
	hasFirst, hasSecond := *ages[0] != -1, *ages[1] != -1
	first := hasFirst && *ages[0] < float64(r.AfterMinutes)
	second := hasSecond && *ages[1] < float64(r.AfterMinutes)
	switch r.Level {
	case FirstFactor:
		return first
	case SecondFactor:
		return second || !hasSecond && first
	case MultiFactor:
		return first && (second || !hasSecond)
	}
	return false
}

// ReverificationError is the JSON body with which a handler answers 403, so that
// Clerk's components in the browser ask the person to verify again, and then repeat
// the request: their useReverification. Its Content-Type is application/json.
func ReverificationError(r Reverification) []byte {
	type metadata struct {
		Reverification Reverification `json:"reverification"`
	}
	type problem struct {
		Type     string   `json:"type"`
		Reason   string   `json:"reason"`
		Metadata metadata `json:"metadata"`
	}
	body, err := json.Marshal(struct {
		Error problem `json:"clerk_error"`
	}{problem{"forbidden", "reverification-error", metadata{r}}})
	if err != nil {
		panic(err) // nothing in it has no form in JSON
	}
	return body
}
