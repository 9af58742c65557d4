package providertest

import "net/http"

// githubUser is GET /user. A person's claims "id", a number, and "login" say who
// it is there.
func (p *IdP) githubUser(w http.ResponseWriter, r *http.Request) {
	g, challenge := p.bearer(w, r)
	if challenge != "" {
		WriteJSON(w, http.StatusUnauthorized, map[string]any{"message": "Bad credentials"})
		return
	}
	user := map[string]any{"id": 1, "login": g.person.Username, "name": g.person.Name, "email": "public@example.com", "avatar_url": g.person.Picture}
	for name, value := range g.person.Claims {
		user[name] = value
	}
	change(p.fault().Userinfo, user)
	WriteJSON(w, http.StatusOK, user)
}

func (p *IdP) githubEmails(w http.ResponseWriter, r *http.Request) {
	g, challenge := p.bearer(w, r)
	if challenge != "" {
		WriteJSON(w, http.StatusUnauthorized, map[string]any{"message": "Bad credentials"})
		return
	}
	WriteJSON(w, http.StatusOK, []any{
		map[string]any{"email": "other@example.com", "primary": false, "verified": true},
		map[string]any{"email": g.person.Email, "primary": true, "verified": g.person.EmailVerified},
	})
}

func (p *IdP) githubNothing(w http.ResponseWriter, _ *http.Request) {
	WriteJSON(w, http.StatusOK, []any{})
}
