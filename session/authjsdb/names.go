package authjsdb

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// adapterNames are the tables and columns of @auth/pg-adapter.
var adapterNames = []string{
	"users", "users.id", "users.name", "users.email", "users.emailVerified", "users.image",
	"accounts", "accounts.userId", "accounts.type", "accounts.provider", "accounts.providerAccountId",
	"accounts.access_token", "accounts.expires_at", "accounts.refresh_token", "accounts.id_token", "accounts.scope", "accounts.token_type",
	"sessions", "sessions.sessionToken", "sessions.userId", "sessions.expires",
}

// Names are quoted where they are used, so that a word of SQL may be one.
var (
	columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)
	tableName  = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}$`)
)

// checkNames reports what of names is not to be replaced, or not with that.
func checkNames(names map[string]string) (err error) {
	for _, name := range slices.Sorted(maps.Keys(names)) {
		pattern, what := tableName, "a table, with or without a schema and a dot in front"
		if strings.Contains(name, ".") {
			pattern, what = columnName, "a column"
		}
		switch {
		case !slices.Contains(adapterNames, name):
			err = errors.Join(err, fmt.Errorf("authjsdb: Config.Names has %q: want one of %s", name, strings.Join(adapterNames, ", ")))
		case !pattern.MatchString(names[name]):
			err = errors.Join(err, fmt.Errorf("authjsdb: Config.Names has %q for %q: want %s, in letters, digits and underscores, at most 63", names[name], name, what))
		}
	}
	return err
}

// replacer puts the names of tables and columns, quoted, into statements that have
// {users} and {users.id} for them.
func replacer(names map[string]string) *strings.Replacer {
	var pairs []string
	for _, name := range adapterNames {
		own, ok := names[name]
		if !ok {
			own = name[strings.IndexByte(name, '.')+1:]
		}
		pairs = append(pairs, "{"+name+"}", `"`+strings.ReplaceAll(own, ".", `"."`)+`"`)
	}
	return strings.NewReplacer(pairs...)
}
