package web

import (
	"context"
	"net/http"
	"time"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// What the field "end" of POST /sessions may be, beside the id of a session.
const (
	endOthers = "others"
	endAll    = "all"
)

// listLimit is how long it may take to list somebody's sessions, or to end them.
const listLimit = 5 * time.Second

// shownSession is a session as its owner sees it: never what signs anybody in.
type shownSession struct {
	ID       string    `json:"id"` // ends it
	Current  bool      `json:"current"`
	Label    string    `json:"label,omitempty"` // of a program's token
	Device   string    `json:"device,omitempty"`
	Address  string    `json:"address,omitempty"`
	Provider string    `json:"provider,omitempty"`
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"lastSeen"` // as of its last renewal
	Expires  time.Time `json:"expires"`
}

// shownSessions are somebody's. Complete says that there are no others, and CanEndOthers
// that others can be ended, whether they are seen or not.
type shownSessions struct {
	Sessions     []shownSession `json:"sessions"`
	Complete     bool           `json:"complete"`
	CanEndOthers bool           `json:"canEndOthers"`
}

// showSessions is GET /sessions: where somebody is signed in.
func (s *Server) showSessions(w http.ResponseWriter, r *http.Request, v *visit) {
	if !readable(r, v) {
		s.refuse(w, r, v, http.StatusForbidden, fault.BadRequest)
		return
	}
	if s.hasSessions(w, r, v) {
		s.renew(w, r, v)
		s.answerSessions(w, r, v)
	}
}

// hasSessions reports whether r's sender has sessions that are this server's to show, and
// otherwise answers.
func (s *Server) hasSessions(w http.ResponseWriter, r *http.Request, v *visit) bool {
	switch {
	case v.err != nil:
		s.undecided(w, r, v)
	case v.session == nil && v.refused == nil:
		s.clearBroken(w, r, v)
		s.challenge(w, r, v, nil)
	case v.session == nil || v.foreign: // the backend's, or a code's for one request
		s.refuse(w, r, v, http.StatusNotFound, fault.NotFound)
	default:
		return true
	}
	return false
}

// answerSessions shows the sessions of whom v is about.
func (s *Server) answerSessions(w http.ResponseWriter, r *http.Request, v *visit) {
	list, err := s.sessionsOf(r.Context(), v.session)
	if err != nil {
		v.err = err
		s.undecided(w, r, v)
		return
	}
	if !readsPages(r) {
		s.writeJSON(w, http.StatusOK, list)
		return
	}
	s.pages.sessions(w, r, sessionsPage{Visit: v, CSRFToken: s.csrf.token(w, r, v.secure()), Name: v.whoIsIn(), List: list, Label: s.label})
}

// sessionsOf is what who may see. Whoever knows an access code is one person to this
// server, and many to themselves: they see and end their own session alone.
func (s *Server) sessionsOf(ctx context.Context, who *session.Session) (*shownSessions, error) {
	all, alone := []*session.Session{who}, who.Provider == session.AccessCode
	shown := &shownSessions{Complete: s.sessions.CanList() && !alone, CanEndOthers: s.sessions.CanRevoke() && !alone}
	if shown.Complete {
		ctx, done := context.WithTimeout(ctx, listLimit)
		defer done()
		others, err := s.sessions.List(ctx, session.OfUser(s.userID(who)).Except(who.ID))
		if err != nil {
			return nil, err
		}
		all = append(all, others...)
	}
	for i, x := range all {
		created := x.AuthTime
		if created.IsZero() {
			created = x.IssuedAt
		}
		shown.Sessions = append(shown.Sessions, shownSession{
			x.ID, i == 0, x.TokenLabel, x.Device, x.Address, x.Provider, created.UTC(), x.IssuedAt.UTC(), x.ExpiresAt.UTC(),
		})
	}
	return shown, nil
}

// endSessions is POST /sessions: one of somebody's sessions ends, or all, or all others.
func (s *Server) endSessions(w http.ResponseWriter, r *http.Request, v *visit) {
	if !s.genuine(r, v) {
		s.refuseForged(w, r, v, false)
		return
	}
	if !s.hasSessions(w, r, v) {
		return
	}
	who, end := v.session, r.PostForm.Get("end")
	own := end == endAll || end == who.ID
	theirs, ok := s.whichEnd(who, end)
	if !ok {
		s.refuse(w, r, v, http.StatusBadRequest, fault.BadRequest)
		return
	}
	ctx, done := context.WithTimeout(r.Context(), listLimit)
	defer done()
	err := s.sessions.Revoke(ctx, theirs)
	if err == nil && own {
		err = s.end(w, r, v)
	}
	if err != nil {
		v.err = err
		s.undecided(w, r, v)
		return
	}
	if end != who.ID {
		s.report(r, eventOf(SessionsEnded, who))
	}
	if own {
		s.report(r, eventOf(SignedOut, who))
	}
	switch {
	case own && readsPages(r):
		redirect(w, v.address(v.base)+"/signout")
	case own:
		s.writeJSON(w, http.StatusOK, shownSessions{Sessions: []shownSession{}})
	case readsPages(r):
		redirect(w, v.address(v.base)+"/sessions") // so that a reload ends nothing again
	default:
		s.answerSessions(w, r, v)
	}
}

// whichEnd are the sessions that who ends by end, beside their own. ok is false where who
// cannot: others, where nothing can be taken back, or where they are not seen.
func (s *Server) whichEnd(who *session.Session, end string) (theirs session.Whose, ok bool) {
	user, alone := session.OfUser(s.userID(who)), who.Provider == session.AccessCode
	switch {
	case end == "":
		return theirs, false
	case end == who.ID:
		return theirs, true
	case alone || !s.sessions.CanRevoke():
		return theirs, false
	case end == endAll:
		return user, true
	case end == endOthers:
		return user.Except(who.ID), true
	}
	return user.Only(end), s.sessions.CanList()
}

// label is what people call the provider name.
func (s *Server) label(name string) string {
	if way := s.ways[name]; way != nil {
		return way.Label
	}
	return ""
}
