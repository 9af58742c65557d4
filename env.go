package auth

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/internal/web"
	"github.com/sallyport/auth/session"
)

// Env reads one environment variable, as [os.Getenv] does. Package envvar has what
// an author of a FromEnv function needs beside it.
type Env = envvar.Env

// ProviderFactory makes a provider from the environment: the FromEnv function of
// its package. id is the name under which the operator asked for it, which becomes
// the provider's name: its own, or that of one of several, as "corp" in
// "corp:keycloak", whose variables begin with AUTH_CORP_. It does no network I/O. It reports every missing or
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
	Database   session.Database           // for the same, in the place of Store: authjsdb.New
	HTTPClient *http.Client               // for the providers' calls. If nil, the default
	Names      func() []string            // all names of the environment, as envvar.Names(os.Environ()). If nil, nothing is said of unknown ones
	Logger     *slog.Logger               // receives warnings. If nil, slog.Default
}

// secretNames are the spellings of the secret, the documented one first.
var secretNames = []string{"NEXT_AUTH_SECRET", "AUTH_SECRET", "NEXTAUTH_SECRET"}

const defaultProvider = "auth0"

// ssoNames are the spellings of the list of providers.
var ssoNames = []string{"NEXT_AUTH_SSO_PROVIDERS", "SSO_PROVIDERS", "AUTH_SSO_PROVIDERS"}

// lobeChatUser is the claim in which LobeChat's front end looks for who somebody is.
const lobeChatUser = "userId"

