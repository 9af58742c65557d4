package codegrant

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
)

// ownParams are the parameters that carry the protocol. Nobody else sets them.
var ownParams = []string{"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce",
	"code_challenge", "code_challenge_method", "request", "request_uri", "client_secret"}

// CheckParams refuses extra parameters that the protocol has for itself.
func CheckParams(fixed url.Values, names []string) error {
	for _, own := range ownParams {
		if fixed.Has(own) || slices.Contains(names, own) {
			return fmt.Errorf("the parameter %q is the protocol's own", own)
		}
	}
	return nil
}

// AuthURL is the authorization request of RFC 6749 4.1.1, with PKCE S256
// always: metadata that does not name it cannot turn it off. The endpoint's own
// query stays; none of the parameters stands twice.
func AuthURL(endpoint *url.URL, clientID string, scopes []string, tx auth.Transaction, fixed url.Values, names []string, nonce string) string {
	u := *endpoint
	q := u.Query()
	for _, own := range ownParams {
		q.Del(own)
	}
	for name, values := range fixed {
		q[name] = values[:1]
	}
	for _, name := range names {
		if v := tx.Params.Get(name); v != "" {
			q.Set(name, v)
		}
	}
	q.Set("response_type", "code")
	q.Set("client_id", clientID)
	q.Set("redirect_uri", tx.RedirectURI)
	if len(scopes) > 0 {
		q.Set("scope", strings.Join(scopes, " "))
	}
	q.Set("state", tx.State)
	if nonce != "" {
		q.Set("nonce", nonce)
	}
	q.Set("code_challenge", oauth2.S256ChallengeFromVerifier(tx.Verifier))
	q.Set("code_challenge_method", "S256")
	u.RawQuery = q.Encode()
	return u.String()
}
