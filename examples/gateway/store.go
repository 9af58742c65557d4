package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/session"
)

const storeVariable = "SESSION_STORE_URL"

// sessionStore is where sessions are kept. The zero value is in cookies.
type sessionStore struct {
	session.Replacer
	migrate func(context.Context) error // makes the tables; nil where there are none to make
	close   func()
}

// openStore returns the store that raw, of SESSION_STORE_URL, names. It asks the store
// nothing yet. The error is an [*envvar.Error].
func openStore(raw string, logger *slog.Logger) (sessionStore, error) {
	if err := envvar.Check(storeVariable, raw); raw == "" || err != nil {
		return sessionStore{}, err
	}
	scheme, rest, _ := strings.Cut(raw, ":")
	switch scheme {
	case "redis", "rediss":
		return openRedis(raw)
	case "postgres", "postgresql":
		return openPostgreSQL(raw, logger)
	case "sqlite":
		return openSQLite(rest, logger)
	case "memory":
		if rest == "" {
			store := session.NewMemoryStore(0, nil)
			return sessionStore{Replacer: store, close: func() { _ = store.Close() }}, nil
		}
	}
	return sessionStore{}, storeProblem("names no store that there is", "write it like redis://user:password@redis.internal:6379/0, postgres://user:password@db.internal:5432/app, sqlite:/var/lib/gateway/sessions.db or memory:")
}

// use has the sessions of config kept in s. The error is an [*envvar.Error].
func (s sessionStore) use(config *auth.Config, strategy string) error {
	switch {
	case s.Replacer == nil:
		return nil
	case config.Backend != nil:
		return storeProblem("is set, and people sign in with Clerk, which keeps their sessions", "unset it")
	case strategy == "jwt":
		return storeProblem("is set, and NEXT_AUTH_SSO_SESSION_STRATEGY is jwt, which keeps sessions in cookies", "unset one of the two")
	}
	config.Session.Store = s.Replacer
	return nil
}

// accessCode is [accesscode.FromEnv], and all gateways with the same store count wrong codes
// together.
func (s sessionStore) accessCode(env auth.Env, secrets []auth.Secret, log *slog.Logger) (auth.CodeVerifier, error) {
	c, err := accesscode.ConfigFromEnv(env, secrets, log)
	if err != nil {
		return nil, err
	}
	c.Store = s.Replacer
	return accesscode.New(c)
}

// storeProblem is given neither the URL nor what a parser says of it: either may have
// the password in it.
func storeProblem(problem, cure string) error {
	return &envvar.Error{Variable: storeVariable, Problem: problem, Cure: cure}
}

// checkPassword reports a password that would end early, at a character that stands for
// something else in a URL. The rest of it would be taken for a host, a database or an
// option, which the errors of drivers show.
func checkPassword(raw string) error {
	_, rest, _ := strings.Cut(raw, "://")
	end := strings.IndexAny(rest, "/?")
	if strings.Contains(rest, "#") || strings.Count(rest, "@") > 1 || end >= 0 && strings.Index(rest, "@") > end {
		return storeProblem("has a character that a URL cannot have there", "percent-encode the password: @ is %40, # is %23, / is %2F, ? is %3F, : is %3A, % is %25")
	}
	return nil
}