const secretCure = "it seals the session tokens; make one of 32 bytes or more with `openssl rand -base64 32`"
const codeCure = "it is the password for the service; a long random one that nobody knows, as `openssl rand -hex 32` makes it, turns access-code sign-in off"

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
//	AUTH_ALLOWED_GROUPS              Config.Policy: groups; with the other, both must hold
//	AUTH_SESSION_MAX_AGE             Config.Session.MaxAge: 12h, 7d
//	AUTH_SESSION_UPDATE_AGE          Config.Session.UpdateAge
//	AUTH_SESSION_LIFETIME            Config.Session.Lifetime
//	AUTH_BACKCHANNEL_LOGOUT          Config.BackChannelLogout: 1, with a store
//	AUTH_FRONTCHANNEL_LOGOUT         Config.FrontChannelLogout: the same
//	AUTH_SIGN_OUT_AT_PROVIDER        Config.SignOutAtProvider: 1
//	AUTH_BRAND_NAME                  Config.Brand.Name: ACME
//	AUTH_BRAND_LOGO_URL              Config.Brand.LogoURL: /logo.svg
//	AUTH_BRAND_COLOR                 Config.Brand.Color: #1f5fbf
//	AUTH_USER_ID                     Config.UserID: subject, or provider for provider|subject
//	NEXT_AUTH_SSO_SESSION_STRATEGY   database keeps sessions in Parts.Store or Parts.Database
//	NEXT_PUBLIC_ENABLE_NEXT_AUTH     0 turns SSO off, and so does ENABLE_OAUTH_SSO
//
// and what the factories in parts read. NEXT_AUTH_SECRET may be called AUTH_SECRET
// or NEXTAUTH_SECRET, NEXTAUTH_URL AUTH_URL, and NEXT_AUTH_SSO_PROVIDERS
// SSO_PROVIDERS or AUTH_SSO_PROVIDERS; the first spelling counts before the others.
//
// A variable that says who may enter, and cannot be honoured, is an error: beside
// access codes alone, for a provider that is not asked for or does not know it, or where
// no provider tells what it asks for ([Lacking]). What else begins with AUTH_, or with the name of a provider in use, and is read by nothing,
// is warned of, where Parts.Names is set; what begins with AUTH_ALLOWED_ is an error.
//
// What is returned may be changed before it is handed to [New].
func ConfigFromEnv(env Env, parts Parts) (Config, error) {
	e := &envReader{asked: map[string]bool{}, log: parts.Logger}
	e.env = e.listenAt(env)
	e.Reader = envvar.NewReader(e.env)
	if e.log == nil {
		e.log = slog.Default()
	}
	c := Config{URL: e.publicURL(), Brand: e.brand(), Logger: parts.Logger}
	if trust := e.Get("AUTH_TRUST_HOST"); trust != "" && !truthy(trust) {
		c.TrustedProxies = []string{}
	}
	c.Secrets = e.secrets()
	c.UserID = e.userID()
	_, clerkKey := e.env.First("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "CLERK_PUBLISHABLE_KEY")
	_, ssoName := e.env.First(ssoNames...)
	switch {
	case clerkKey != "":
		c.Backend, c.Secrets = e.clerk(parts, clerkKey, c.Secrets)
		c.Policy = e.policy(nil)
		e.ignoredBesideClerk(clerkKey)
	case e.ssoIsWanted(c.Secrets, ssoName):
		c.Session = e.session(parts)
		if c.Secrets == nil {
			e.problem(secretNames[0], "is not set", secretCure)
		}
		if parts.AccessCode != nil && e.env("ACCESS_CODE") == "" {
			e.problem("ACCESS_CODE", "is not set", codeCure)
		}
		c.Providers = e.providers(parts)
		c.Policy = e.policy(c.Providers)
		c.BackChannelLogout, c.FrontChannelLogout = e.onOff("AUTH_BACKCHANNEL_LOGOUT"), e.onOff("AUTH_FRONTCHANNEL_LOGOUT")
		c.SignOutAtProvider = e.onOff("AUTH_SIGN_OUT_AT_PROVIDER")
		c.AccessCode = e.accessCode(parts, c.Secrets)
	default:
		c.Session = e.session(parts)
		c.Secrets = e.onlyAccessCode(parts, c.Secrets)
		c.AccessCode = e.accessCode(parts, c.Secrets)
	}
	e.unread(parts, clerkKey)
	if err := e.Err(); err != nil {
		return Config{}, err
	}
	if c.Backend == nil && c.Session.Database == nil {
		c.UserIDClaim = lobeChatUser
	}
	return c, nil
}

// ssoIsWanted reports whether SSO providers sign people in: with a secret, or where
// providers are named and nothing else is.
func (e *envReader) ssoIsWanted(secrets []Secret, named string) bool {
	return e.switchedOff() == "" && (secrets != nil || named != "" && e.env("ACCESS_CODE") == "")
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
	for _, name := range slices.Concat([]string{"ACCESS_CODE"}, ssoNames, sessionNames) {
		if e.env(name) != "" {
			e.log.Warn("auth: "+name+" is ignored: people sign in with Clerk, and nothing else", "because_of", variable)
		}
	}
}

// onOff reads a variable that is 1 or 0.
func (e *envReader) onOff(name string) bool {
	value := e.Get(name)
	if value != "" && value != "0" && value != "1" {
		e.problem(name, fmt.Sprintf("is %q", value), "set it to 1, or to 0")
	}
	return value == "1"
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

// switchedOff is the variable that turns SSO off, or "".
func (e *envReader) switchedOff() string {
	for _, name := range []string{"NEXT_PUBLIC_ENABLE_NEXT_AUTH", "ENABLE_OAUTH_SSO"} {
		if e.Get(name) == "0" {
			return name
		}
	}
	return ""
}

// secrets are those of the sessions. One that does not do is reported here, and
// nobody else hears of it.
func (e *envReader) secrets() []Secret {
	secret, name := e.env.First(secretNames...)
	if secret == "" {
		return nil
	}
	err := envvar.Check(name, secret)
	if err == nil && session.CheckSecret(NewSecret(secret)) != nil {
		err = &envvar.Error{Variable: name, Problem: "is too weak", Cure: secretCure}
	}
	if err != nil {
		e.Problem(err)
		return randomSecret()
	}
	return []Secret{NewSecret(secret)}
}

func randomSecret() []Secret { return []Secret{NewSecret(rand.Text() + rand.Text())} }

// onlyAccessCode is the way in when SSO is off. Sessions need a secret all the
// same, and it cannot be made of the code, which could then be guessed from a
// cookie.
func (e *envReader) onlyAccessCode(parts Parts, secrets []Secret) []Secret {
	code, off := e.env("ACCESS_CODE") != "", e.switchedOff()
	restricted := slices.DeleteFunc([]string{"AUTH_ALLOWED_EMAILS", "AUTH_ALLOWED_GROUPS"}, func(name string) bool { return e.env(name) == "" })
	switch {
	case off != "" && (secrets != nil || parts.AccessCode == nil) && (!code || parts.AccessCode == nil):
		cure := "unset it, or set it to 1"
		if parts.AccessCode != nil {
			cure += "; or set ACCESS_CODE, the password for the service"
		}
		e.problem(off, "turns SSO off, and nothing else lets anybody in", cure)
		return secrets
	case !code:
		e.nothingSet(parts)
		return secrets
	case parts.AccessCode == nil:
		e.problem(secretNames[0], "is not set, and this program takes no access codes", secretCure)
		return secrets
	}
	for _, name := range restricted {
		e.problem(name, "is set, and people sign in by access code, which tells nothing of them", "unset it, or set up SSO providers: "+secretNames[0]+" and "+ssoNames[0])
	}
	if value, name := e.env.First(ssoNames...); value != "" && secrets == nil {
		e.log.Warn("auth: " + name + " is set and " + secretNames[0] + " is not: people sign in by access code alone")
	}
	if secrets == nil {
		e.log.Warn("auth: " + secretNames[0] + " is not set: sessions end with this process and do not span several nodes")
		return randomSecret()
	}
	return secrets
}

// nothingSet says what is needed: one of the ways in that the program has.
func (e *envReader) nothingSet(parts Parts) {
	names, ways := []string{}, []string{}
	if parts.AccessCode != nil {
		names, ways = append(names, "ACCESS_CODE"), append(ways, "ACCESS_CODE, the password for the service, as `openssl rand -hex 16` makes it")
	}
	names, ways = append(names, secretNames[0]), append(ways, secretNames[0]+", as `openssl rand -base64 32` makes it, for SSO providers")
	if parts.Backend != nil {
		names, ways = append(names, "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"), append(ways, "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY, from Clerk's dashboard, for Clerk")
	}
	if len(names) == 1 {
		e.problem(names[0], "is not set", "with it, SSO providers sign people in: "+secretCure)
		return
	}
	e.problem(names[0], "is not set, "+strings.Join(names[1:], " is not set, ")+" is not set", "one of the "+map[int]string{2: "two", 3: "three"}[len(ways)]+" is needed, not all; the shortest is "+strings.Join(ways, "; or "))
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

	inUse []string // what variables call the providers that are asked for

	mu    sync.Mutex // guards asked: a factory may keep env
	asked map[string]bool
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
		problem := "is not the address of the routes"
		if cause := errors.Unwrap(err); cause != nil {
			problem += " (" + cause.Error() + ")"
		}
		e.problem(e.nameOf("NEXTAUTH_URL", "AUTH_URL"), problem, "set it to one like https://example.com/api/auth, or to the path alone, as /app/api/auth, or unset it, where the host of the request is right")
	}
	return raw
}

// brand is what the pages say of the site.
func (e *envReader) brand() Brand {
	b := Brand{Name: e.Get("AUTH_BRAND_NAME"), LogoURL: e.Get("AUTH_BRAND_LOGO_URL"), Color: e.Get("AUTH_BRAND_COLOR")}
	origin, _, _ := web.ParseURL(e.Get("NEXTAUTH_URL", "AUTH_URL"))
	for _, x := range []struct {
		variable      string
		alone         Brand
		problem, cure string
	}{
		{"AUTH_BRAND_NAME", Brand{Name: b.Name}, "is no name for a heading", "write one line of at most 60 characters that can be seen"},
		{"AUTH_BRAND_LOGO_URL", Brand{LogoURL: b.LogoURL}, "is not the address of a picture of this site, and the pages load nothing from elsewhere", "set it to a path that can be reached without signing in, such as /logo.svg, or to an https address at the host of NEXTAUTH_URL"},
		{"AUTH_BRAND_COLOR", Brand{Color: b.Color}, "is no colour", "write it like #1f5fbf"},
	} {
		if web.CheckBrand(x.alone, origin) != nil {
			e.problem(x.variable, x.problem, x.cure)
		}
	}
	return b
}

func (e *envReader) policy(list []Provider) Policy {
	emails, groups := e.Get("AUTH_ALLOWED_EMAILS"), e.Get("AUTH_ALLOWED_GROUPS")
	if emails == "" && groups == "" {
		for _, p := range list {
			if open, ok := p.(OpenDoor); ok && open.AnyoneMayEnter() {
				why := "AUTH_ALLOWED_EMAILS is not set"
				if l, ok := p.(Lacking); ok {
					if emails, _ := l.Lacks(); emails {
						why = "no variable says who may enter"
					}
				}
				e.log.Warn("auth: "+why+": anyone with an account at this provider can sign in", "provider", p.Name())
			}
		}
		return nil
	}
	var all []Policy
	if emails != "" {
		policy, err := AllowEmails(envvar.Split(emails)...)
		if err != nil {
			e.problem("AUTH_ALLOWED_EMAILS", "is not a list of addresses and domains", "write it like ada@example.com,example.org")
		} else {
			e.honoured(list, 0)
		}
		all = append(all, policy)
	}
	if groups != "" {
		policy, err := AllowGroups(envvar.Split(groups)...)
		if err != nil {
			e.problem("AUTH_ALLOWED_GROUPS", "names no group, and would let nobody in", "write it like staff,board, as the provider names them")
		} else {
			e.honoured(list, 1)
		}
		all = append(all, policy)
	}
	return func(ctx context.Context, provider string, id *Identity) error {
		for _, policy := range all {
			if err := policy(ctx, provider, id); err != nil {
				return err
			}
		}
		return nil
	}
}

// sessionNames say how long sessions last.
var sessionNames = []string{"AUTH_SESSION_MAX_AGE", "AUTH_SESSION_UPDATE_AGE", "AUTH_SESSION_LIFETIME"}

// The defaults of [session.Config].
const (
	day             = 24 * time.Hour
	defaultMaxAge   = 30 * day
	defaultLifetime = 90 * day
)

// session is how long sessions last and where they are kept.
func (e *envReader) session(parts Parts) session.Config {
	c := session.Config{
		MaxAge: e.Duration(sessionNames[0]), UpdateAge: e.Duration(sessionNames[1]), Lifetime: e.Duration(sessionNames[2]),
	}
	e.strategy(&c, parts)
	lifetime := cmp.Or(c.Lifetime, defaultLifetime)
	maxAge := cmp.Or(c.MaxAge, min(defaultMaxAge, lifetime))
	switch {
	case lifetime < time.Minute:
		e.problem(sessionNames[2], "is less than a minute", "write it like 12h or 90d")
	case maxAge < time.Minute:
		e.problem(sessionNames[0], "is less than a minute", "write it like 12h or 30d")
	case maxAge > lifetime:
		e.problem(sessionNames[0], "is more than "+sessionNames[2]+", which is 90 days unless it is set", "set "+sessionNames[2]+" to as much or more")
	}
	if c.UpdateAge >= maxAge {
		e.problem(sessionNames[1], "is not less than "+sessionNames[0]+", so that no session would be renewed in time", "set it to a quarter of that, or unset it")
	}
	return c
}

// strategy sets where c has sessions, if it is not in cookies.
func (e *envReader) strategy(c *session.Config, parts Parts) {
	switch value := e.Get("NEXT_AUTH_SSO_SESSION_STRATEGY"); value {
	case "", "jwt":
	case "database":
		if parts.Store == nil && parts.Database == nil {
			e.problem("NEXT_AUTH_SSO_SESSION_STRATEGY", "is database, and this program configures no store", "set it to jwt, or configure one (gateway: SESSION_STORE_URL)")
		}
		c.Store, c.Database = parts.Store, parts.Database
	default:
		e.problem("NEXT_AUTH_SSO_SESSION_STRATEGY", fmt.Sprintf("is %q", value), "set it to jwt or database")
	}
}

func truthy(s string) bool {
	switch strings.ToLower(s) {
	case "0", "false", "no", "off":
		return false
	}
	return true
}
