package oidc

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// maxOpaque bounds a token that is asked about, in bytes.
const maxOpaque = 4 << 10

// introspect asks the issuer about a token: RFC 7662 2. It is one call, in which the client
// authenticates as it does at the token endpoint.
func (p *Provider) introspect(ctx context.Context, token string) (strictjson.Object, error) {
	if token == "" || len(token) > maxOpaque {
		return nil, codegrant.Invalid("it has more than %d bytes", maxOpaque)
	}
	m, err := p.metadata.Get(ctx)
	if err != nil {
		return nil, err
	}
	if m.introspection == "" {
		return nil, codegrant.Misconfigured("the issuer has no introspection_endpoint: leave Introspect unset")
	}
	req, err := http.NewRequestWithContext(ctx, "POST", m.introspection, nil)
	if err != nil {
		return nil, err
	}
	req.Header = http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}, "User-Agent": {upstream.UserAgent}}
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	if err := p.clientAt(m).Authenticate(codegrant.Method(m.clientAuth), form, req); err != nil {
		return nil, err
	}
	body := form.Encode()
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	resp, err := p.client.Do(req, codegrant.MaxDocument)
	if err != nil {
		return nil, codegrant.Unavailable("introspection: %w", err)
	}
	return readIntrospection(resp, m.issuer)
}

// readIntrospection is RFC 7662 2.2. Whatever is no answer, a refusal of this client too,
// says nothing about the token: nobody can tell then.
func readIntrospection(r *upstream.Response, issuer string) (strictjson.Object, error) {
	switch r.Status {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, codegrant.Unavailable("introspection is answered with status %d: may this client ask, and is its secret right?", r.Status)
	default:
		return nil, codegrant.Unavailable("introspection is answered with status %d", r.Status)
	}
	o, err := strictjson.Parse(r.Body)
	if err != nil {
		return nil, codegrant.Unavailable("introspection is answered with no JSON object")
	}
	active, ok := o.Bool("active")
	switch {
	case !ok:
		return nil, codegrant.Unavailable("introspection does not say whether the token is active")
	case !active:
		return nil, codegrant.Invalid("it is not active")
	}
	if kind, there := o.String("token_type"); there && !strings.EqualFold(kind, "bearer") && !strings.EqualFold(kind, "access_token") {
		return nil, codegrant.Invalid("token_type is %q, want Bearer", codegrant.Printable(kind, 32))
	}
	if !o.Present("iss") {
		o["iss"], _ = json.Marshal(issuer) // text is always JSON
	}
	if err := checkIssuer(issuer, o, verificationKey{}); err != nil {
		return nil, err
	}
	return o, aboutClient(o)
}
