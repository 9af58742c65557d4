package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/internal/web"
	"github.com/sallyport/auth/session"
)

// Env reads one environment variable, as [os.Getenv] does. Package envvar has what
// an author of a FromEnv function needs beside it.
type Env = envvar.Env

// ProviderFactory makes a provider from the environment: the FromEnv function of
// its package. id is the name under which the operator asked for it, which becomes
// the provider's name. It does no network I/O. It reports every missing or
// malformed variable, joined, each as an [*envvar.Error]. client is for the
// provider's calls; nil is the provider's own.
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
	AccessCode CodeFactory                // accesscode.FromEnv. If nil, ACCESS_CODE is not asked for, and lets nobody in
	Store      session.Store              // for NEXT_AUTH_SSO_SESSION_STRATEGY=database
	HTTPClient *http.Client               // for the providers' calls. If nil, the default
	Logger     *slog.Logger               // receives warnings. If nil, slog.Default
}

// secretNames are the spellings of the secret, the documented one first.
var secretNames = []string{"NEXT_AUTH_SECRET", "AUTH_SECRET", "NEXTAUTH_SECRET"}

// ssoNames are the spellings of the list of providers.
var ssoNames = []string{"NEXT_AUTH_SSO_PROVIDERS", "SSO_PROVIDERS", "AUTH_SSO_PROVIDERS"}

const secretCure = "it seals the session tokens; make one with `openssl rand -base64 32`"

