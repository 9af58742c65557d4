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

// told are the halves of [Lacking.Lacks]: what a policy asks for, and the variable that
// is the policy.
var told = []struct{ variable, what string }{
	{"AUTH_ALLOWED_EMAILS", "verified addresses"},
	{"AUTH_ALLOWED_GROUPS", "groups"},
}

// honoured refuses the policy of told[half] where it would let nobody in, for want of
// what the providers tell, and warns where that is so of some of them.
func (e *envReader) honoured(list []Provider, half int) {
	if len(list) < len(e.inUse) {
		return // another one may tell, once its problems are solved
	}
	var without, instead []string
	for _, p := range list {
		lacks := [2]bool{}
		if l, ok := p.(Lacking); ok {
			lacks[0], lacks[1] = l.Lacks()
		}
		if !lacks[half] {
			continue
		}
		without = append(without, p.Name())
		if other := told[1-half].variable; !lacks[1-half] && !slices.Contains(instead, other) {
			instead = append(instead, other)
		}
		for _, ending := range []string{"_ORGANIZATIONS", "_GROUPS_CLAIM"} {
			if name := "AUTH_" + variableID(p.Name()) + ending; half == 1 && e.knows(name) {
				instead = append(instead, name)
			}
		}
	}
	variable, what := told[half].variable, told[half].what
	switch {
	case len(without) == 0:
	case len(without) < len(list):
		for _, name := range without {
			e.log.Warn("auth: "+variable+" is set, and nobody enters by this provider, from which no "+what+" come", "provider", name)
		}
	default:
		cure := "sign people in with a provider that has them, or unset it"
		if instead != nil {
			cure = "say who may enter by " + strings.Join(instead, " or ") + ", or unset it"
		}
		e.problem(variable, "is set, and cannot be honoured: no "+what+" come from "+strings.Join(without, ", ")+", so that nobody could enter", cure)
	}
}

// knows reports whether something has asked for name.
func (e *envReader) knows(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked[name]
}
