package fromenv

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers/internal/signing"
)

// Settings are what every provider takes beside its registration. Their zero value
// leaves everything to the provider.
//
//	AUTH_NAME_NAME                Label
//	AUTH_NAME_SCOPES              Scopes, separated by white space or commas
//	AUTH_NAME_PROMPT              Prompt
//	AUTH_NAME_CLIENT_AUTH         ClientAuth
//
// and one with ID tokens:
//
//	AUTH_NAME_PRIVATE_KEY         PrivateKey: a PEM, in which \n may stand for line breaks
//	AUTH_NAME_PRIVATE_KEY_ID      PrivateKeyID
//	AUTH_NAME_ALGORITHMS          Algorithms
//	AUTH_NAME_TRUSTED_AUDIENCES   TrustedAudiences
//	AUTH_NAME_TRUST_EMAIL         TrustEmail: 1 or 0
//	AUTH_NAME_GROUPS_CLAIM        GroupsClaim: a claim, or a path with dots
//	AUTH_NAME_INTERNAL_URL        InternalURL
//	AUTH_NAME_DISCOVERY_URL       DiscoveryURL
//	AUTH_NAME_PUSHED_REQUESTS     PushedRequests: 1 or 0
//
// AUTH_INSECURE_HTTP, 1 or 0, is InsecureHTTP of all providers.
type Settings struct {
	Label        string
	Scopes       []string
	Prompt       string
	ClientAuth   string
	PrivateKey   crypto.Signer
	PrivateKeyID string
	Algorithms   []string

	TrustedAudiences []string
	TrustEmail       bool
	GroupsClaim      string
	InternalURL      string
	DiscoveryURL     string
	PushedRequests   bool
	InsecureHTTP     bool

	// What the operator's policy looks at: whether AUTH_ALLOWED_EMAILS and
	// AUTH_ALLOWED_GROUPS are set.
	NeedsEmail, NeedsGroups bool
}

const maxLabel = 60 // characters

// prompts are those at which somebody can still sign in: OpenID Connect Core 3.1.2.1.
// "none" would refuse everybody who is not signed in there.
var prompts = []string{"login", "select_account", "consent"}

