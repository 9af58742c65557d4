package apple

import (
	"crypto/ecdsa"
	"net/http"
	"strings"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers/internal/fromenv"
	"github.com/sallyport/auth/providers/internal/oidcenv"
	"github.com/sallyport/auth/providers/oidc"
)

// FromEnv is the [auth.ProviderFactory] of "apple". The private key is the text of the
// .p8 file, in which \n may stand for line breaks.
func FromEnv(env auth.Env, id string, client *http.Client) (auth.Provider, error) {
	name := fromenv.Variable(id)
	variable := "AUTH_" + name + "_PRIVATE_KEY"
	r := envvar.NewReader(env)
	c := Config{
		ClientID:   r.Need("it is the identifier of the Services ID, such as com.example.web", "AUTH_"+name+"_ID"),
		TeamID:     r.Need("Apple shows it under Membership details", "AUTH_"+name+"_TEAM_ID"),
		KeyID:      r.Need("Apple shows it with the key, under Keys", "AUTH_"+name+"_KEY_ID"),
		HTTPClient: client,
	}
	switch text, _ := r.First(variable); {
	case text == "":
		r.Problem(&envvar.Error{Variable: variable, Problem: "is not set", Cure: "set it to the text of the .p8 file that Apple gave with the key"})
	default:
		var ok bool
		if c.PrivateKey, ok = fromenv.PrivateKey(text).(*ecdsa.PrivateKey); !ok {
			r.Problem(&envvar.Error{Variable: variable, Problem: "is no ECDSA P-256 key", Cure: "set it to the text of the .p8 file that Apple gave with the key, from BEGIN to END, whose line breaks may be written \\n"})
		}
	}
	// How a client authenticates is not the operator's to choose, and the key is no
	// private_key_jwt's.
	others := envvar.NewReader(func(n string) string {
		if strings.HasPrefix(n, variable) || n == "AUTH_"+name+"_CLIENT_AUTH" {
			return ""
		}
		return env(n)
	})
	settings := fromenv.ReadSettings(others, name, false)
	r.Problem(others.Err())
	if err := r.Err(); err != nil {
		return nil, err
	}
	config := c.oidc()
	config.Name = id
	p, err := oidcenv.New(config, settings)
	if err != nil {
		return nil, err
	}
	return &provider{p.(*oidc.Provider)}, nil
}
