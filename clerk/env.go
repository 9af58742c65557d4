package clerk

import (
	"errors"
	"net/http"
	"slices"

	"github.com/sallyport/auth"
)

// FromEnv makes a backend of [ConfigFromEnv]. It is for [auth.Parts].Backend:
//
//	cfg, err := auth.ConfigFromEnv(os.Getenv, auth.Parts{Backend: clerk.FromEnv})
//
// client makes the calls of Clerk's API; if nil, one of our own. The errors are
// those of ConfigFromEnv and [New].
func FromEnv(env auth.Env, client *http.Client) (auth.Backend, error) {
	c, err := ConfigFromEnv(env)
	if err != nil {
		return nil, err
	}
	c.HTTPClient = client
	return New(c)
}

// ConfigFromEnv reads the variables of a Clerk application, for a program that sets
// more than these:
//
//	NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY   PublishableKey; or CLERK_PUBLISHABLE_KEY
//	CLERK_SECRET_KEY                    SecretKey
//	CLERK_JWT_KEY                       JWTKey, a PEM; may be empty
//	CLERK_AUTHORIZED_PARTIES            AuthorizedParties, with commas; may be empty
//
// Every problem is an [*auth.EnvError], joined. None contains a variable's value.
func ConfigFromEnv(env auth.Env) (Config, error) {
	var err error
	// Quotes around a value or white space at its ends are a mistake; not so in a PEM.
	get := func(names ...string) string {
		value, name := env.First(names...)
		err = errors.Join(err, auth.CheckEnvValue(name, value))
		return value
	}
	problem := func(name, problem, cure string) {
		err = errors.Join(err, &auth.EnvError{Variable: name, Problem: problem, Cure: cure})
	}
	c := Config{
		PublishableKey: get("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "CLERK_PUBLISHABLE_KEY"),
		SecretKey:      auth.NewSecret(get("CLERK_SECRET_KEY")),
		JWTKey:         env("CLERK_JWT_KEY"),
	}
	if parties := get("CLERK_AUTHORIZED_PARTIES"); parties != "" {
		c.AuthorizedParties = auth.SplitEnvList(parties)
		if slices.ContainsFunc(c.AuthorizedParties, func(o string) bool { return !isOrigin(o) }) {
			problem("CLERK_AUTHORIZED_PARTIES", "is not a list of origins", "write it like https://example.com,https://www.example.com")
		}
	}
	if _, e := parseKey(c.PublishableKey); e != nil {
		problem("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "is no publishable key", "copy it from Clerk's dashboard, API keys: pk_test_... or pk_live_...")
	}
	switch {
	case c.SecretKey.IsZero():
		problem("CLERK_SECRET_KEY", "is not set", "copy it from Clerk's dashboard, API keys: sk_test_... or sk_live_...")
	case !isSecretKey(c.SecretKey.Reveal()):
		problem("CLERK_SECRET_KEY", "is no secret key", "copy it from Clerk's dashboard, API keys: sk_test_... or sk_live_...")
	}
	if c.JWTKey != "" {
		if _, e := parsePEM(c.JWTKey); e != nil {
			problem("CLERK_JWT_KEY", "is no public key", "copy the PEM from Clerk's dashboard, API keys, JWKS public key")
		}
	}
	return c, err
}
