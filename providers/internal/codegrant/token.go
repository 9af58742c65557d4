package codegrant

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/dpop"
)

// MaxDocument bounds an answer of a provider, in bytes after decompression.
const MaxDocument = 1 << 20

// maxTokenLife cuts what expires_in may say.
const maxTokenLife = 365 * 24 * time.Hour

// TokenRequest is one request to a token endpoint: RFC 6749 4.1.3 and 6.
type TokenRequest struct {
	Provider string // for errors
	Endpoint string // the token endpoint's address
	Method   Method // how the client authenticates; never guessed
	Client   Client // who we are there
	Forms    bool   // whether an answer may be form-encoded, as GitHub's may
	Dialect  Dialect
}

// answer is what x/oauth2 is given of an answer: members by their exact names, of
// the types that they should have. It would take ACCESS_TOKEN for access_token,
// the last of two, and fail at an expires_in that is no 32-bit number.
type answer struct {
	AccessToken  string  `json:"access_token"`
	TokenType    string  `json:"token_type"`
	ExpiresIn    int64   `json:"expires_in,omitempty"` // seconds; 0 for unknown
	RefreshToken string  `json:"refresh_token,omitempty"`
	IDToken      string  `json:"id_token,omitempty"`
	Scope        *string `json:"scope,omitempty"`

	extra map[string]string // those of the dialect
}

// Exchange redeems code. The token's Extra has "id_token", "scope" and what the dialect
// adds, where the answer has them as strings; its Expiry is by the client's clock, and zero where
// expires_in makes no sense.
//
// The code is sent at most once: nothing is tried again, neither with other
// credentials nor elsewhere, but for a proof without the nonce that the server wants
// (RFC 9449 8). An error holds nothing of the answer but the error
// code and its description, cut and printable, as an [*auth.ProviderError].
func (t TokenRequest) Exchange(ctx context.Context, c *upstream.Client, tx auth.Transaction, code string) (*oauth2.Token, error) {
	return t.send(ctx, c, func(ctx context.Context, config *oauth2.Config, params url.Values) (*oauth2.Token, error) {
		config.RedirectURL = tx.RedirectURI
		var options []oauth2.AuthCodeOption
		for name := range params {
			options = append(options, oauth2.SetAuthURLParam(name, params.Get(name)))
		}
		if !t.Dialect.InsecureNoPKCE {
			options = append(options, oauth2.VerifierOption(tx.Verifier))
		}
		return config.Exchange(ctx, code, options...)
	})
}

// send has request make the one request of x/oauth2's, as the client and with what else
// its authentication needs.
func (t TokenRequest) send(ctx context.Context, c *upstream.Client, request func(context.Context, *oauth2.Config, url.Values) (*oauth2.Token, error)) (*oauth2.Token, error) {
	token, call, err := t.once(ctx, c, request)
	var said *auth.ProviderError
	if errors.As(err, &said) && said.Code == "use_dpop_nonce" && call.HasNonce() {
		// Which redeems nothing: RFC 9449 8.
		token, _, err = t.once(ctx, c, request)
	}
	return token, err
}

func (t TokenRequest) once(ctx context.Context, c *upstream.Client, request func(context.Context, *oauth2.Config, url.Values) (*oauth2.Token, error)) (*oauth2.Token, *dpop.Call, error) {
	config, params, err := t.Client.config(t.Method)
	if err != nil {
		return nil, nil, err
	}
	config.Endpoint.TokenURL = t.Endpoint
	var call *dpop.Call
	var lifetime time.Duration
	var extra map[string]string
	gate := c.Gate(MaxDocument, func(r *upstream.Response) error {
		call.Answered(r.Header)
		a, err := t.read(r)
		if err != nil {
			return err
		}
		lifetime, extra = time.Duration(a.ExpiresIn)*time.Second, a.extra
		r.Status, r.Header = http.StatusOK, http.Header{"Content-Type": {"application/json"}}
		r.Body, err = json.Marshal(a) // #nosec G117 -- for x/oauth2, in memory
		return err
	})
	call = t.Client.DPoP.Call(gate)
	client := &http.Client{Transport: t.Dialect.transport(call)}
	token, err := request(context.WithValue(ctx, oauth2.HTTPClient, client), config, params)
	if err := gate.Err(); err != nil {
		return nil, call, err
	}
	if err != nil {
		return nil, call, Invalid("the answer is not understood") // err may quote it
	}
	token.Expiry = time.Time{}
	if lifetime > 0 {
		token.Expiry = t.Client.Now().Add(lifetime)
	}
	if extra != nil {
		all := map[string]any{"id_token": token.Extra("id_token"), "scope": token.Extra("scope")}
		for name, value := range extra {
			all[name] = value
		}
		token = token.WithExtra(all)
	}
	return token, call, nil
}

