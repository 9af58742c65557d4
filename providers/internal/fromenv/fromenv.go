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
// first counts.
package fromenv

import (
	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
)

// Registration is the application as the identity provider knows it.
type Registration struct {
	Issuer       string // as the operator wrote it
	ClientID     string
	ClientSecret auth.Secret
}

// Cures say of each variable what its value is and where to find it. They end the
// line that an operator reads when it is not set.
type Cures struct {
	Issuer       string // if empty, the provider has no such variable, and none is read
	ClientID     string
	ClientSecret string
}

// Read reads the variables of the provider that they call name, such as "AUTH0". The
// error joins every problem that they have, each an [*envvar.Error]; it names the
// first spelling of what is not set, and holds no value.
func Read(env auth.Env, name string, cures Cures) (Registration, error) {
	r := envvar.NewReader(env)
	var reg Registration
	if cures.Issuer != "" {
		reg.Issuer = r.Need(cures.Issuer, name+"_ISSUER", "AUTH_"+name+"_ISSUER")
	}
	reg.ClientID = r.Need(cures.ClientID, name+"_CLIENT_ID", "AUTH_"+name+"_ID")
	reg.ClientSecret = auth.NewSecret(r.Need(cures.ClientSecret, name+"_CLIENT_SECRET", "AUTH_"+name+"_SECRET"))
	return reg, r.Err()
}
