package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/internal/hostcookie"
	"github.com/sallyport/auth/session"
)

// A sign-out at the identity provider, after the one here:
//
//	POST /signout             the session has ended; Way.EndSession -> cookie __Host-authjs.signout, sealed
//	     identity provider    ends its own, and may ask first
//	GET /signout/{provider}   the state is the cookie's -> the page that was wanted; else -> GET /signout
//
// Nobody is signed in or out by the way back, so that one cookie is enough, of the sign-out
// that came last.
const (
	// endSessionLimit is how long a sign-out waits for discovery.
	endSessionLimit = 2 * time.Second

	// awayLife is how long a person has at the identity provider.
	awayLife = 10 * time.Minute

	// maxAway bounds the cookie's value, in characters. Who wanted a page whose address is
	// longer gets to the one that says that they are signed out.
	maxAway = 3800
)

// away is somebody who is at an identity provider to be signed out there.
type away struct {
	Provider string `json:"p"`
	State    string `json:"s"`
	To       string `json:"t"` // an address that may be returned to
	Expires  int64  `json:"e"`
}

// wayOf is the way in by which the person of v has the session, or nil.
func (s *Server) wayOf(v *visit) *Way {
	if v.session == nil || v.foreign {
		return nil
	}
	return s.ways[v.session.Provider]
}

// canEndSession reports whether who can be signed out at the identity provider, as far
// as that can be found out at once.
func (s *Server) canEndSession(r *http.Request, way *Way, who *session.Session) bool {
	location, err := s.endSessionURL(r, way, who, "", "")
	if err != nil {
		s.log.WarnContext(r.Context(), "auth: people cannot be signed out at the provider", "provider", way.Name, "cause", err.Error())
	}
	return location != ""
}

func (s *Server) endSessionURL(r *http.Request, way *Way, who *session.Session, back, state string) (string, error) {
	if way.EndSession == nil {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), endSessionLimit)
	defer cancel()
	location, err := way.EndSession(ctx, who, back, state)
	if err == nil && location != "" && !isHTTP(location) {
		return "", fmt.Errorf("%w: the address that ends sessions is not an http address", fault.ErrMisconfigured)
	}
	return location, err
}

// endSession sends the browser of who, who has been signed out here, to the identity
// provider, and from there to the address to. It reports false, and does nothing, where
// that cannot be.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request, v *visit, way *Way, who *session.Session, to string) bool {
	state := make([]byte, 16)
	_, _ = rand.Read(state)
	a := away{way.Name, base64.RawURLEncoding.EncodeToString(state), to, s.now().Add(awayLife).Unix()}
	location, err := s.endSessionURL(r, way, who, v.address(v.base)+"/signout/"+way.Name, a.State)
	if err != nil {
		s.log.WarnContext(r.Context(), "auth: somebody is signed out here, and not at the provider", "provider", way.Name, "cause", err.Error())
	}
	if location == "" {
		return false
	}
	value := s.sealAway(a)
	if len(value) > maxAway {
		a.To = s.signedOutPage(v, nil, "")
		value = s.sealAway(a)
	}
	http.SetCookie(w, hostcookie.New(hostcookie.Name(s.awayCookie, v.secure()), value, int(awayLife/time.Second), v.secure(), s.sameSiteNone))
	s.goTo(w, r, location)
	return true
}

func (s *Server) sealAway(a away) string {
	payload, _ := json.Marshal(a) // texts and a number
	return s.awayCodec.Seal(payload)
}

// sessionEnded is GET /signout/{provider}: the browser is back from being signed out
// there. With another state than the one that it was given, or without, nobody knows who
// sent it, and it is told how things are here.
func (s *Server) sessionEnded(w http.ResponseWriter, r *http.Request, v *visit, way *Way) {
	name := hostcookie.Name(s.awayCookie, v.secure())
	for _, c := range r.CookiesNamed(name) {
		var a away
		payload, err := s.awayCodec.Open(c.Value)
		if err != nil || json.Unmarshal(payload, &a) != nil || a.Provider != way.Name || s.now().Unix() > a.Expires {
			continue
		}
		if states := r.URL.Query()["state"]; len(states) == 1 && subtle.ConstantTimeCompare([]byte(a.State), []byte(states[0])) == 1 {
			http.SetCookie(w, hostcookie.New(name, "", -1, v.secure(), s.sameSiteNone))
			redirect(w, a.To)
			return
		}
	}
	s.log.InfoContext(r.Context(), "auth: the way back from a sign-out at the provider has no state of a sign-out of this browser", "provider", way.Name)
	redirect(w, s.signedOutPage(v, nil, ""))
}

// signedOutPage is the address of the page that says so: that somebody is still signed in
// with stays, if there is one, and which page was wanted, if any.
func (s *Server) signedOutPage(v *visit, stays *Way, wanted string) string {
	q := url.Values{}
	if wanted != "" {
		q.Set("callbackUrl", wanted)
	}
	if stays != nil {
		q.Set("provider", stays.Name)
	}
	address := v.address(v.base) + "/signout"
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	return address
}
