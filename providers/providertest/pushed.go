package providertest

import (
	"net/http"
	"net/url"
)

// push is the pushed authorization request endpoint: RFC 9126 2. The metadata names it
// where a [Faults].Metadata adds it.
func (p *IdP) push(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Method != "POST" || r.PostForm.Has("request_uri") {
		tokenError(w, "invalid_request")
		return
	}
	client, ok := p.authenticated(r)
	if !ok {
		tokenError(w, "invalid_client")
		return
	}
	form := r.PostForm
	form.Set("client_id", client.ID)
	for _, own := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		form.Del(own)
	}
	name := "urn:ietf:params:oauth:request_uri:" + randomText()
	p.mu.Lock()
	p.pushed[name] = form
	p.mu.Unlock()
	answer := map[string]any{"request_uri": name, "expires_in": 60}
	change(p.fault().Pushed, answer)
	WriteJSON(w, http.StatusCreated, answer)
}

// requested is the authorization request that r makes or names. A name is good for one.
func (p *IdP) requested(r *http.Request) (url.Values, bool) {
	q := r.URL.Query()
	name := q.Get("request_uri")
	if name == "" {
		return p.opened(q)
	}
	p.mu.Lock()
	form, ok := p.pushed[name]
	delete(p.pushed, name)
	p.mu.Unlock()
	if !ok || form.Get("client_id") != q.Get("client_id") {
		return nil, false
	}
	return p.opened(form)
}