// algorithms may sign ID tokens. A key that the issuer shares with its clients could
// be used by each of them: RFC 8725 3.2.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// ReadSettings reads the settings of the provider that its variables call name, such
// as "AUTH0". oauth2 says that it has no ID tokens.
func ReadSettings(r *envvar.Reader, name string, oauth2 bool) (s Settings) {
	name = "AUTH_" + name + "_"
	problem := func(variable, problem, cure string) {
		r.Problem(&envvar.Error{Variable: name + variable, Problem: problem, Cure: cure})
	}
	s.Label = r.Get(name + "NAME")
	if utf8.RuneCountInString(s.Label) > maxLabel || strings.ContainsFunc(s.Label, unicode.IsControl) {
		problem("NAME", "is no name for a button", "write one line of 60 characters at most")
	}
	if value := r.Get(name + "SCOPES"); value != "" {
		s.Scopes = words(value)
		if len(s.Scopes) == 0 || slices.ContainsFunc(s.Scopes, func(scope string) bool { return !isScope(scope) }) {
			problem("SCOPES", "is not a list of scopes", "write it like openid profile email")
		}
	}
	if s.Prompt = r.Get(name + "PROMPT"); s.Prompt != "" {
		asked := strings.Fields(s.Prompt)
		if slices.ContainsFunc(asked, func(p string) bool { return !slices.Contains(prompts, p) }) {
			problem("PROMPT", "asks for what is not known", "set it to login, select_account or consent")
		}
		s.Prompt = strings.Join(asked, " ")
	}
	methods := []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"}
	if oauth2 {
		methods = slices.Delete(methods, 2, 3)
	}
	if s.ClientAuth = r.Get(name + "CLIENT_AUTH"); s.ClientAuth != "" && !slices.Contains(methods, s.ClientAuth) {
		problem("CLIENT_AUTH", "is no way for this provider to authenticate a client", "set it to "+strings.Join(methods[:len(methods)-1], ", ")+" or none")
		s.ClientAuth = ""
	}
	s.InsecureHTTP = insecureHTTP(r)
	emails, _ := r.First("AUTH_ALLOWED_EMAILS")
	groups, _ := r.First("AUTH_ALLOWED_GROUPS")
	s.NeedsEmail, s.NeedsGroups = emails != "", groups != ""
	if oauth2 {
		return s
	}
	s.PrivateKeyID = r.Get(name + "PRIVATE_KEY_ID")
	if text, _ := r.First(name + "PRIVATE_KEY"); text != "" { // a PEM may end with a line break
		if s.PrivateKey = PrivateKey(text); s.PrivateKey == nil {
			problem("PRIVATE_KEY", "is no private key that can be used", "set it to a PEM of RSA with 2048 bits or more, of ECDSA P-256 or of Ed25519, whose line breaks may be written \\n")
		}
	} else if s.ClientAuth == "private_key_jwt" {
		problem("PRIVATE_KEY", "is not set", "private_key_jwt signs with it; set it to the PEM whose public half the identity provider has")
	}
	if value := r.Get(name + "ALGORITHMS"); value != "" {
		s.Algorithms = words(value)
		if len(s.Algorithms) == 0 || slices.ContainsFunc(s.Algorithms, func(a string) bool { return !slices.Contains(algorithms, a) }) {
			problem("ALGORITHMS", "names what may not sign an ID token", "name some of "+strings.Join(algorithms, ", "))
		}
	}
	s.TrustedAudiences = r.List(name + "TRUSTED_AUDIENCES")
	s.TrustEmail = Switch(r, name+"TRUST_EMAIL")
	s.PushedRequests = Switch(r, name+"PUSHED_REQUESTS")
	s.GroupsClaim = r.Get(name + "GROUPS_CLAIM")
	if s.GroupsClaim != "" && slices.Contains(strings.Split(s.GroupsClaim, "."), "") {
		problem("GROUPS_CLAIM", "is no claim", "write its name, or names with single dots between them, such as realm_access.roles")
		s.GroupsClaim = ""
	}
	s.InternalURL = Address(r, "it is where this server reaches the issuer, such as https://keycloak.internal:8443", name+"INTERNAL_URL")
	s.DiscoveryURL = Address(r, "it is where the issuer's metadata is, such as https://example.b2clogin.com/example.onmicrosoft.com/<policy>/v2.0/.well-known/openid-configuration", name+"DISCOVERY_URL")
	return s
}

// insecureHTTP is for every address of every provider.
func insecureHTTP(r *envvar.Reader) bool { return Switch(r, "AUTH_INSECURE_HTTP") }

// Switch reads a variable that is 1 or 0. One that is not set is 0.
func Switch(r *envvar.Reader, name string) bool {
	switch value := r.Get(name); value {
	case "1", "true":
		return true
	case "", "0", "false":
		return false
	default:
		r.Problem(&envvar.Error{Variable: name, Problem: "is neither 1 nor 0", Cure: "set it to 1 to switch it on, or unset it"})
		return false
	}
}

// Secret is [envvar.Reader.Need] for the client's secret, or [envvar.Reader.Get] where
// the client has another way to authenticate, or none.
func (s Settings) Secret(r *envvar.Reader, cure string, names ...string) auth.Secret {
	if s.ClientAuth == "none" || s.ClientAuth == "private_key_jwt" || s.ClientAuth == "" && s.PrivateKey != nil {
		return auth.NewSecret(r.Get(names...))
	}
	return auth.NewSecret(r.Need(cure, names...))
}

func words(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == '，' || unicode.IsSpace(r) })
}

// isScope holds a scope to RFC 6749 3.3.
func isScope(scope string) bool {
	return !strings.ContainsFunc(scope, func(r rune) bool { return r < '!' || r == '"' || r == '\\' || r > '~' })
}

// PrivateKey is the key of a PEM in which \n may stand for line breaks: RSA of 2048 bits
// or more, ECDSA P-256 or Ed25519. It is nil for what is none.
func PrivateKey(text string) crypto.Signer {
	block, _ := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n")))
	if block == nil {
		return nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if key, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			if key, err = x509.ParseECPrivateKey(block.Bytes); err != nil {
				return nil
			}
		}
	}
	if signer, ok := key.(crypto.Signer); ok && (signing.Key{Signer: signer}).Check() == nil {
		return signer
	}
	return nil
}
