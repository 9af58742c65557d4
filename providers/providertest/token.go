package providertest

import (
	"net/http"
	"net/url"
	"strings"
)

// token is the token endpoint: RFC 6749 4.1.3, with PKCE required, unless the client has
// none, and 6; RFC 8628 3.4.
func (p *IdP) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Method != "POST" {
		tokenError(w, "invalid_request")
		return
	}
	p.mu.Lock()
	p.sent = append(p.sent, r.PostForm)
	p.mu.Unlock()
	client, ok := p.authenticated(r)
	if !ok {
		tokenError(w, "invalid_client")
		return
	}
	thumbprint, problem := p.proven(w, r, client, "")
	if problem != "" {
		tokenError(w, problem)
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "refresh_token":
		p.refresh(w, client.ID, r.PostForm.Get("refresh_token"), thumbprint)
		return
	case "urn:ietf:params:oauth:grant-type:device_code":
		p.redeemDevice(w, client.ID, r.PostForm.Get("device_code"), thumbprint)
		return
	}
	p.mu.Lock()
	g, ok := p.codes[r.PostForm.Get("code")]
	delete(p.codes, r.PostForm.Get("code"))
	p.mu.Unlock()
	if !ok || g.client != client.ID || g.redirectURI != r.PostForm.Get("redirect_uri") || p.now().After(g.until) ||
		!client.pkce(g.challenge, r.PostForm.Get("code_verifier")) || g.thumbprint != "" && g.thumbprint != thumbprint {
		tokenError(w, "invalid_grant")
		return
	}
	g.thumbprint = thumbprint
	p.answer(w, g, p.newFamily(g))
}

// answer grants an access token, an ID token if there are any, and a refresh token if it
// is not empty.
func (p *IdP) answer(w http.ResponseWriter, g grant, refreshToken string) {
	access := randomText()
	p.mu.Lock()
	p.tokens[access] = g
	p.mu.Unlock()
	answer := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 3600, "scope": g.scope}
	if g.thumbprint != "" {
		answer["token_type"] = "DPoP"
	}
	if strings.Contains(g.scope, "openid") {
		answer["id_token"] = p.idToken(g, access)
	}
	if refreshToken != "" {
		answer["refresh_token"] = refreshToken
	}
	change(p.fault().Token, answer)
	WriteJSON(w, http.StatusOK, answer)
}

// authenticated is the client that sends r, by RFC 6749 2.3.1 or RFC 7523 2.2.
func (p *IdP) authenticated(r *http.Request) (Client, bool) {
	id, secret, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	client, ok := p.client(id)
	if client.Key != nil {
		return client, p.asserted(r.PostForm, client)
	}
	return client, ok && client.Secret == secret && !(basic && r.PostForm.Has("client_secret"))
}
