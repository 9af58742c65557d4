package oidc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// wellKnown is where metadata is, below an issuer without a slash at its end:
// Discovery 4.
const wellKnown = "/.well-known/openid-configuration"

// metadata is what an issuer says of itself, checked: OpenID Connect Discovery 3.
type metadata struct {
	provider      *gooidc.Provider
	issuer        string   // of its ID tokens; may have a tenant's mark in it
	authorization *url.URL // the endpoints, each of them https unless the issuer is http
	pushed        string   // RFC 9126 5; empty where nothing is to be sent there
	token         string
	keys          string
	userinfo      string   // may be empty
	introspection string   // RFC 8414 2; may be empty
	endSession    *url.URL // nil where there is none
	revocation    string   // may be empty
	device        string   // RFC 8628 4; may be empty
	algorithms    []string
	clientAuth    ClientAuth
	clock         time.Duration // how far the issuer's is ahead

	signedRequests                         bool // RFC 9101 10.5, or as configured
	assertionAlgorithms, requestAlgorithms []string
	issInResponse                          bool // RFC 9207 3
}

// discover is OpenID Connect Discovery 4, by go-oidc. The error wraps
// [auth.ErrMisconfigured] where the operator has something to mend, here or at the
// issuer, and otherwise [auth.ErrUnavailable].
func (p *Provider) discover(ctx context.Context) (*metadata, error) {
	var document strictjson.Object
	var clock time.Duration
	gate := p.client.Gate(codegrant.MaxDocument, func(r *upstream.Response) (err error) {
		clock = clockOf(r.Header, p.config.Now())
		document, err = p.readDiscovery(r)
		return err
	})
	ctx = gooidc.ClientContext(ctx, gate.HTTPClient())
	if name := cmp.Or(p.config.IssuerTemplate, p.config.Issuer); name != p.address() {
		// The issuer has another name than the address that it is asked at. This
		// makes go-oidc not compare them; checkMetadata does.
		ctx = gooidc.InsecureIssuerURLContext(ctx, name)
	}
	provider, err := gooidc.NewProvider(ctx, p.address())
	if err := gate.Err(); err != nil {
		return nil, err
	}
	var mismatch *gooidc.IssuerMismatchError
	switch {
	case errors.As(err, &mismatch):
		return nil, anotherIssuer(mismatch.Discovered, mismatch.Provided)
	case err != nil:
		return nil, codegrant.Unavailable("the discovery document is not understood") // err may quote it
	}
	m, err := p.checkMetadata(provider, document)
	if err != nil {
		return nil, err
	}
	m.clock = clock
	return m, nil
}

// address is what the metadata is below.
func (p *Provider) address() string { return cmp.Or(p.config.DiscoveryURL, p.config.Issuer) }

