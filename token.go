package auth

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

	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
)

// maxTokenLife cuts what expires_in may say.
const maxTokenLife = 365 * 24 * time.Hour

// tokens is a checked answer of the token endpoint: RFC 6749 5.1.
type tokens struct {
	token   *oauth2.Token
	idToken string
	scope   string
	scoped  bool // whether the server said which scopes it granted
}

// tokenRequest is one exchange of a code.
type tokenRequest struct {
	provider string
	endpoint string
	method   ClientAuth
	client   client
	forms    bool // whether an answer may be form-encoded, as GitHub's may
}

func (p *OIDC) redeem(ctx context.Context, m *metadata, tx Transaction, code string) (*tokens, error) {
	c := &p.config
	t, err := tokenRequest{
		provider: c.Name, endpoint: m.token, method: m.clientAuth,
		client: client{c.ClientID, c.PrivateKeyID, c.ClientSecret, c.PrivateKey, c.Issuer, c.Now},
	}.send(ctx, p.client, tx, code)
	if err == nil && t.idToken == "" {
		err = fmt.Errorf("%w: the answer has no id_token", ErrInvalidResponse)
	}
	return t, err
}

// send posts the code, once: nothing is tried again, neither with other
// credentials nor elsewhere.
func (t tokenRequest) send(ctx context.Context, c *upstream.Client, tx Transaction, code string) (*tokens, error) {
	form := url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code},
		"redirect_uri":  {tx.RedirectURI},
		"code_verifier": {tx.Verifier},
	}
	header := http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}, "User-Agent": {userAgent}}
	if err := t.client.authenticate(t.method, header, form); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", t.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header = header
	req.GetBody = nil // so that not even a broken connection sends it again
	resp, err := c.Do(req, maxDocument)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	o, err := t.parse(resp)
	if err != nil {
		return nil, err
	}
	if o.Present("error") { // with status 200 too, as GitHub does
		code, _ := o.String("error")
		description, _ := o.String("error_description")
		return nil, providerError(t.provider, code, description)
	}
	if resp.Status != http.StatusOK && resp.Status != http.StatusCreated {
		return nil, statusError(resp.Status)
	}
	return readTokens(o, t.client.now())
}

func (t tokenRequest) parse(resp *upstream.Response) (strictjson.Object, error) {
	if resp.Status >= 500 || resp.Status == http.StatusTooManyRequests {
		return nil, statusError(resp.Status)
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if t.forms && media == "application/x-www-form-urlencoded" {
		return parseForm(resp.Body)
	}
	o, err := strictjson.Parse(resp.Body)
	switch {
	case err == nil:
		return o, nil
	case resp.Status == http.StatusUnauthorized:
		return nil, fmt.Errorf("%w: the token endpoint answered 401: are client id and secret right?", ErrMisconfigured)
	}
	return nil, fmt.Errorf("%w: the token endpoint answered status %d with %q, want a JSON object", ErrUnavailable, resp.Status, printable(media, 64))
}

func statusError(status int) error {
	return fmt.Errorf("%w: status %d", ErrUnavailable, status)
}

func parseForm(body []byte) (strictjson.Object, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("%w: the answer is malformed", ErrUnavailable)
	}
	o := strictjson.Object{}
	for name, v := range values {
		if len(v) > 1 {
			return nil, fmt.Errorf("%w: the answer has %s more than once", ErrInvalidResponse, printable(name, 64))
		}
		o[name] = []byte(strconv.Quote(v[0]))
	}
	return o, nil
}

func readTokens(o strictjson.Object, now time.Time) (*tokens, error) {
	access, _ := o.String("access_token")
	kind, _ := o.String("token_type")
	switch {
	case access == "":
		return nil, fmt.Errorf("%w: the answer has no access_token", ErrInvalidResponse)
	case !strings.EqualFold(kind, "bearer"):
		return nil, fmt.Errorf("%w: token_type is %q, want bearer", ErrInvalidResponse, printable(kind, 32))
	}
	t := &tokens{token: &oauth2.Token{AccessToken: access, TokenType: "Bearer", Expiry: expiry(o, now)}}
	t.token.RefreshToken, _ = o.String("refresh_token")
	t.idToken, _ = o.String("id_token")
	t.scope, t.scoped = o.String("scope")
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
