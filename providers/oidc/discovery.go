package oidc

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

const maxKeySet = 512 << 10

// metadata is what an issuer says of itself, checked: OpenID Connect Discovery 3.
type metadata struct {
	issuer        string // of its ID tokens; may have codegrant.TenantMark in it
	authorization *url.URL
	token         string
	keys          string
	userinfo      string // may be empty
	algorithms    []jose.SignatureAlgorithm
	clientAuth    ClientAuth
	issInResponse bool // RFC 9207 3
}

func (p *Provider) discover(ctx context.Context) (*metadata, error) {
	address := strings.TrimRight(p.config.Issuer, "/") + "/.well-known/openid-configuration"
	req, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := p.client.Do(req, codegrant.MaxDocument)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
	}
	if resp.Status == http.StatusNotFound {
		return nil, fmt.Errorf("%w: there is no discovery document at %s: is the issuer right?", auth.ErrMisconfigured, address)
	}
	if resp.Status != http.StatusOK {
		return nil, fmt.Errorf("%w: the discovery document is answered with status %d", auth.ErrUnavailable, resp.Status)
	}
	o, err := strictjson.Parse(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("%w: the discovery document is no JSON object", auth.ErrUnavailable)
	}
	return p.checkMetadata(o)
}

func (p *Provider) checkMetadata(o strictjson.Object) (*metadata, error) {
	want := firstOf(p.config.IssuerTemplate, p.config.Issuer)
	m := &metadata{}
	if m.issuer, _ = o.String("issuer"); m.issuer != want && !isTenantOf(want, m.issuer) {
		// Discovery 4.3: exactly. A trailing slash counts.
		return nil, fmt.Errorf("%w: the issuer calls itself %.200q, and the configuration calls it %q: they must be the same to the letter", auth.ErrMisconfigured, m.issuer, want)
	}
	endpoint := func(name string, required bool) (*url.URL, error) {
		raw, _ := o.String(name)
		if raw == "" && !required {
			return nil, nil
		}
		u, err := upstream.CheckURL(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: the issuer's %s: %w", auth.ErrMisconfigured, name, err)
		}
		if u.Scheme == "http" && !strings.HasPrefix(p.config.Issuer, "http:") {
			return nil, fmt.Errorf("%w: the issuer's %s is not https", auth.ErrMisconfigured, name)
		}
		return u, nil
	}
	var err error
	if m.authorization, err = endpoint("authorization_endpoint", true); err != nil {
		return nil, err
	}
	token, err := endpoint("token_endpoint", true)
	if err != nil {
		return nil, err
	}
	keys, err := endpoint("jwks_uri", true)
	if err != nil {
		return nil, err
	}
	userinfo, err := endpoint("userinfo_endpoint", false)
	if err != nil {
		return nil, err
	}
	m.token, m.keys = token.String(), keys.String()
	if userinfo != nil {
		m.userinfo = userinfo.String()
	}
	m.issInResponse, _ = o.Bool("authorization_response_iss_parameter_supported")
	if m.algorithms, err = p.agreeOnAlgorithms(o); err != nil {
		return nil, err
	}
	m.clientAuth, err = p.agreeOnClientAuth(o)
	return m, err
}

// isTenantOf reports whether issuer is template with a GUID in the mark's place:
// how Microsoft answers a tenant that is asked for by one of its domains.
func isTenantOf(template, issuer string) bool {
	before, after, ok := strings.Cut(template, codegrant.TenantMark)
	rest, starts := strings.CutPrefix(issuer, before)
	id, ends := strings.CutSuffix(rest, after)
	return ok && starts && ends && guid.MatchString(id)
}

// agreeOnAlgorithms takes those of ours that the issuer has: metadata cannot
// widen the list (RFC 8725 3.1).
func (p *Provider) agreeOnAlgorithms(o strictjson.Object) ([]jose.SignatureAlgorithm, error) {
	theirs, ok := o.Strings("id_token_signing_alg_values_supported")
	if !ok {
		theirs = []string{"RS256"}
	}
	var both []jose.SignatureAlgorithm
	for _, a := range p.config.Algorithms {
		if slices.Contains(theirs, a) {
			both = append(both, jose.SignatureAlgorithm(a))
		}
	}
	if both == nil {
		return nil, fmt.Errorf("%w: the issuer signs ID tokens with %.200q, and only %q are accepted: give it a signing key of such a kind", auth.ErrMisconfigured, theirs, p.config.Algorithms)
	}
	return both, nil
}

func (p *Provider) agreeOnClientAuth(o strictjson.Object) (ClientAuth, error) {
	switch {
	case p.config.ClientAuth != "":
		return p.config.ClientAuth, nil
	case p.config.PrivateKey != nil:
		return PrivateKeyJWT, nil
	}
	theirs, ok := o.Strings("token_endpoint_auth_methods_supported")
	switch {
	case !ok || slices.Contains(theirs, string(ClientSecretBasic)):
		return ClientSecretBasic, nil
	case slices.Contains(theirs, string(ClientSecretPost)):
		return ClientSecretPost, nil
	}
	return "", fmt.Errorf("%w: the issuer wants clients to authenticate by %.200q, which a client secret cannot", auth.ErrMisconfigured, theirs)
}
