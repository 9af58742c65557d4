package auth

import (
	"maps"
	"slices"
	"strings"
)

// restricting end the names of variables that say who may enter, or what of a provider
// is to be believed, behind AUTH_ and its id. Left unread they would let in whom they
// keep out.
var restricting = []string{"_ALLOWED_TENANTS", "_ORGANIZATIONS", "_GROUPS_CLAIM", "_ALGORITHMS"}

// widening end the names of others that a provider may know.
var widening = []string{"_TRUST_EMAIL", "_INTERNAL_URL", "_DISCOVERY_URL"}

const insecureHTTP = "AUTH_INSECURE_HTTP"

// elsewhere are the variables that a program may read beside this package.
var elsewhere = []string{
	insecureHTTP,
	"CLERK_WEBHOOK_SECRET", "CASDOOR_PORT", "CASDOOR_WEBHOOK_SECRET",
}

// listenAt is env, and remembers what is asked for.
func (e *envReader) listenAt(env Env) Env {
	return func(name string) string {
		e.mu.Lock()
		e.asked[name] = true
		e.mu.Unlock()
		return env(name)
	}
}

// unread deals with variables that are set, and that nothing has asked for. clerkKey is
// the variable that turns Clerk on, if one does.
func (e *envReader) unread(parts Parts, clerkKey string) {
	e.mu.Lock()
	asked := maps.Clone(e.asked)
	e.mu.Unlock()
	if asked[insecureHTTP] && e.env(insecureHTTP) != "" && truthy(e.env(insecureHTTP)) {
		e.log.Warn("auth: " + insecureHTTP + " is set: identity providers on private networks may be reached by http. Whoever is on the line reads codes and tokens, and can sign in as anybody")
	}
	ids := slices.Clone(e.inUse)
	for id := range parts.Providers {
		ids = append(ids, variableID(id))
	}
	names := []string{insecureHTTP}
	for _, id := range ids {
		for _, ending := range slices.Concat(restricting, widening) {
			names = append(names, "AUTH_"+id+ending)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return len(b) - len(a) }) // AUTH_A_B_ID is of a-b, not of a
	if parts.Names != nil {
		names = append(names, parts.Names()...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if asked[name] || e.env(name) == "" {
			continue
		}
		bare, ours := strings.CutPrefix(name, "AUTH_")
		i := slices.IndexFunc(ids, func(id string) bool { return strings.HasPrefix(bare, id+"_") })
		id := ""
		if i >= 0 {
			id = ids[i]
		}
		ends := func(endings []string) bool {
			return ours && slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(name, ending) })
		}
		why, cure := "nothing reads it", "unset it"
		switch {
		case clerkKey != "" && id != "":
			why = "people sign in with Clerk, and nothing else"
		case len(e.inUse) == 0 && id != "":
			why = "no SSO provider signs people in"
		case id != "" && !slices.Contains(e.inUse, id):
			why, cure = ssoNames[0]+" does not name that provider", "name it there, or unset the variable"
		case id != "" && (ends(restricting) || ends(widening)):
			why = "this provider does not read it"
		}
		switch {
		case ends(restricting):
			e.problem(name, "is set, and cannot be honoured: "+why, cure)
		case strings.HasPrefix(name, "AUTH_ALLOWED_"):
			e.problem(name, "is set, and nothing reads it"+e.meant(name, asked), "correct its name, or unset it; it looks as if it said who may enter")
		case ends(widening), name == insecureHTTP:
			e.log.Warn("auth: " + name + " is ignored: " + why)
		case slices.Contains(elsewhere, name):
		case ours && id != "" && !slices.Contains(e.inUse, id):
			e.log.Warn("auth: " + name + " is ignored: " + why)
		case ours, e.ofOneInUse(name, clerkKey):
			e.log.Warn("auth: " + name + " is set, and nothing reads it" + e.meant(name, asked))
		}
	}
}

// variableID is what variables call the provider id.
func variableID(id string) string { return strings.ToUpper(strings.ReplaceAll(id, "-", "_")) }

// ofOneInUse reports whether name begins with the name of a way in that is on.
func (e *envReader) ofOneInUse(name, clerkKey string) bool {
	if clerkKey != "" && (strings.HasPrefix(name, "CLERK_") || strings.HasPrefix(name, "NEXT_PUBLIC_CLERK_")) {
		return !slices.Contains(elsewhere, strings.TrimPrefix(name, "NEXT_PUBLIC_"))
	}
	for _, id := range e.inUse {
		if strings.HasPrefix(name, id+"_") {
			return true
		}
	}
	return false
}

// meant names the variable that is nearest to name, if one is near.
func (e *envReader) meant(name string, known map[string]bool) string {
	best, least := "", len(name)/3+1
	for _, candidate := range slices.Sorted(maps.Keys(known)) {
		if d := distance(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return "; there is " + best
}

// distance is how many letters have to be added, removed or changed to make b of a
// (Levenshtein's).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
