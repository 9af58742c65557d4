package auth

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/auth/envvar"
)

func (e *envReader) providers(parts Parts) []Provider {
	value, name := e.env.First(ssoNames...)
	unset := value == ""
	if unset {
		value, name = defaultProvider, ssoNames[0]
	}
	known := slices.Sorted(maps.Keys(parts.Providers))
	var list []Provider
	seen := map[string]bool{}
	for _, entry := range envvar.Split(value) {
		id, kind, several := strings.Cut(entry, ":")
		if !several {
			kind = id
		}
		factory, ok := parts.Providers[kind]
		switch {
		case !ok && unset:
			e.problem(name, "is not set, and its default, "+defaultProvider+", is none of this program's", "the known ones are "+strings.Join(known, ", "))
			continue
		case !ok:
			e.problem(name, "names the provider "+shownID(kind)+", which is not known", "the known ones are "+strings.Join(known, ", "))
			continue
		case seen[id]:
			e.problem(name, fmt.Sprintf("names the provider %q twice", id), "name it once")
			continue
		case id != kind && (!isInstance(id) || parts.Providers[id] != nil):
			e.problem(name, "has "+shownID(id)+" in front of a colon, which cannot be an id", "write it like corp:"+kind+", in lower-case letters, digits and hyphens, with an id that is not taken; its variables are then AUTH_CORP_ID and so on")
			continue
		}
		seen[id] = true
		e.inUse = append(e.inUse, variableID(id))
		p, err := factory(e.env, id, parts.HTTPClient)
		if err != nil {
			if unset {
				e.problem(name, "is not set, which means "+defaultProvider, "set it to the providers that you use, separated by commas; the known ones are "+strings.Join(known, ", "))
			}
			e.Problem(err)
			continue
		}
		if id != kind && p.Name() != id { // a factory that knows its own name alone
			e.problem(name, "has "+shownID(id)+" in front of a colon, and there can be no several of "+kind, "name it as "+kind)
			continue
		}
		list = append(list, p)
	}
	if len(list) == 0 && e.Err() == nil {
		e.problem(name, "names no provider", "the known ones are "+strings.Join(known, ", "))
	}
	return list
}

var instanceID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// isInstance reports whether id can be that of one of several providers of a kind: a
// provider's name, whose variables are nobody else's.
func isInstance(id string) bool {
	return instanceID.MatchString(id) && len(id) <= 40 && !slices.Contains([]string{AccessCode, "allowed", "brand", "insecure", "session", "trust", "user"}, id)
}

// shownID is id for an error, unless it looks like more than an id: a whole file that
// somebody pasted into the variable, with the secrets in it.
func shownID(id string) string {
	if len(id) > 40 || strings.ContainsAny(id, "=\r\n") {
		return fmt.Sprintf("%.8q...", id)
	}
	return strconv.Quote(id)
}

// OpenDoor is a [Provider] that anybody in the world can get an account with,
// so that a policy is called for.
type OpenDoor interface {
	AnyoneMayEnter() bool
}
