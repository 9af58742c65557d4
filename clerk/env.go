package clerk

import (
	"net/http"
	"slices"
	"strings"
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
//	CLERK_MACHINE_SECRET_KEY            MachineSecretKey; may be empty
//	CLERK_JWT_KEY                       JWTKey, a PEM; may be empty
//	CLERK_AUTHORIZED_PARTIES            AuthorizedParties, with commas; may be empty
//	CLERK_CLOCK_SKEW                    ClockSkew, up to 1m; may be empty
//	CLERK_SIGN_IN_URL                   SignInURL; may be empty
//	CLERK_SIGN_UP_URL                   SignUpURL; may be empty
//	CLERK_PROXY_URL                     ProxyURL, an address or a path; may be empty
//	CLERK_IS_SATELLITE                  Satellite: true or false; may be empty
//	CLERK_DOMAIN                        Domain, of a satellite; may be empty
//	AUTH_ALLOWED_EMAILS                 RequireProfiles, where it is set: [auth.ConfigFromEnv]
//	                                    makes a policy of it, which asks for addresses
//
// The last five may have NEXT_PUBLIC_ in front, which counts before the name without.
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

		MachineSecretKey: auth.NewSecret(r.Get("CLERK_MACHINE_SECRET_KEY")),

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
	if !c.MachineSecretKey.IsZero() && !isMachineKey(c.MachineSecretKey.Reveal()) {
		problem("CLERK_MACHINE_SECRET_KEY", "is no machine's secret key", "copy it from Clerk's dashboard, Machines: ak_...; or unset it")
	}
	if c.JWTKey != "" {
		if _, e := parsePEM(c.JWTKey); e != nil {
			problem("CLERK_JWT_KEY", "is no public key", "copy the PEM from Clerk's dashboard, API keys, JWKS public key")
		}
	}
	either := func(name string) (value, used string) {
		value = r.Get("NEXT_PUBLIC_"+name, name)
		if _, used = r.First("NEXT_PUBLIC_"+name, name); used == "" {
			used = name
		}
		return value, used
	}
	var name string
	if c.SignInURL, name = either("CLERK_SIGN_IN_URL"); !isPage(c.SignInURL) {
		problem(name, "is no page", "write it like https://example.com/sign-in, or /sign-in for a page of this site")
	}
	signIn := name
	if c.SignUpURL, name = either("CLERK_SIGN_UP_URL"); !isPage(c.SignUpURL) {
		problem(name, "is no page", "write it like https://example.com/sign-up, or /sign-up for a page of this site")
	}
	if c.ProxyURL, name = either("CLERK_PROXY_URL"); !isProxy(c.ProxyURL) {
		problem(name, "is no https address and no path", "write it like https://example.com/__clerk, or /__clerk for a path of this site")
	}
	satellite, name := either("CLERK_IS_SATELLITE")
	switch satellite {
	case "true", "1":
		c.Satellite = true
	case "", "false", "0":
	default:
		problem(name, "is neither true nor false", "set it to true for a satellite domain, or unset it")
	}
	if c.Domain, name = either("CLERK_DOMAIN"); !isDomain(c.Domain) {
		problem(name, "is no domain", "write it like example.com, without https:// in front")
	}
	if !c.Satellite {
		return c, r.Err()
	}
	if c.Domain == "" && c.ProxyURL == "" {
		problem(name, "is not set, and this is a satellite domain", "set it to this site's domain, like example.net; or set CLERK_PROXY_URL")
	}
	if onItself(c.SignInURL, c.Domain, c.ProxyURL) {
		problem(signIn, "is on the satellite domain itself", "write the address of the primary domain's page, like https://example.com/sign-in")
	}
	if !isElsewhere(c.SignInURL) && (c.SignInURL != "" || strings.HasPrefix(c.PublishableKey, "pk_test_")) {
		problem(signIn, "is no page of the primary domain, and this is a satellite domain", "write the whole of it, like https://example.com/sign-in")
	}
	return c, r.Err()
}
