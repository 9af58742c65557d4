package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport/auth/internal/web"
	"github.com/sallyport/auth/session"
)

// Env reads one environment variable, as [os.Getenv] does. One that is set and
// empty counts as unset.
type Env func(name string) string

// First returns the first of names that is set, and its name.
func (e Env) First(names ...string) (value, name string) {
	for _, n := range names {
		if v := e(n); v != "" {
			return v, n
		}
	}
	return "", ""
}

// ProviderFactory makes a provider from the environment. id is the name under
// which the operator asked for it. It reports every missing or malformed variable,
// joined, each as an [*EnvError].
type ProviderFactory func(env Env, id string, client *http.Client) (Provider, error)

// CodeFactory makes a gate of ACCESS_CODE. secrets are those of the sessions.
type CodeFactory func(env Env, secrets []Secret, log *slog.Logger) (CodeVerifier, error)

// BackendFactory makes a backend of Clerk's variables.
type BackendFactory func(env Env, client *http.Client) (Backend, error)

// Parts are what [ConfigFromEnv] may use, so that a program links only what it
// names.
type Parts struct {
	Providers  map[string]ProviderFactory // by the id that the environment uses: providers.All(), or fewer
	Backend    BackendFactory             // clerk.FromEnv. If nil, Clerk's variables are an error
	AccessCode CodeFactory                // accesscode.FromEnv. If nil, ACCESS_CODE lets nobody in
	Store      session.Store              // for NEXT_AUTH_SSO_SESSION_STRATEGY=database
	HTTPClient *http.Client               // for the providers' calls. If nil, the default
	Logger     *slog.Logger               // receives warnings. If nil, slog.Default
}

// EnvError says which variable is wrong and what to do about it.
type EnvError struct {
	Variable string // "AUTH0_ISSUER"
	Problem  string // "is not set"
	Cure     string // "set it to the issuer of your Auth0 tenant, such as https://example.eu.auth0.com/"
}

func (e *EnvError) Error() string { return "auth: " + e.Variable + " " + e.Problem + ": " + e.Cure }

// secretNames are the spellings of the secret, the documented one first.
var secretNames = []string{"NEXT_AUTH_SECRET", "AUTH_SECRET", "NEXTAUTH_SECRET"}

// ssoNames are the spellings of the list of providers.
var ssoNames = []string{"NEXT_AUTH_SSO_PROVIDERS", "SSO_PROVIDERS", "AUTH_SSO_PROVIDERS"}

const secretCure = "it seals the session tokens; make one with `openssl rand -base64 32`"

// ConfigFromEnv reads the variables of a LobeChat deployment. The error joins
// every problem that they have, each an [*EnvError].
//
// Clerk's publishable key turns Clerk on, and nothing else. Else the secret turns
// SSO on; NEXT_AUTH_SSO_PROVIDERS names the providers, in display
// order, and ACCESS_CODE lets people in beside them. Without a secret, ACCESS_CODE
// alone does. Nothing set is an error, never an open door.
func ConfigFromEnv(env Env, parts Parts) (Config, error) {
	e := &envReader{env: env, log: parts.Logger}
	if e.log == nil {
		e.log = slog.Default()
	}
	c := Config{URL: e.publicURL(), Logger: parts.Logger}
	if trust := e.get("AUTH_TRUST_HOST"); trust != "" && !truthy(trust) {
		c.TrustedProxies = []string{}
	}
	c.Secrets = e.secrets()
	if _, name := e.env.First("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "CLERK_PUBLISHABLE_KEY"); name != "" {
		c.Backend, c.Secrets = e.clerk(parts, name, c.Secrets)
		if e.err != nil {
			return Config{}, e.err
		}
		return c, nil
	}
	if e.sso() {
		if e.env("ACCESS_CODE") == "" {
			e.problem("ACCESS_CODE", "is not set", "it is the password for the service; a long random one that nobody knows, as `openssl rand -hex 32` makes it, turns access-code sign-in off")
		}
		c.Providers = e.providers(parts)
		c.Policy = e.policy(c.Providers)
		c.Enrich = lobeChatUser
	} else {
		c.Secrets = e.onlyAccessCode(parts, c.Secrets)
	}
	c.AccessCode = e.accessCode(parts, c.Secrets)
	c.Session.Store = e.store(parts)
	if e.err != nil {
		return Config{}, e.err
	}
	return c, nil
}

