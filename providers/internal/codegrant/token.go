package codegrant

import (
	"context"
	"fmt"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
)

// UserAgent is what the endpoints of a provider see.
const UserAgent = "sallyport"

// MaxDocument bounds an answer, in bytes after decompression.
const MaxDocument = 1 << 20

// maxTokenLife cuts what expires_in may say.
const maxTokenLife = 365 * 24 * time.Hour

// Tokens is a checked answer of the token endpoint: RFC 6749 5.1.
type Tokens struct {
	Token   *oauth2.Token
	IDToken string
	Scope   string
	Scoped  bool // whether the server said which scopes it granted
}

// TokenRequest is one exchange of a code.
type TokenRequest struct {
	Provider string
	Endpoint string
	Method   Method
	Client   Client
	Forms    bool // whether an answer may be form-encoded, as GitHub's may
}

// Send posts the code, once: nothing is tried again, neither with other
// credentials nor elsewhere.
func (t TokenRequest) Send(ctx context.Context, c *upstream.Client, tx auth.Transaction, code string) (*Tokens, error) {
	form := url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code},
		"redirect_uri":  {tx.RedirectURI},
		"code_verifier": {tx.Verifier},
	}
	header := http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}, "User-Agent": {UserAgent}}
	if err := t.Client.authenticate(t.Method, header, form); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", t.Endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header = header
	req.GetBody = nil // so that not even a broken connection sends it again
	resp, err := c.Do(req, MaxDocument)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
	}
	o, err := t.parse(resp)
	if err != nil {
		return nil, err
	}
	if o.Present("error") { // with status 200 too, as GitHub does
		code, _ := o.String("error")
		description, _ := o.String("error_description")
		return nil, ProviderError(t.Provider, code, description)
	}
	if resp.Status != http.StatusOK && resp.Status != http.StatusCreated {
		return nil, BadStatus(resp.Status)
	}
	return readTokens(o, t.Client.Now())
}

func (t TokenRequest) parse(resp *upstream.Response) (strictjson.Object, error) {
	if resp.Status >= 500 || resp.Status == http.StatusTooManyRequests {
		return nil, BadStatus(resp.Status)
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if t.Forms && media == "application/x-www-form-urlencoded" {
		return parseForm(resp.Body)
	}
	o, err := strictjson.Parse(resp.Body)
	switch {
	case err == nil:
		return o, nil
	case resp.Status == http.StatusUnauthorized:
		return nil, fmt.Errorf("%w: the token endpoint answered 401: are client id and secret right?", auth.ErrMisconfigured)
	}
	return nil, fmt.Errorf("%w: the token endpoint answered status %d with %q, want a JSON object", auth.ErrUnavailable, resp.Status, Printable(media, 64))
}

func parseForm(body []byte) (strictjson.Object, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("%w: the answer is malformed", auth.ErrUnavailable)
	}
	o := strictjson.Object{}
	for name, v := range values {
		if len(v) > 1 {
			return nil, fmt.Errorf("%w: the answer has %s more than once", auth.ErrInvalidResponse, Printable(name, 64))
		}
		o[name] = []byte(strconv.Quote(v[0]))
	}
	return o, nil
}

func readTokens(o strictjson.Object, now time.Time) (*Tokens, error) {
	access, _ := o.String("access_token")
	kind, _ := o.String("token_type")
	switch {
	case access == "":
		return nil, fmt.Errorf("%w: the answer has no access_token", auth.ErrInvalidResponse)
	case !strings.EqualFold(kind, "bearer"):
		return nil, fmt.Errorf("%w: token_type is %q, want bearer", auth.ErrInvalidResponse, Printable(kind, 32))
	}
	t := &Tokens{Token: &oauth2.Token{AccessToken: access, TokenType: "Bearer", Expiry: expiry(o, now)}}
	t.Token.RefreshToken, _ = o.String("refresh_token")
	t.IDToken, _ = o.String("id_token")
	t.Scope, t.Scoped = o.String("scope")
	return t, nil
}

// expiry reads expires_in, a number or, from some servers, its text. What makes
// no sense is unknown: zero.
func expiry(o strictjson.Object, now time.Time) time.Time {
	seconds, ok := o.Int("expires_in")
	if text, isText := o.String("expires_in"); isText {
		n, err := strconv.ParseInt(text, 10, 64)
		seconds, ok = n, err == nil
	}
	if !ok || seconds <= 0 || seconds == math.MaxInt64 {
		return time.Time{}
	}
	return now.Add(time.Duration(min(seconds, int64(maxTokenLife/time.Second))) * time.Second)
}
