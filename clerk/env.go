package clerk

import (
	"net/http"
	"slices"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
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
//	CLERK_CLOCK_SKEW                    ClockSkew, up to 1m; may be empty
//	AUTH_ALLOWED_EMAILS                 RequireProfiles, where it is set: [auth.ConfigFromEnv]
//	                                    makes a policy of it, which asks for addresses
//
// Every problem is an [*envvar.Error], joined. None contains a variable's value.
func ConfigFromEnv(env auth.Env) (Config, error) {
	r := envvar.NewReader(env)
	problem := func(name, problem, cure string) {
		r.Problem(&envvar.Error{Variable: name, Problem: problem, Cure: cure})
	}
	c := Config{
		PublishableKey: r.Get("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "CLERK_PUBLISHABLE_KEY"),
		SecretKey:      auth.NewSecret(r.Get("CLERK_SECRET_KEY")),
		JWTKey:         env("CLERK_JWT_KEY"), // a PEM may end with a line break

		RequireProfiles: env("AUTH_ALLOWED_EMAILS") != "",
	}
	c.ClockSkew = r.Duration("CLERK_CLOCK_SKEW")
	if c.ClockSkew > time.Minute {
		problem("CLERK_CLOCK_SKEW", "is more than a minute", "set it to 5s or a little more, and have the clock synchronized; a token of Clerk's lives for a minute")
	}
	if parties := r.Get("CLERK_AUTHORIZED_PARTIES"); parties != "" {
		c.AuthorizedParties = envvar.Split(parties)
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
	return c, r.Err()
}
