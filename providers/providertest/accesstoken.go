package providertest

import (
	"net/http"
	"net/url"
)

// AccessToken is a JWT access token (RFC 9068) for ada of the API https://api.example, with
// changed in its claims; nil takes one away.
func (p *IdP) AccessToken(header, changed map[string]any) string {
	now := p.now().Unix()
	h := map[string]any{"alg": "RS256", "typ": "at+jwt", "kid": p.SigningKeyID()}
	claims := map[string]any{
		"iss": p.config.Issuer, "aud": "https://api.example", "sub": "ada", "client_id": "cli", "jti": randomText(),
		"iat": now, "exp": now + 300, "scope": "read write",
	}
	merge(h, header)
	merge(claims, changed)
	return Sign(p.SigningKey(), h, claims)
}

func merge(into, changed map[string]any) {
	for name, value := range changed {
		if into[name] = value; value == nil {
			delete(into, name)
		}
	}
}

// OpaqueToken is an access token about which the introspection endpoint says claims, and
// that it is active.
func (p *IdP) OpaqueToken(claims map[string]any) string {
	token := randomText()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opaque[token] = claims
	return token
}

// introspect is RFC 7662 2.
func (p *IdP) introspect(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Method != "POST" {
		tokenError(w, "invalid_request")
		return
	}
	id, secret, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if client, ok := p.client(id); !ok || client.Secret != secret {
		tokenError(w, "invalid_client")
		return
	}
	p.mu.Lock()
	claims, active := p.opaque[r.PostForm.Get("token")]
	p.mu.Unlock()
	answer := map[string]any{"active": active}
	merge(answer, claims)
	WriteJSON(w, http.StatusOK, answer)
}
