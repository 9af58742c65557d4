package web

import (
	"net/http"

	"github.com/sallyport/auth/session"
)

// listProviders is GET /providers: every way in, in order, as Auth.js's client
// reads them.
func (s *Server) listProviders(w http.ResponseWriter, _ *http.Request, v *visit) {
	type entry struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		Type        string `json:"type"`
		SignInURL   string `json:"signinUrl"`
		CallbackURL string `json:"callbackUrl"`
	}
	routes := v.address(v.base)
	list := make(orderedMembers, 0, len(s.order)+1)
	add := func(name, label, kind string) {
		list = append(list, member{name, entry{name, label, kind, routes + "/signin/" + name, routes + "/callback/" + name}})
	}
	for _, way := range s.order {
		add(way.Name, way.Label, way.Type)
	}
	if s.gate != nil {
		add(session.AccessCode, "Access code", "credentials")
	}
	s.writeJSON(w, http.StatusOK, list)
}

// callbackURL is what has to be registered at the provider.
func (s *Server) callbackURL(v *visit, way *Way) string {
	return v.address(v.base) + "/callback/" + way.Name
}
