package codegrant

import (
	"fmt"
	"net/url"
	"slices"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
)

// ownParams are the parameters that carry the protocol. Nobody else sets them.
var ownParams = []string{"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce",
	"code_challenge", "code_challenge_method", "request", "request_uri", "dpop_jkt", "client_secret"}

// CheckParams refuses extra parameters that are the protocol's own, in a provider's
// configuration and among those that a sign-in may bring, and fixed ones without a
// value.
func CheckParams(fixed url.Values, names []string) error {
	for _, own := range ownParams {
		if fixed.Has(own) || slices.Contains(names, own) {
			return fmt.Errorf("the parameter %q is the protocol's own", own)
		}
	}
	for name, values := range fixed {
		if len(values) == 0 {
			return fmt.Errorf("AuthParams: %q has no value", name)
		}
	}
	return nil
}

// AuthRequest is the authorization request of a provider: RFC 6749 4.1.1. It is
// safe for concurrent use.
type AuthRequest struct {
	Endpoint *url.URL // may have a query of its own, which stays: RFC 6749 3.1
	ClientID string
	Scopes   []string
	Fixed    url.Values // extra parameters, the same for everybody; see [CheckParams]
	Names    []string   // those of a transaction's parameters that are passed on
	Nonce    bool       // whether there will be an ID token to find the nonce in
	FormPost bool       // whether the answer is asked for as a form: OAuth 2.0 Form Post Response Mode 2
	BoundTo  string     // the thumbprint of the key that the code is bound to: RFC 9449 10; "" for none
	Signed   bool       // whether what is pushed is a JWT; see [AuthRequest.SignedURL]
	Dialect  Dialect
}

// URL is where the browser goes for tx.
//
// The challenge of PKCE is there, and always S256 (RFC 7636 4.2), unless the dialect
// has none: no metadata turns it off. Nothing stands twice: what the endpoint's own query says
// of a parameter that is sent here, or that is the protocol's, is left out.
func (r AuthRequest) URL(tx auth.Transaction) string {
	endpoint, options := r.parts(tx)
	config := oauth2.Config{
		ClientID:    r.ClientID,
		RedirectURL: tx.RedirectURI,
		Scopes:      r.Scopes,
		Endpoint:    oauth2.Endpoint{AuthURL: endpoint.String()},
	}
	address := config.AuthCodeURL(tx.State, options...)
	if r.Dialect.ClientID != "" || r.Dialect.Fragment != "" {
		address = r.Dialect.address(address)
	}
	return address
}

// query is the endpoint, with what stays of its own query, and all that is asked for.
func (r AuthRequest) query(tx auth.Transaction) (endpoint url.URL, request url.Values, err error) {
	endpoint, options := r.parts(tx)
	config := oauth2.Config{ClientID: r.ClientID, RedirectURL: tx.RedirectURI, Scopes: r.Scopes}
	address, err := url.Parse(config.AuthCodeURL(tx.State, options...))
	if err != nil {
		return endpoint, nil, Misconfigured("the authorization request is no address")
	}
	return endpoint, address.Query(), nil
}

// parts are the endpoint, with what stays of its own query, and what stands beside what
// x/oauth2 sends by itself.
func (r AuthRequest) parts(tx auth.Transaction) (endpoint url.URL, options []oauth2.AuthCodeOption) {
	endpoint = *r.Endpoint
	query := endpoint.Query()
	if !r.Dialect.InsecureNoPKCE {
		options = append(options, oauth2.S256ChallengeOption(tx.Verifier))
	}
	set := func(name, value string) {
		query.Del(name)
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	for _, own := range ownParams {
		query.Del(own)
	}
	for name := range r.Fixed {
		set(name, r.Fixed.Get(name))
	}
	for _, name := range r.Names {
		if v := tx.Params.Get(name); v != "" {
			set(name, v)
		}
	}
	if r.Nonce && tx.Nonce != "" {
		set("nonce", tx.Nonce)
	}
	if r.FormPost {
		set("response_mode", "form_post")
	}
	if r.BoundTo != "" {
		set("dpop_jkt", r.BoundTo)
	}
	endpoint.RawQuery, endpoint.ForceQuery = query.Encode(), false
	return endpoint, options
}

// Prompts is [auth.Prompter]'s, of a provider that heeds the values heeded, and of a
// request with these extra parameters.
func Prompts(heeded []string, fixed url.Values, names []string) (account, login string) {
	if fixed.Has("prompt") || !slices.Contains(names, "prompt") {
		return "", ""
	}
	if slices.Contains(heeded, "login") {
		account, login = "login", "login"
	}
	if slices.Contains(heeded, "select_account") {
		account = "select_account"
	}
	return account, login
}
