package providertest

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// endSession is the end_session_endpoint (OpenID Connect RP-Initiated Logout 1.0): it
// goes back with the state, to an address that is registered. Whoever sends neither an
// ID token of ours nor a client's id is shown a page, as is everybody else who is sent
// nowhere. Nobody has a session here to end.
func (p *IdP) endSession(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p.mu.Lock()
	p.ended = append(p.ended, q)
	p.mu.Unlock()
	client, known := p.client(q.Get("client_id"))
	if hint := q.Get("id_token_hint"); hint != "" && !p.signed(hint) {
		http.Error(w, "the id_token_hint is not one of ours", http.StatusBadRequest)
		return
	}
	back := q.Get("post_logout_redirect_uri")
	if back == "" {
		_, _ = w.Write([]byte("You are signed out at the demo identity provider."))
		return
	}
	target, err := url.Parse(back)
	if err != nil || target.Host == "" || !known || len(client.PostLogoutRedirectURIs) > 0 && !slices.Contains(client.PostLogoutRedirectURIs, back) {
		http.Error(w, "unknown client_id, or a post_logout_redirect_uri that is not registered", http.StatusBadRequest)
		return
	}
	query := target.Query()
	if state := q.Get("state"); state != "" {
		query.Set("state", state)
	}
	if f := p.fault().SignedOut; f != nil {
		f(query)
	}
	target.RawQuery = query.Encode()
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, target.String(), http.StatusSeeOther) // #nosec G710 -- to a redirect URI, as an identity provider does
}

// signed reports whether token is signed by the key of this provider.
func (p *IdP) signed(token string) bool {
	signature, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return false
	}
	_, err = signature.Verify(p.SigningKey().Public())
	return err == nil
}

// SignOuts are the requests that came to the end_session_endpoint.
func (p *IdP) SignOuts() []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]url.Values(nil), p.ended...)
}

// revoke is the revocation endpoint: RFC 7009 2.1. It forgets an access token, and takes
// any other.
func (p *IdP) revoke(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Method != "POST" {
		tokenError(w, "invalid_request")
		return
	}
	if _, ok := p.authenticated(r); !ok {
		tokenError(w, "invalid_client")
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.revoked = append(p.revoked, r.PostForm)
	delete(p.tokens, r.PostForm.Get("token"))
}

// Revocations are the forms that came to the revocation endpoint.
func (p *IdP) Revocations() []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]url.Values(nil), p.revoked...)
}
