package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/sallyport/auth/session"
)

// maxLogoutForm bounds the body of a back-channel logout, in bytes.
const maxLogoutForm = 64 << 10

// The errors of a back-channel logout: Back-Channel Logout 2.8, in the form of RFC 6749 5.2.
var (
	badLogout    = logoutError{"invalid_request", "The logout token is not valid here."}
	failedLogout = logoutError{"temporarily_unavailable", "The sessions could not be ended at the moment. Send the token again."}
)

type logoutError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// backChannelLogout is POST /backchannel-logout/{provider}: the identity provider's server
// says that somebody has signed out there. The answer to a POST is 200 or 400, whatever
// happens (Back-Channel Logout 2.8): 400 says that no session has ended, or that nobody
// knows.
func (s *Server) backChannelLogout(w http.ResponseWriter, r *http.Request, way *Way) {
	answer := badLogout
	l, err := verifiedLogout(w, r, way)
	if err == nil {
		ctx, done := context.WithTimeout(r.Context(), listLimit)
		defer done()
		if err = s.sessions.ProviderLogout(ctx, *l); errors.Is(err, session.ErrStore) {
			answer = failedLogout
		}
	}
	if err != nil {
		s.log.WarnContext(r.Context(), "auth: a back-channel logout is refused", "provider", way.Name, "client", s.Client(r).String(), "cause", err.Error())
		s.writeJSON(w, http.StatusBadRequest, answer)
		return
	}
	s.report(r, Event{Kind: LoggedOut, Provider: way.Name, Issuer: l.Issuer, Subject: l.Subject})
}

// verifiedLogout is the logout token that r brings in a form, which has no other type than
// application/x-www-form-urlencoded. Other fields count for nothing.
func verifiedLogout(w http.ResponseWriter, r *http.Request, way *Way) (*session.Logout, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxLogoutForm)
	if err := r.ParseForm(); err != nil {
		return nil, errors.New("the form is malformed, or longer than 64 KiB")
	}
	tokens := r.PostForm["logout_token"]
	if len(tokens) != 1 || tokens[0] == "" {
		return nil, errors.New("there is no form with a single logout_token")
	}
	return way.VerifyLogout(r.Context(), tokens[0])
}
