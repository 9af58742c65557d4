package providertest

import (
	"net/http"
	"slices"
	"strings"
)

// family is the refresh tokens that have come from one sign-in with the scope
// offline_access (OpenID Connect Core 11). Each is good for one use; a second use is a
// thief's, or the person's after a thief's, and ends them all (RFC 9700 4.14).
type family struct {
	grant
	current string // "" when it is over
}

// newFamily is the first refresh token for g, or "".
func (p *IdP) newFamily(g grant) string {
	if !slices.Contains(strings.Fields(g.scope), "offline_access") {
		return ""
	}
	g.nonce = "" // OpenID Connect Core 12.2
	f := &family{grant: g, current: randomText()}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sets[f.current] = f
	return f.current
}

// refresh is RFC 6749 6.
func (p *IdP) refresh(w http.ResponseWriter, client, token, thumbprint string) {
	p.mu.Lock()
	f, ok := p.sets[token]
	ok = ok && f.client == client
	next := randomText()
	switch {
	case ok && f.current == token:
		f.current = next
		p.sets[next] = f
	case ok:
		f.current, ok = "", false
	}
	p.mu.Unlock()
	if !ok {
		tokenError(w, "invalid_grant")
		return
	}
	g := f.grant
	g.thumbprint = thumbprint // a client that authenticates may change its key: RFC 9449 5
	p.answer(w, g, next)
}

// EndRefresh makes all refresh tokens of person worth nothing, as an administrator does.
func (p *IdP) EndRefresh(person string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.sets {
		if f.person.Subject == person {
			f.current = ""
		}
	}
}
