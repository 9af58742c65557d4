package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"github.com/sallyport/auth/internal/device"
	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// begin begins a session of admitted.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, v *visit, admitted *Admitted) error {
	who := admitted.Session
	if err := s.stillThere(r.Context(), who); err != nil {
		if !errors.Is(err, fault.ErrNotAllowed) {
			err = fmt.Errorf("%w: %w", fault.ErrUnavailable, err)
		}
		return about(who, fmt.Errorf("Session.Revalidate: %w", err))
	}
	s.noteWhere(r, who)
	s.keepLast(w, v, who.Provider) // before the session, which takes what room the headers have
	groups, tokens := len(who.Groups), who.ProviderTokens
	if err := s.sessions.StartWithAccount(w, r, who, admitted.Account, v.secure()); err != nil {
		return about(who, err)
	}
	if s.revalidate != nil {
		s.remember(who, nil)
	}
	s.tellOfGroups(r, who, groups)
	s.tellOfTokens(r, who, tokens)
	return nil
}

// noteWhere has who know what they signed in with, and from where if that is kept.
func (s *Server) noteWhere(r *http.Request, who *session.Session) {
	if s.keepDevice {
		who.Device = device.Of(r.UserAgent())
	}
	if client := s.Client(r); s.keepAddress && client.IsValid() {
		who.Address = client.String()
	}
}

// about is err with whom it is about.
func about(who *session.Session, err error) error {
	return &fault.Person{
		Issuer: who.Issuer, Subject: cmp.Or(who.ProviderSubject, who.Subject), Email: who.Email, Shown: cmp.Or(who.Email, who.Username, who.Name),
		Err: err,
	}
}

// tellOfGroups tells the operator that who, who had so many groups before the session
// was written, is in more than it has room for.
func (s *Server) tellOfGroups(r *http.Request, who *session.Session, before int) {
	if len(who.Groups) < before {
		s.log.WarnContext(r.Context(), "auth: somebody is in more groups than a session has room for, which must fit into the headers that proxies pass; have the provider send fewer (a groups filter), or keep sessions in a Session.Store; Config.KeepGroups says which count, and Session.MaxSetCookieBytes how much your proxies pass",
			"provider", who.Provider, "subject", who.Subject, "kept", len(who.Groups), "dropped", before-len(who.Groups))
	}
}