// clerk is Clerk's mode, which wins over every other. Without a secret, the one
// that forms need is made of Clerk's, the same on every node.
func (e *envReader) clerk(parts Parts, variable string, secrets []Secret) (Backend, []Secret) {
	if parts.Backend == nil {
		e.problem(variable, "turns on Clerk, which this program does not include", "unset it to sign in with SSO providers")
		return nil, nil
	}
	b, err := parts.Backend(e.env, parts.HTTPClient)
	e.err = errors.Join(e.err, err)
	if secrets == nil {
		mac := hmac.New(sha256.New, []byte(e.env("CLERK_SECRET_KEY")))
		mac.Write([]byte("sallyport"))
		secrets = []Secret{NewSecret(hex.EncodeToString(mac.Sum(nil)))}
	}
	return b, secrets
}

// sso reports whether the SSO providers are on.
func (e *envReader) sso() bool {
	secret, _ := e.env.First(secretNames...)
	return e.switchedOff() == "" && secret != ""
}

// lobeChatUser names the person as LobeChat's front end looks for it in a session
// token: the account's id at the provider, which is LobeChat's user id too.
func lobeChatUser(_ context.Context, s *session.Session, _ *Identity) error {
	return s.SetClaim("userId", s.Subject)
}

// switchedOff is the variable that turns SSO off, or "".
func (e *envReader) switchedOff() string {
	for _, name := range []string{"NEXT_PUBLIC_ENABLE_NEXT_AUTH", "ENABLE_OAUTH_SSO"} {
		if e.get(name) == "0" {
			return name
		}
	}
	return ""
}

func (e *envReader) secrets() []Secret {
	secret := e.get(secretNames...)
	if secret == "" {
		return nil
	}
	if session.CheckSecret(NewSecret(secret)) != nil {
		e.problem(e.nameOf(secretNames...), "is too weak", secretCure)
	}
	return []Secret{NewSecret(secret)}
}

// onlyAccessCode is the way in when SSO is off. Sessions need a secret all the
// same, and it cannot be made of the code, which could then be guessed from a
// cookie.
func (e *envReader) onlyAccessCode(parts Parts, secrets []Secret) []Secret {
	switch {
	case e.switchedOff() != "" && secrets != nil && (e.env("ACCESS_CODE") == "" || parts.AccessCode == nil):
		e.problem(e.switchedOff(), "turns SSO off, and nothing else lets anybody in", "unset it, or set it to 1; or set ACCESS_CODE, for a program that takes access codes")
		return secrets
	case e.env("ACCESS_CODE") == "":
		e.problem(secretNames[0], "is not set", "with it, SSO providers sign people in: "+secretCure)
		e.problem("ACCESS_CODE", "is not set", "it is the password for the service, and needs nothing beside it")
		return secrets
	case parts.AccessCode == nil:
		e.problem(secretNames[0], "is not set, and this program takes no access codes", secretCure)
		return secrets
	}
	if value, name := e.env.First(ssoNames...); value != "" && secrets == nil {
		e.log.Warn("auth: " + name + " is set and " + secretNames[0] + " is not: people sign in by access code alone")
	}
	if secrets == nil {
		e.log.Warn("auth: " + secretNames[0] + " is not set: sessions end with this process and do not span several nodes")
		return []Secret{NewSecret(rand.Text() + rand.Text())}
	}
	return secrets
}

func (e *envReader) accessCode(parts Parts, secrets []Secret) CodeVerifier {
	if parts.AccessCode == nil || e.env("ACCESS_CODE") == "" || len(secrets) == 0 {
		return nil
	}
	v, err := parts.AccessCode(e.env, secrets, e.log)
	if err != nil {
		e.err = errors.Join(e.err, err)
		return nil
	}
	return v
}

// envReader collects problems while it reads.
type envReader struct {
	env Env
	log *slog.Logger
	err error
}

func (e *envReader) problem(variable, problem, cure string) {
	e.err = errors.Join(e.err, &EnvError{variable, problem, cure})
}

