package codegrant

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/sallyport/auth/internal/strictjson"
)

// Dialect is where a server departs from RFC 6749 and RFC 7636. The zero value is
// those documents.
type Dialect struct {
	ClientID     string // the parameter's name. If empty, client_id
	ClientSecret string // likewise; client_secret

	TokenJSON  bool // the token request is a JSON object, and no form
	TokenQuery bool // the token request is a GET, and the secret and the code stand in its query

	ErrorCode string           // a member of the token answer: a number, and anything but 0 refuses. If empty, there is none
	ErrorText string           // a member that explains it
	Errors    map[string]error // what codes mean, beside those of RFC 6749, by number in decimal

	Extra    []string // further members of the token answer, texts, to have in the token's Extra
	Fragment string   // stands behind the address of the authorization request

	InsecureNoPKCE bool // neither challenge nor verifier is sent
}

// address is the address of an authorization request as d has it.
func (d Dialect) address(standard string) string {
	u, err := url.Parse(standard)
	if err != nil {
		return standard
	}
	query := u.Query()
	if d.ClientID != "" {
		query.Set(d.ClientID, query.Get("client_id"))
		query.Del("client_id")
	}
	u.RawQuery, u.Fragment = query.Encode(), d.Fragment
	return u.String()
}

// refusal is the code of an answer that says no in the server's own way, or "".
func (d Dialect) refusal(o strictjson.Object) string {
	if d.ErrorCode == "" || !o.Present(d.ErrorCode) {
		return ""
	}
	number, isNumber := o.Int(d.ErrorCode)
	text, _ := o.String(d.ErrorCode)
	switch {
	case string(o[d.ErrorCode]) == "0": // and not what is cut to it
		return ""
	case isNumber:
		return strconv.FormatInt(number, 10)
	}
	return cmp.Or(text, "unreadable")
}

// transport is next for x/oauth2, whose request for a token is a form in any case.
func (d Dialect) transport(next http.RoundTripper) http.RoundTripper {
	if !d.TokenJSON && !d.TokenQuery && d.ClientID == "" && d.ClientSecret == "" {
		return next
	}
	return translated{d, next}
}

type translated struct {
	dialect Dialect
	next    http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t translated) RoundTrip(req *http.Request) (*http.Response, error) {
	defer req.Body.Close()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	for name, own := range map[string]string{"client_id": t.dialect.ClientID, "client_secret": t.dialect.ClientSecret} {
		if own != "" && form.Has(name) {
			form.Set(own, form.Get(name))
			form.Del(name)
		}
	}
	said := req.Clone(req.Context())
	switch {
	case t.dialect.TokenQuery:
		query := said.URL.Query()
		for name := range form {
			query.Set(name, form.Get(name))
		}
		said.Method, said.URL.RawQuery = "GET", query.Encode()
		said.Header.Del("Content-Type")
		// A body, though an empty one, which cannot be had again: net/http sends a GET
		// without one a second time where the connection breaks.
		said.Body, said.ContentLength = io.NopCloser(strings.NewReader("")), 0
		return t.next.RoundTrip(said)
	case t.dialect.TokenJSON:
		object := map[string]string{}
		for name := range form {
			object[name] = form.Get(name)
		}
		if body, err = json.Marshal(object); err != nil {
			return nil, err
		}
		said.Header.Set("Content-Type", "application/json; charset=utf-8")
	default:
		body = []byte(form.Encode())
	}
	said.Body, said.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
	return t.next.RoundTrip(said)
}
