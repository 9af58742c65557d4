package web

import (
	"net/http"
	"slices"
	"strings"
)

// resourceBase is below the root of a host, where clients of an API look for its metadata:
// RFC 9728 3. The path of the API follows, if it has one.
const resourceBase = "/.well-known/oauth-protected-resource"

// resource is metadata of an API: RFC 9728 2.
type resource struct {
	Resource string   `json:"resource"`
	Servers  []string `json:"authorization_servers"`
	Methods  []string `json:"bearer_methods_supported"`
}

// audiences are what the issuers of tokens call this API.
func (s *Server) audiences() (list []string) {
	for _, way := range s.order {
		if way.TakesTokens != nil {
			_, audiences, _ := way.TakesTokens()
			list = append(list, audiences...)
		}
	}
	return list
}

// resourceMetadata is the address of the metadata of the API that r is for: of the most
// particular one, where audiences are addresses here, and else of the site.
func (s *Server) resourceMetadata(r *http.Request, v *visit) string {
	origin, best := v.origin.String(), v.prefix
	for _, audience := range s.audiences() {
		path, here := strings.CutPrefix(strings.TrimSuffix(audience, "/"), origin)
		if here && len(path) > len(best) && strings.HasPrefix(v.prefix+r.URL.Path+"/", path+"/") {
			best = path
		}
	}
	return origin + resourceBase + best
}

// answerResource answers a request for the metadata of an API of this site, and reports
// whether r is one. It is for everybody, and the same for all.
func (s *Server) answerResource(w http.ResponseWriter, r *http.Request) bool {
	path, ok := strings.CutPrefix(r.URL.Path, resourceBase)
	if !ok || !s.takesTokens || r.Method != "GET" {
		return false
	}
	origin, err := s.Origin(r)
	if err != nil {
		s.badHost(w, r, err)
		return true
	}
	about := resource{Resource: origin.String() + path, Methods: []string{"header"}}
	if list := s.audiences(); slices.Contains(list, about.Resource+"/") {
		about.Resource += "/" // as the issuer spells it
	} else if path != "" && path != s.prefixOf(r) && !slices.Contains(list, about.Resource) {
		return false
	}
	for _, way := range s.order {
		if way.TakesTokens != nil {
			issuer, _, _ := way.TakesTokens()
			about.Servers = append(about.Servers, issuer)
		}
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	s.writeJSON(w, http.StatusOK, about)
	return true
}
