// Package fromenv reads from the environment what every provider needs: who the
// issuer is, and as which client the application is registered there. The variables
// follow one pattern, with NAME for the provider's name, and have two spellings each:
//
//	NAME_ISSUER         AUTH_NAME_ISSUER
//	NAME_CLIENT_ID      AUTH_NAME_ID
//	NAME_CLIENT_SECRET  AUTH_NAME_SECRET
//
// The first is the one that messages and documentation name, the second what Auth.js
// infers (https://authjs.dev/guides/environment-variables). Where both are set, the
// first counts. A provider under another id than its own, as one of several of its
// kind is, has variables of its own too, in the second spelling alone. What every
// provider takes beside them is [Settings].
package fromenv

import (
	"cmp"
	"errors"
	"strings"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/internal/upstream"
)

// Registration is the application as the identity provider knows it.
type Registration struct {
	Issuer       string // as the operator wrote it
	ClientID     string
	ClientSecret auth.Secret
	Settings     Settings
}

// Cures say of each variable what its value is and where to find it. They end the
// line that an operator reads when it is not set.
type Cures struct {
	Issuer        string // if empty, the provider has no such variable, and none is read
	DefaultIssuer string // where the variable is not set. If empty, it has to be
	ClientID      string
	ClientSecret  string
	OAuth2        bool // whether the provider has no ID tokens, and no settings for them

	// IDName and SecretName are spellings that messages and documentation name, and that
	// count before the two. If empty, there are those alone.
	IDName, SecretName string
}

// Variable is what variables call the provider id: "AZURE_AD" for "azure-ad".
func Variable(id string) string { return strings.ToUpper(strings.ReplaceAll(id, "-", "_")) }

// Read reads the variables of the provider id, whose own id is kind, such as "auth0".
// The error joins every problem that they have, each an [*envvar.Error]; it names the
// first spelling of what is not set, and holds no value.
func Read(env auth.Env, id, kind string, cures Cures) (Registration, error) {
	r := envvar.NewReader(env)
	name := Variable(id)
	spellings := func(first, second, third string) []string {
		switch {
		case id != kind:
			return []string{third}
		case first == "":
			return []string{second, third}
		}
		return []string{first, second, third}
	}
	reg := Registration{Issuer: cures.DefaultIssuer}
	if issuer := spellings("", name+"_ISSUER", "AUTH_"+name+"_ISSUER"); cures.Issuer != "" {
		reg.Issuer = cmp.Or(Address(r, cures.Issuer, issuer...), cures.DefaultIssuer)
		if reg.Issuer == "" {
			r.Problem(&envvar.Error{Variable: issuer[0], Problem: "is not set", Cure: cures.Issuer})
		}
	}
	reg.ClientID = r.Need(cures.ClientID, spellings(cures.IDName, name+"_CLIENT_ID", "AUTH_"+name+"_ID")...)
	reg.Settings = ReadSettings(r, name, cures.OAuth2)
	reg.ClientSecret = reg.Settings.Secret(r, cures.ClientSecret, spellings(cures.SecretName, name+"_CLIENT_SECRET", "AUTH_"+name+"_SECRET")...)
	return reg, r.Err()
}

// Address is [envvar.Reader.Get] for the address of a server: https, or http on
// loopback, with no query. It is the value as it stands, also where that is none, so
// that what is wrong is said once. cure says what it looks like.
func Address(r *envvar.Reader, cure string, names ...string) string {
	value, name := r.First(names...)
	if value == "" {
		return ""
	}
	if err := envvar.Check(name, value); err != nil {
		r.Problem(err)
		return value
	}
	u, err := upstream.CheckURL(value)
	switch {
	case errors.Is(err, upstream.ErrInsecure) && insecureHTTP(r):
	case errors.Is(err, upstream.ErrInsecure):
		r.Problem(&envvar.Error{Variable: name, Problem: "is no https address, and http is taken on this machine alone", Cure: "put TLS in front of the server, and write the address with https://, or set AUTH_INSECURE_HTTP=1 for a server on a private network; " + cure})
	case err != nil:
		r.Problem(&envvar.Error{Variable: name, Problem: "is no address of a server", Cure: "write it whole, with https:// in front, no user name and no #; " + cure})
	case u.RawQuery != "":
		r.Problem(&envvar.Error{Variable: name, Problem: "has a query in it", Cure: "leave out what begins with the question mark; " + cure})
	}
	return value
}