// get returns the first of names that is set, and complains of what tools put
// around values by accident.
func (e *envReader) get(names ...string) string {
	value, name := e.env.First(names...)
	if err := CheckEnvValue(name, value); err != nil {
		e.err = errors.Join(e.err, err)
	}
	return value
}

func (e *envReader) nameOf(names ...string) string {
	_, name := e.env.First(names...)
	return name
}

// CheckEnvValue reports white space or quotes around a value, which can't be
// meant: `docker --env-file` leaves quotes, a secret mounted as a file a newline.
func CheckEnvValue(name, value string) error {
	switch {
	case value == "":
		return nil
	case strings.TrimSpace(value) != value || strings.HasPrefix(value, "\ufeff"):
		return &EnvError{name, "begins or ends with white space", "remove it; a value from a file often ends with a newline"}
	case len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0]:
		return &EnvError{name, "is in quotes", "remove them; docker --env-file keeps quotes as part of the value"}
	}
	return nil
}

func (e *envReader) publicURL() string {
	raw := e.get("NEXTAUTH_URL", "AUTH_URL")
	if _, _, err := web.ParseURL(raw); err != nil {
		e.problem(e.nameOf("NEXTAUTH_URL", "AUTH_URL"), "is not the address of the routes", "set it to one like https://example.com/api/auth, or unset it where the address of the request is right")
	}
	return raw
}

func (e *envReader) providers(parts Parts) []Provider {
	value, name := e.env.First(ssoNames...)
	if value == "" {
		value, name = "auth0", ssoNames[0]
	}
	known := slices.Sorted(maps.Keys(parts.Providers))
	var list []Provider
	seen := map[string]bool{}
	for _, id := range SplitEnvList(value) {
		factory, ok := parts.Providers[id]
		switch {
		case !ok:
			e.problem(name, fmt.Sprintf("names the provider %q, which is not known", id), "the known ones are "+strings.Join(known, ", "))
			continue
		case seen[id]:
			e.problem(name, fmt.Sprintf("names the provider %q twice", id), "name it once")
			continue
		}
		seen[id] = true
		p, err := factory(e.env, id, parts.HTTPClient)
		if err != nil {
			e.err = errors.Join(e.err, err)
			continue
		}
		list = append(list, p)
	}
	if len(list) == 0 && e.err == nil {
		e.problem(name, "names no provider", "the known ones are "+strings.Join(known, ", "))
	}
	return list
}

// OpenDoor is a [Provider] that anybody in the world can get an account with,
// so that a policy is called for.
type OpenDoor interface {
	AnyoneMayEnter() bool
}

func (e *envReader) policy(list []Provider) Policy {
	value := e.get("AUTH_ALLOWED_EMAILS")
	if value == "" {
		for _, p := range list {
			if open, ok := p.(OpenDoor); ok && open.AnyoneMayEnter() {
				e.log.Warn("auth: AUTH_ALLOWED_EMAILS is not set: anyone with an account at this provider can sign in", "provider", p.Name())
			}
		}
		return nil
	}
	policy, err := AllowEmails(SplitEnvList(value)...)
	if err != nil {
		e.problem("AUTH_ALLOWED_EMAILS", "is not a list of addresses and domains", "write it like ada@example.com,example.org")
	}
	return policy
}

func (e *envReader) store(parts Parts) session.Store {
	switch value := e.get("NEXT_AUTH_SSO_SESSION_STRATEGY"); value {
	case "", "jwt":
		return nil
	case "database":
		if parts.Store == nil {
			e.problem("NEXT_AUTH_SSO_SESSION_STRATEGY", "is database, and this program configures no store", "set it to jwt")
		}
		return parts.Store
	default:
		e.problem("NEXT_AUTH_SSO_SESSION_STRATEGY", fmt.Sprintf("is %q", value), "set it to jwt or database")
		return nil
	}
}

// SplitEnvList splits a variable at commas, the full-width one too, and drops
// what is empty.
func SplitEnvList(value string) []string {
	fields := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == '，' })
	list := fields[:0]
	for _, f := range fields {
		if f = strings.TrimSpace(f); f != "" {
			list = append(list, f)
		}
	}
	return list
}

func truthy(s string) bool {
	switch strings.ToLower(s) {
	case "0", "false", "no", "off":
		return false
	}
	return true
}
