package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/session"
)

// frontChannelPage is what nobody sees.
const frontChannelPage = "<!DOCTYPE html>\n<html lang=\"en\"><title>Signed out</title></html>\n"

// frontChannelLogout is GET /frontchannel-logout/{provider}, in a frame of a page of the
// identity provider (Front-Channel Logout 2 and 3). Browsers bring no cookie there unless
// both are of one site, so that the parameters alone say which sessions end: iss and sid,
// both required, for without sid anybody's page could sign anybody out. What is made up
// ends nothing and leaves nothing behind.
func (s *Server) frontChannelLogout(w http.ResponseWriter, r *http.Request, way *Way) {
	origin, err := s.Origin(r)
	if err != nil {
		s.badHost(w, r, err)
		return
	}
	iss, sid, ok := issuedSession(r, way)
	if !ok {
		s.writeJSON(w, http.StatusBadRequest, problem{"bad_request", "iss and sid are not those of a session."})
		return
	}
	secure := origin.Scheme == "https"
	ctx, done := context.WithTimeout(r.Context(), listLimit)
	defer done()
	who, err := s.sessions.Load(r, secure)
	theirs := session.OfProviderSession(iss, sid)
	var ended []*session.Session
	if err == nil {
		ended, err = s.sessions.List(ctx, theirs)
	}
	if err == nil {
		err = s.sessions.Revoke(ctx, theirs)
	}
	if err == nil && who != nil && who.Issuer == iss && who.ProviderSession == sid {
		err = s.sessions.End(w, r, secure)
	}
	if err != nil {
		s.reportOutage(r, Event{Provider: way.Name}, fault.StoreUnavailable, err)
		w.Header().Set("Retry-After", "5")
		s.writeJSON(w, http.StatusServiceUnavailable, problem{"unavailable", "Sessions cannot be ended at the moment."})
		return
	}
	for _, one := range ended {
		s.report(r, eventOf(LoggedOut, one))
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors "+originOf(iss))
	_, _ = w.Write([]byte(frontChannelPage))
}

// issuedSession are the parameters of a front-channel logout, each of which is there once,
// of one of way's issuers.
func issuedSession(r *http.Request, way *Way) (iss, sid string, ok bool) {
	if len(r.URL.RawQuery) > maxQuery {
		return "", "", false
	}
	// A semicolon is a character like others (RFC 3986 3.4), and a sid may have one; net/url
	// refuses it.
	q, err := url.ParseQuery(strings.ReplaceAll(r.URL.RawQuery, ";", "%3B"))
	if err != nil || len(q["iss"]) != 1 || len(q["sid"]) != 1 {
		return "", "", false
	}
	iss, sid = q.Get("iss"), q.Get("sid")
	return iss, sid, sid != "" && way.VouchesFor(iss)
}

// originOf is the origin of an issuer, which is an address.
func originOf(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return noAncestors
	}
	return u.Scheme + "://" + u.Host
}