// readDiscovery keeps the document, and leaves go-oidc the members that it reads.
func (p *Provider) readDiscovery(r *upstream.Response) (strictjson.Object, error) {
	switch r.Status {
	case http.StatusOK:
	case http.StatusNotFound:
		where := strings.TrimSuffix(p.address(), "/") + wellKnown
		if p.internal != nil {
			return nil, codegrant.Misconfigured("there is no discovery document for %s at InternalURL %s: are both right?", where, p.internal)
		}
		return nil, codegrant.Misconfigured("there is no discovery document at %s: is the issuer right?", where)
	default:
		return nil, codegrant.Unavailable("the discovery document is answered with status %d", r.Status)
	}
	o, err := strictjson.Parse(r.Body)
	if err != nil {
		return nil, codegrant.Unavailable("the discovery document is no JSON object")
	}
	var known struct {
		Issuer     string   `json:"issuer"`
		AuthURL    string   `json:"authorization_endpoint"`
		TokenURL   string   `json:"token_endpoint"`
		KeysURL    string   `json:"jwks_uri"`
		InfoURL    string   `json:"userinfo_endpoint"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if known.Issuer, _ = o.String("issuer"); p.isIssuer(known.Issuer) {
		known.Issuer = p.config.Issuer // go-oidc knows of no other spelling
	}
	known.AuthURL, _ = o.String("authorization_endpoint")
	known.TokenURL, _ = p.endpoint(o, "token_endpoint")
	known.KeysURL, _ = o.String("jwks_uri")
	known.InfoURL, _ = p.endpoint(o, "userinfo_endpoint")
	known.Algorithms, _ = o.Strings("id_token_signing_alg_values_supported")
	r.Header = http.Header{"Content-Type": {"application/json"}}
	r.Body, err = json.Marshal(known)
	return o, err
}

// checkMetadata holds the document to what go-oidc takes as it comes: it compares
// issuers only where there is no template, and believes in any endpoint.
func (p *Provider) checkMetadata(provider *gooidc.Provider, o strictjson.Object) (*metadata, error) {
	m := &metadata{provider: provider}
	m.issuer, _ = o.String("issuer")
	if want := cmp.Or(p.config.IssuerTemplate, p.config.Issuer); m.issuer != want && !isTenantOf(want, m.issuer) && !p.isIssuer(m.issuer) {
		return nil, anotherIssuer(m.issuer, want)
	}
	if p.config.TrustEmail && strings.Contains(m.issuer, codegrant.TenantMark) {
		return nil, codegrant.Misconfigured("TrustEmail is for an issuer of the operator's own, and %.200q is one of many tenants: name yours", m.issuer)
	}
	wanted, _ := o.Bool("require_signed_request_object")
	if m.signedRequests = wanted || p.config.SignedRequests; m.signedRequests && p.config.PrivateKey == nil {
		return nil, codegrant.Misconfigured("the issuer takes signed request objects (RFC 9101) alone: set PrivateKey, or let the client do without at the provider")
	}
	m.assertionAlgorithms, _ = o.Strings("token_endpoint_auth_signing_alg_values_supported")
	m.requestAlgorithms, _ = o.Strings("request_object_signing_alg_values_supported")
	var err error
	if m.pushed, err = p.pushedEndpoint(o); err != nil {
		return nil, err
	}
	endpoint := provider.Endpoint()
	if m.authorization, err = p.checkEndpoint("authorization_endpoint", endpoint.AuthURL); err != nil {
		return nil, err
	}
	token, err := p.checkEndpoint("token_endpoint", endpoint.TokenURL)
	if err != nil {
		return nil, err
	}
	address, _ := o.String("jwks_uri")
	keys, err := p.checkEndpoint("jwks_uri", address)
	if err != nil {
		return nil, err
	}
	m.token, m.keys = token.String(), keys.String()
	if address := provider.UserInfoEndpoint(); address != "" {
		userinfo, err := p.checkEndpoint("userinfo_endpoint", address)
		if err != nil {
			return nil, err
		}
		m.userinfo = userinfo.String()
	}
	if address, _ := p.endpoint(o, "introspection_endpoint"); address != "" && p.config.Introspect {
		introspection, err := p.checkEndpoint("introspection_endpoint", address)
		if err != nil {
			return nil, err
		}
		m.introspection = introspection.String()
	}
	m.endSession, m.revocation, m.device = p.endSessionEndpoint(o), p.optionalEndpoint(o, "revocation_endpoint"), p.optionalEndpoint(o, "device_authorization_endpoint")
	m.issInResponse, _ = o.Bool("authorization_response_iss_parameter_supported")
	m.issInResponse = m.issInResponse || p.config.FAPI2
	if m.algorithms, err = p.agreeOnAlgorithms(o); err != nil {
		return nil, err
	}
	if m.clientAuth, err = p.agreeOnClientAuth(o); err != nil {
		return nil, err
	}
	return m, m.certified()
}

// endpoint is the address of one that this server calls: among those that look at a
// certificate, where there is one to show (RFC 8705 5).
func (p *Provider) endpoint(o strictjson.Object, name string) (string, bool) {
	if p.config.Certificate != nil {
		if aliases, err := strictjson.Parse(o["mtls_endpoint_aliases"]); err == nil {
			if address, ok := aliases.String(name); ok {
				return address, true
			}
		}
	}
	return o.String(name)
}

// optionalEndpoint is where something beside the sign-in is done (RFC 8414 2, RFC 8628 4), or
// "". One that nothing secret may be sent to is none: nobody is kept from signing in by it.
func (p *Provider) optionalEndpoint(o strictjson.Object, name string) string {
	address, ok := p.endpoint(o, name)
	if !ok {
		return ""
	}
	u, err := p.checkEndpoint(name, address)
	if err != nil {
		return ""
	}
	return u.String()
}

// checkEndpoint refuses what a browser or a secret must not be sent to: a
// javascript: address, say, or http where the issuer has https. At InternalURL itself
// there is what that has, for all that browsers do not open: some servers name their
// endpoints by how they were asked.
func (p *Provider) checkEndpoint(name, address string) (*url.URL, error) {
	u, err := p.config.address(address)
	if err != nil {
		return nil, codegrant.Misconfigured("the issuer's %s: %w", name, err)
	}
	browsers := name == "authorization_endpoint" || name == "end_session_endpoint" || name == "verification_uri"
	if !browsers && p.internal != nil && upstream.SameOrigin(u, p.internal) {
		return u, nil
	}
	issuer, err := url.Parse(p.config.Issuer)
	if err != nil || u.Scheme == "http" && issuer.Scheme != "http" {
		return nil, codegrant.Misconfigured("the issuer's %s is not https", name)
	}
	// Where a browser is sent, no connection of ours shows where a name leads. By http, it
	// is the issuer's own, or a number.
	if browsers && u.Scheme == "http" && !strings.EqualFold(u.Hostname(), issuer.Hostname()) && !upstream.IsPrivate(u.Hostname()) {
		return nil, codegrant.Misconfigured("the issuer's %s is not https, and at another name than the issuer", name)
	}
	return u, nil
}

// isIssuer reports whether name is the configured issuer, in another spelling perhaps, or
// the shared one. All of them have their metadata at the same address, so that there
// cannot be one issuer of each name, and what the metadata calls itself is what is meant.
// From then on, it is that to the letter. A template is not for people to paste.
func (p *Provider) isIssuer(name string) bool {
	c := &p.config
	same := strings.TrimSuffix(requested(name), "/") == strings.TrimSuffix(c.Issuer, "/")
	return c.IssuerTemplate == "" && (same || name != "" && name == c.SharedIssuer)
}

// requested is issuer as a browser asks for it: with scheme and host in small letters
// (RFC 3986 6.2.2.1), and encoded what a path cannot have as it is. Some issuers, such as
// Keycloak, call themselves what they were asked as, and have to be asked alike.
func requested(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil || strings.Contains(issuer, "#") {
		return issuer
	}
	u.Host = strings.ToLower(u.Host)
	return u.String()
}

// anotherIssuer is Discovery 4.3: the same to the letter, but for what isIssuer knows.
func anotherIssuer(got, want string) error {
	return codegrant.Misconfigured("the issuer calls itself %.200q, and the configuration calls it %q: they must be the same to the letter", got, want)
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// isTenantOf reports whether issuer is template with a GUID in the mark's place:
// how Microsoft answers a tenant that is asked for by one of its domains.
func isTenantOf(template, issuer string) bool {
	before, after, ok := strings.Cut(template, codegrant.TenantMark)
	rest, starts := strings.CutPrefix(issuer, before)
	id, ends := strings.CutSuffix(rest, after)
	return ok && starts && ends && guid.MatchString(id)
}

// agreeOnAlgorithms takes those of ours that the issuer has: metadata cannot
// widen the list (RFC 8725 3.1). An issuer that names none signs with RS256
// (Registration 2).
func (p *Provider) agreeOnAlgorithms(o strictjson.Object) ([]string, error) {
	theirs, ok := o.Strings("id_token_signing_alg_values_supported")
	if !ok {
		theirs = []string{"RS256"}
	}
	var both []string
	for _, a := range p.config.Algorithms {
		if slices.Contains(theirs, a) {
			both = append(both, a)
		}
	}
	if both == nil {
		return nil, codegrant.Misconfigured("the issuer signs ID tokens with %.200q, and only %q are accepted: give it a signing key of such a kind", theirs, p.config.Algorithms)
	}
	return both, nil
}
