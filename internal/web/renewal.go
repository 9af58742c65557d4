package web

import "net/http"

// renew writes a session that is due, or that was changed, anew, and reports whether it has
// set a cookie.
func (s *Server) renew(w http.ResponseWriter, r *http.Request, v *visit) bool {
	if v.session == nil || v.unsure || v.foreign || v.given || s.readOnly || isUpgrade(r) || !v.changed && !s.sessions.Due(v.session) {
		return false
	}
	groups, tokens := len(v.session.Groups), v.session.ProviderTokens
	if err := s.sessions.Rewrite(w, r, v.session, v.secure()); err != nil {
		s.log.WarnContext(r.Context(), "auth: session not renewed", "cause", err.Error())
		return false
	}
	s.tellOfGroups(r, v.session, groups)
	s.tellOfTokens(r, v.session, tokens)
	return true
}