// read is RFC 6749 5: a token, or why there is none.
func (t TokenRequest) read(r *upstream.Response) (*answer, error) {
	o, err := t.parse(r)
	if err != nil {
		return nil, err
	}
	a := &answer{TokenType: "Bearer", ExpiresIn: min(seconds(o, "expires_in"), int64(maxTokenLife/time.Second))}
	a.AccessToken, _ = o.String("access_token")
	code, isText := o.String("error")
	// With status 200 too, as GitHub does. An empty text beside a token is no error:
	// servers that write their answer from one struct have it, and RFC 6749 A.7 wants a
	// code to have a character.
	own := t.Dialect.refusal(o)
	if own != "" || o.Present("error") && (!isText || code != "" || a.AccessToken == "") {
		description, _ := o.String("error_description")
		text, _ := o.String(t.Dialect.ErrorText)
		err := ProviderError(t.Provider, cmp.Or(code, own), cmp.Or(description, text))
		if class := t.Dialect.Errors[own]; class != nil {
			err.Err = class
		}
		// Keycloak and Glewlwyd call a wrong secret unauthorized_client. With 401 or 403, it
		// is the client's authentication that failed (RFC 6749 5.2), whatever the code.
		unauthorized := code == "unauthorized_client" && (r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden)
		refused := code == "invalid_client" || unauthorized
		if refused && errors.Is(err, auth.ErrMisconfigured) {
			return nil, t.explain(err)
		}
		return nil, err
	}
	if r.Status != http.StatusOK && r.Status != http.StatusCreated {
		return nil, BadStatus(r.Status)
	}
	for _, name := range t.Dialect.Extra {
		if text, ok := o.String(name); ok {
			if a.extra == nil {
				a.extra = map[string]string{}
			}
			a.extra[name] = text
		}
	}
	a.RefreshToken, _ = o.String("refresh_token")
	a.IDToken, _ = o.String("id_token")
	if scope, ok := o.String("scope"); ok {
		a.Scope = &scope
	}
	kind, _ := o.String("token_type")
	switch {
	case a.AccessToken == "":
		return nil, Invalid("the answer has no access_token")
	case t.Client.DPoP != nil: // RFC 9449 5: no other type is bound to the key
		if !strings.EqualFold(kind, dpop.Scheme) {
			return nil, Misconfigured("token_type is %q, want DPoP: has the client bound tokens at the provider, and can the provider do that?", Printable(kind, 32))
		}
		a.TokenType = dpop.Scheme
	case !o.Present("token_type"):
		// RFC 6749 5.1 requires it, and some servers have only ever had the one type, and
		// leave it out. What comes is used as a bearer token, and by a server that wants
		// another kind it is refused.
	case !strings.EqualFold(kind, "bearer"): // RFC 6749 7.1: a type that is not understood is not used
		return nil, Misconfigured("token_type is %q, want bearer", Printable(kind, 32))
	}
	return a, nil
}

func (t TokenRequest) parse(r *upstream.Response) (strictjson.Object, error) {
	if r.Status >= 500 || r.Status == http.StatusTooManyRequests {
		return nil, t.unavailable(r)
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if t.Forms && media == "application/x-www-form-urlencoded" {
		return parseForm(r.Body)
	}
	o, err := strictjson.Parse(r.Body)
	switch {
	case err == nil:
		return o, nil
	case r.Status == http.StatusUnauthorized:
		return nil, t.explain(Misconfigured("the token endpoint answered 401"))
	}
	return nil, Unavailable("the token endpoint answered status %d with %q, want a JSON object", r.Status, Printable(media, 64))
}

// unavailable is a server that fails. What it says of the failure is for the log; the
// class stays, whatever the code is: nothing is known of the code that was sent.
func (t TokenRequest) unavailable(r *upstream.Response) error {
	o, err := strictjson.Parse(r.Body)
	code, _ := o.String("error")
	if err != nil || code == "" {
		return BadStatus(r.Status)
	}
	description, _ := o.String("error_description")
	said := &auth.ProviderError{Provider: t.Provider, Code: Printable(code, 64), Description: Printable(description, 200), Err: auth.ErrUnavailable}
	return fmt.Errorf("status %d: %w", r.Status, said)
}

// explain adds to a refused client what to look at: the secret, where there is one, and
// how it was sent, for some servers (Ory Hydra) take it from each client in one way
// alone, and their metadata lists all. Or what is the cause more often, where it can be:
// the server compares what RFC 6749 2.3.1 has us encode as it came. To find out by
// trying would take the code, which is sent once.
func (t TokenRequest) explain(err error) error {
	switch {
	case t.Method == PrivateKeyJWT:
		return fmt.Errorf("%w: does the provider have the public half of this private key?", err)
	case t.Method == None:
		return fmt.Errorf("%w: is the client id right, and that of a public client?", err)
	case t.Method != ClientSecretBasic || !NeedsEncoding(t.Client.ID, t.Client.Secret):
		return fmt.Errorf("%w: are client id and secret right? They went by %s; where the provider has another method down for this client, "+
			"set ClientAuth (in the environment AUTH_%s_CLIENT_AUTH)", err, t.Method, Variable(t.Provider))
	}
	return fmt.Errorf(`%w; the secret or the id has characters that client_secret_basic encodes (RFC 6749 2.3.1: + / = and others), `+
		`which some servers do not decode (Casdoor, LemonLDAP): set ClientAuth (in the environment AUTH_%s_CLIENT_AUTH) to client_secret_post, `+
		`or choose a secret of letters and digits`, err, Variable(t.Provider))
}

// Variable is what variables of the environment call a provider: "AZURE_AD" for
// "azure-ad".
func Variable(provider string) string { return strings.ToUpper(strings.ReplaceAll(provider, "-", "_")) }

// parseForm reads an answer that is form-encoded, as JSON would be.
func parseForm(body []byte) (strictjson.Object, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, Unavailable("the answer is malformed")
	}
	o := strictjson.Object{}
	for name, v := range values {
		if len(v) > 1 {
			return nil, Invalid("the answer has %s more than once", Printable(name, 64))
		}
		if !utf8.ValidString(v[0]) {
			continue // no text: as good as absent
		}
		if o[name], err = json.Marshal(v[0]); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// seconds reads a number of seconds or, from some servers, its text. What makes no sense
// is unknown: 0.
func seconds(o strictjson.Object, name string) int64 {
	n, ok := o.Int(name)
	if text, isText := o.String(name); isText {
		parsed, err := strconv.ParseInt(text, 10, 64)
		n, ok = parsed, err == nil
	}
	if !ok || n <= 0 || n == math.MaxInt64 {
		return 0
	}
	return n
}