// ConfigFromEnv reads the variables of a LobeChat deployment. The error joins
// every problem that they have, each an [*envvar.Error], which names the variable
// and the cure and never shows a value.
//
// The first of these that is there decides how people sign in:
//
//	NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY   Clerk, and nothing else
//	NEXT_AUTH_SECRET                    SSO with NEXT_AUTH_SSO_PROVIDERS, and ACCESS_CODE beside it
//	ACCESS_CODE                         access codes alone
//
// Nothing set is an error, never an open door. Beside them it reads
//
//	NEXTAUTH_URL                     Config.URL
//	AUTH_TRUST_HOST                  0 trusts no proxy
//	AUTH_ALLOWED_EMAILS              Config.Policy: addresses and domains
//	AUTH_USER_ID                     Config.UserID: subject, or provider for provider|subject
//	NEXT_AUTH_SSO_SESSION_STRATEGY   database keeps sessions in Parts.Store
//	NEXT_PUBLIC_ENABLE_NEXT_AUTH     0 turns SSO off, and so does ENABLE_OAUTH_SSO
//
// and what the factories in parts read. NEXT_AUTH_SECRET may be called AUTH_SECRET
// or NEXTAUTH_SECRET, NEXTAUTH_URL AUTH_URL, and NEXT_AUTH_SSO_PROVIDERS
// SSO_PROVIDERS or AUTH_SSO_PROVIDERS; the first spelling counts before the others.
//
// What is returned may be changed before it is handed to [New].
func ConfigFromEnv(env Env, parts Parts) (Config, error) {
	e := &envReader{Reader: envvar.NewReader(env), env: env, log: parts.Logger}
	if e.log == nil {
		e.log = slog.Default()
	}
	c := Config{URL: e.publicURL(), Logger: parts.Logger}
	if trust := e.Get("AUTH_TRUST_HOST"); trust != "" && !truthy(trust) {
		c.TrustedProxies = []string{}
	}
	c.Secrets = e.secrets()
	if _, name := e.env.First("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "CLERK_PUBLISHABLE_KEY"); name != "" {
		c.Backend, c.Secrets = e.clerk(parts, name, c.Secrets)
		c.Policy, c.UserID = e.policy(nil), e.userID()
		e.ignoredBesideClerk(name)
		if err := e.Err(); err != nil {
			return Config{}, err
		}
		return c, nil
	}
	if e.sso() {
		if parts.AccessCode != nil && e.env("ACCESS_CODE") == "" {
			e.problem("ACCESS_CODE", "is not set", "it is the password for the service; a long random one that nobody knows, as `openssl rand -hex 32` makes it, turns access-code sign-in off")
		}
		c.Providers = e.providers(parts)
		c.Policy = e.policy(c.Providers)
	} else {
		c.Secrets = e.onlyAccessCode(parts, c.Secrets)
		if e.env("AUTH_ALLOWED_EMAILS") != "" {
			e.problem("AUTH_ALLOWED_EMAILS", "is set, and people sign in by access code, which tells nothing of them", "unset it, or set up SSO providers: "+secretNames[0]+" and "+ssoNames[0])
		}
	}
	c.AccessCode = e.accessCode(parts, c.Secrets)
	c.UserID = e.userID()
	if len(c.Providers) > 0 {
		c.Enrich = lobeChatUser(&c)
	}
	c.Session.Store = e.store(parts)
	if err := e.Err(); err != nil {
		return Config{}, err
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
	e.Problem(err)
	if secrets == nil {
		mac := hmac.New(sha256.New, []byte(e.env("CLERK_SECRET_KEY")))
		mac.Write([]byte("sallyport"))
		secrets = []Secret{NewSecret(hex.EncodeToString(mac.Sum(nil)))}
	}
	return b, secrets
}

// ignoredBesideClerk tells of ways in that Clerk's key, in variable, turns off.
func (e *envReader) ignoredBesideClerk(variable string) {
	for _, name := range append([]string{"ACCESS_CODE"}, ssoNames...) {
		if e.env(name) != "" {
			e.log.Warn("auth: "+name+" is ignored: people sign in with Clerk, and nothing else", "because_of", variable)
		}
	}
}

// sso reports whether the SSO providers are on.
func (e *envReader) sso() bool {
	secret, _ := e.env.First(secretNames...)
	return e.switchedOff() == "" && secret != ""
}

// userID is nil where New decides.
func (e *envReader) userID() func(*session.Session) string {
	switch value := e.Get("AUTH_USER_ID"); value {
	case "":
		return nil
	case "subject":
		return SubjectID
	case "provider":
		return ProviderSubjectID
	default:
		e.problem("AUTH_USER_ID", fmt.Sprintf("is %q", value), "set it to subject, or to provider for provider|subject, which tells people of several providers apart")
		return nil
	}
}

// lobeChatUser names the person as LobeChat's front end looks for it in a session
// token, in userId: what c calls them.
func lobeChatUser(c *Config) func(context.Context, *session.Session, *Identity) error {
	userID := c.UserID
	if userID == nil {
		userID = c.unique()
	}
	return func(_ context.Context, s *session.Session, _ *Identity) error {
		return s.SetClaim("userId", userID(s))
	}
}

// switchedOff is the variable that turns SSO off, or "".
func (e *envReader) switchedOff() string {
	for _, name := range []string{"NEXT_PUBLIC_ENABLE_NEXT_AUTH", "ENABLE_OAUTH_SSO"} {
		if e.Get(name) == "0" {
			return name
		}
	}
	return ""
}

func (e *envReader) secrets() []Secret {
	secret := e.Get(secretNames...)
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
	if parts.AccessCode == nil && e.env("ACCESS_CODE") != "" {
		e.log.Warn("auth: ACCESS_CODE is ignored: this program takes no access codes")
	}
	if parts.AccessCode == nil || e.env("ACCESS_CODE") == "" || len(secrets) == 0 {
		return nil
	}
	v, err := parts.AccessCode(e.env, secrets, e.log)
	if err != nil {
		e.Problem(err)
		return nil
	}
	return v
}

// envReader reads the deployment's variables.
type envReader struct {
	*envvar.Reader
	env Env
	log *slog.Logger
}

func (e *envReader) problem(variable, problem, cure string) {
	e.Problem(&envvar.Error{Variable: variable, Problem: problem, Cure: cure})
}

func (e *envReader) nameOf(names ...string) string {
	_, name := e.env.First(names...)
	return name
}

func (e *envReader) publicURL() string {
	raw := e.Get("NEXTAUTH_URL", "AUTH_URL")
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
	for _, id := range envvar.Split(value) {
		factory, ok := parts.Providers[id]
		switch {
		case !ok:
			e.problem(name, "names the provider "+shownID(id)+", which is not known", "the known ones are "+strings.Join(known, ", "))
			continue
		case seen[id]:
			e.problem(name, fmt.Sprintf("names the provider %q twice", id), "name it once")
			continue
		}
		seen[id] = true
		p, err := factory(e.env, id, parts.HTTPClient)
		if err != nil {
			e.Problem(err)
			continue
		}
		list = append(list, p)
	}
	if len(list) == 0 && e.Err() == nil {
		e.problem(name, "names no provider", "the known ones are "+strings.Join(known, ", "))
	}
	return list
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

func (e *envReader) policy(list []Provider) Policy {
	value := e.Get("AUTH_ALLOWED_EMAILS")
	if value == "" {
		for _, p := range list {
			if open, ok := p.(OpenDoor); ok && open.AnyoneMayEnter() {
				e.log.Warn("auth: AUTH_ALLOWED_EMAILS is not set: anyone with an account at this provider can sign in", "provider", p.Name())
			}
		}
		return nil
	}
	policy, err := AllowEmails(envvar.Split(value)...)
	if err != nil {
		e.problem("AUTH_ALLOWED_EMAILS", "is not a list of addresses and domains", "write it like ada@example.com,example.org")
	}
	return policy
}

func (e *envReader) store(parts Parts) session.Store {
	switch value := e.Get("NEXT_AUTH_SSO_SESSION_STRATEGY"); value {
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

func truthy(s string) bool {
	switch strings.ToLower(s) {
	case "0", "false", "no", "off":
		return false
	}
	return true
}
