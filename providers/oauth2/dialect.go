package oauth2

import "github.com/sallyport/auth/providers/internal/codegrant"

// Dialect is where a server departs from RFC 6749 and RFC 7636, as some do that are
// older, or of another mind. The zero value departs nowhere. What holds for every
// answer holds in each dialect.
type Dialect struct {
	// ClientID and ClientSecret are what the parameters of that name are called. If
	// empty, client_id and client_secret.
	ClientID, ClientSecret string

	// TokenJSON sends the token request as a JSON object (Feishu); TokenQuery as a GET
	// (WeChat), in whose query the secret then stands: whoever logs the addresses of
	// outgoing requests, a proxy perhaps, has it. Both want ClientAuth to be
	// client_secret_post or empty. The code is sent once all the same.
	TokenJSON, TokenQuery bool

	// ErrorCode is a member of the token answer, a number, with which the server
	// refuses, whatever the status is, unless it is 0; ErrorText explains it. If empty,
	// the members of RFC 6749 5.2 alone do.
	ErrorCode, ErrorText string

	// Errors says what an ErrorCode, in decimal, means: one of package auth's errors.
	// For others it is [auth.ErrInvalidResponse], or what "error" says.
	Errors map[string]error

	Extra    []string // members of the token answer, texts, that [API.Token] has as Extra
	Fragment string   // what the address of the authorization request ends with, behind a #

	// InsecureNoPKCE sends neither challenge nor verifier. Only the secret then keeps
	// others from redeeming a code, and a stolen code can be brought to a sign-in that
	// its thief began (RFC 9700 4.5). It MUST NOT be set unless the server refuses a
	// client that sends them.
	InsecureNoPKCE bool
}

// problem says what cannot be, or "".
func (d Dialect) problem(method codegrant.Method) string {
	switch {
	case d.TokenJSON && d.TokenQuery:
		return "TokenJSON and TokenQuery contradict each other"
	case (d.TokenJSON || d.TokenQuery) && method != codegrant.ClientSecretPost:
		return "TokenJSON and TokenQuery go with client_secret_post"
	case d.InsecureNoPKCE && method == codegrant.None:
		return "InsecureNoPKCE: a client without a secret has nothing else to show"
	}
	return ""
}
