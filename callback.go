package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/auth/session"
)

// callback is GET /callback/{provider}: the browser is back from the identity
// provider.
func (a *Authenticator) callback(w http.ResponseWriter, r *http.Request, v *visit, p Provider) {
	if isPrefetch(r) {
		a.refuse(w, r, http.StatusForbidden, codeBadRequest)
		return
	}
	response, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(response["state"]) != 1 || response.Get("state") == "" {
		a.failed(w, r, v, p, Transaction{}, fmt.Errorf("%w: the callback has no single state", ErrInvalidResponse))
		return
	}
	tx, found := a.txns.find(r, response.Get("state"), v.secure())
	switch {
	case !found:
		a.stale(w, r, v, p, response, Transaction{}, ErrNoTransaction)
		return
	case tx.Provider != p.Name():
		// A state made for one provider, at another's callback: a mix-up.
		a.txns.consume(w, tx, v.secure())
		a.failed(w, r, v, p, tx, fmt.Errorf("%w: the attempt was made with provider %q", ErrInvalidResponse, tx.Provider))
		return
	}
	first := a.txns.consume(w, tx, v.secure())
	switch {
	case a.now().After(tx.Expires):
		a.stale(w, r, v, p, response, tx, ErrExpired)
	case !first:
		a.stale(w, r, v, p, response, tx, fmt.Errorf("%w: the callback was used before", ErrNoTransaction))
	default:
		a.finish(w, r, v, p, tx, response)
	}
}

// finish exchanges the code and begins the session.
func (a *Authenticator) finish(w http.ResponseWriter, r *http.Request, v *visit, p Provider, tx Transaction, response url.Values) {
	id, err := p.Exchange(r.Context(), tx, response)
	if err == nil {
		err = checkIdentity(id)
	}
	if err == nil && a.policy != nil {
		if err = a.policy(r.Context(), p.Name(), id); err != nil && !errors.Is(err, ErrNotAllowed) {
			err = fmt.Errorf("%w: the policy could not decide: %w", ErrNotAllowed, err)
		}
	}
	if err != nil {
		a.failed(w, r, v, p, tx, err)
		return
	}
	s := sessionOf(p, id)
	for name, value := range id.Claims {
		if err := s.SetClaim(name, value); err != nil {
			a.failed(w, r, v, p, tx, fmt.Errorf("%w: claim %q: %w", ErrInvalidResponse, name, err))
			return
		}
	}
	if a.enrich != nil {
		if err := a.enrich(r.Context(), s, id); err != nil {
			a.failed(w, r, v, p, tx, fmt.Errorf("%w: Config.Enrich: %w", ErrNotAllowed, err))
			return
		}
	}
	if err := a.sessions.Start(w, r, s, v.secure()); err != nil {
		a.failed(w, r, v, p, tx, err)
		return
	}
	a.report(r, Event{Kind: EventSignedIn, Provider: p.Name(), Issuer: id.Issuer, Subject: id.Subject})
	redirect(w, v.address(a.landing(r, s, v, tx.ReturnTo)))
}

func sessionOf(p Provider, id *Identity) *session.Session {
	return &session.Session{
		Subject: id.Subject, Issuer: id.Issuer, Provider: p.Name(),
		Name: id.Name, Username: id.Username, Email: id.Email, EmailVerified: id.EmailVerified,
		Picture: id.Picture, Groups: id.Groups,
	}
}

// checkIdentity holds every provider to what a session needs.
func checkIdentity(id *Identity) error {
	switch {
	case id == nil:
		return fmt.Errorf("%w: the provider gave no identity", ErrInvalidResponse)
	case id.Issuer == "" || id.Subject == "" || len(id.Subject) > 255:
		return fmt.Errorf("%w: the identity has no issuer, or no subject of 1 to 255 bytes", ErrInvalidResponse)
	}
	if !strings.HasPrefix(id.Picture, "https://") || len(id.Picture) > 2048 {
		id.Picture = ""
	}
	return nil
}

// stale deals with a callback that belongs to no attempt of this browser that
// is still open: a reload, the back button, a laptop's sleep. Somebody who is
// signed in goes on. Otherwise the attempt begins again, once, by the provider of
// the callback; no code is redeemed.
func (a *Authenticator) stale(w http.ResponseWriter, r *http.Request, v *visit, p Provider, response url.Values, tx Transaction, cause error) {
	to := tx.ReturnTo
	if to == "" {
		to = "/"
	}
	restarted := strings.HasPrefix(response.Get("state"), restartMark)
	switch {
	case v.session != nil:
		redirect(w, v.address(to))
	case response.Get("code") == "" || restarted:
		if restarted && len(r.Cookies()) == 0 {
			cause = fmt.Errorf("%w: %w", errCookies, cause)
		}
		a.failed(w, r, v, p, tx, cause)
	default:
		a.log.InfoContext(r.Context(), "auth: sign-in restarted", "provider", p.Name(), "cause", cause.Error())
		a.start(w, r, v, p, a.txns.new(p.Name(), a.callbackURL(v, p), to, tx.Params, true))
	}
}
