package web

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/sallyport/auth/internal/attempt"
	"github.com/sallyport/auth/internal/fault"
)

// A callback that comes to nothing has cost a call to the identity provider. So many
// of one client's may, at once and then one in so long: anybody can begin attempts
// and make up codes.
const (
	failureBurst = 30
	failureEvery = 2 * time.Second
)

// callback is GET /callback/{provider}: the browser is back from the identity
// provider.
//
//	no single state         -> refused
//	no attempt of the state -> stale: signed in already, or begins again, once
//	another provider's      -> refused: a mix-up (RFC 9700 4.4)
//	too old, or used before, or too long at the provider -> stale
//	else                    -> finish
//
// The attempt is used up before its code is sent anywhere.
func (s *Server) callback(w http.ResponseWriter, r *http.Request, v *visit, way *Way) {
	if isPrefetch(r) {
		s.refuse(w, r, v, http.StatusForbidden, fault.BadRequest)
		return
	}
	answer, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(answer["state"]) != 1 || answer.Get("state") == "" {
		s.failed(w, r, v, way, attempt.Attempt{}, fmt.Errorf("%w: the callback has no single state", fault.ErrInvalidResponse))
		return
	}
	a, found := s.attempts.Find(r, answer.Get("state"), v.secure())
	if !found {
		s.stale(w, r, v, way, answer, attempt.Attempt{}, fault.ErrNoTransaction)
		return
	}
	first := s.attempts.Use(w, r, a, v.secure())
	switch {
	case a.Provider != way.Name:
		s.failed(w, r, v, way, a, fmt.Errorf("%w: the attempt was made with provider %q", fault.ErrInvalidResponse, a.Provider))
	case s.now().After(a.Expires):
		s.stale(w, r, v, way, answer, a, fault.ErrExpired)
	case !first:
		s.stale(w, r, v, way, answer, a, fmt.Errorf("%w: the callback was used before", fault.ErrNoTransaction))
	case way.expired(answer):
		s.stale(w, r, v, way, answer, a, fmt.Errorf("%w: at the identity provider", fault.ErrExpired))
	default:
		s.finish(w, r, v, way, a, answer)
	}
}

// callbackByForm is POST /callback/{provider}, of a provider whose page posts the
// answer as a form. The browser brings no cookie of ours with another site's POST, and
// so neither the attempt nor who is signed in; it does with the GET that follows a 303
// (RFC 6265bis 5.6.7.1). Nothing is decided here, and nothing set.
func (s *Server) callbackByForm(w http.ResponseWriter, r *http.Request, v *visit, way *Way) {
	redirect(w, s.callbackURL(v, way)+"?"+way.FormAnswer(r.PostForm).Encode())
}

// finish has the provider finish the attempt and begins the session.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, v *visit, way *Way, a attempt.Attempt, answer url.Values) {
	client := s.Client(r)
	if wait := s.failures.Enter(client); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa((&fault.Limited{Wait: wait}).Seconds()))
		s.failed(w, r, v, way, a, fault.ErrTooMany)
		return
	}
	who, err := way.Finish(r.Context(), a, answer)
	if err == nil {
		s.failures.Leave(client)
		err = s.begin(w, r, v, who)
	}
	if err != nil {
		s.failed(w, r, v, way, a, err)
		return
	}
	s.report(r, Event{Kind: SignedIn, Provider: way.Name, Issuer: who.Issuer, Subject: who.Subject, Email: who.Session.Email})
	redirect(w, v.address(s.landing(r, who.Session, v, a.ReturnTo)))
}

// expired reports whether answer says that the identity provider's part took too long.
func (w *Way) expired(answer url.Values) bool { return w.Expired != nil && w.Expired(answer) }

// stale deals with a callback that belongs to no attempt of this browser that is
// still open: a reload, the back button, a laptop's sleep. Somebody who is signed
// in goes on. Otherwise the attempt begins again, once, by the provider of the
// callback, unless that one wants none of it; no code is redeemed.
func (s *Server) stale(w http.ResponseWriter, r *http.Request, v *visit, way *Way, answer url.Values, a attempt.Attempt, cause error) {
	to := cmp.Or(a.ReturnTo, v.home())
	restarted := attempt.Restarted(answer.Get("state"))
	switch {
	case v.session != nil:
		redirect(w, v.address(to))
	case answer.Get("code") == "" && !way.expired(answer) || restarted || way.NoRestart:
		if restarted && len(r.Cookies()) == 0 {
			cause = fmt.Errorf("%w: %w", fault.ErrNoCookies, cause)
		}
		s.failed(w, r, v, way, a, cause)
	default:
		s.log.InfoContext(r.Context(), "auth: sign-in restarted", "provider", way.Name, "cause", cause.Error())
		s.start(w, r, v, way, s.attempts.New(way.Name, s.callbackURL(v, way), to, a.Params, true))
	}
}
