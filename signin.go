package auth

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
)

// chooseProvider is GET /signin: the page with every way to sign in.
func (a *Authenticator) chooseProvider(w http.ResponseWriter, r *http.Request, v *visit) {
	query := r.URL.Query()
	to := a.returnPath(v, query.Get("callbackUrl"))
	// Somebody who is sent here on the way to a page is not asked to press the
	// one button that there is; somebody who signed out, or failed, is.
	if a.straight != nil && query.Has("callbackUrl") && !query.Has("error") && v.session == nil && isNavigation(r) {
		a.start(w, r, v, a.straight, a.txns.new(a.straight.Name(), a.callbackURL(v, a.straight), to, nil, false))
		return
	}
	if a.onlyBackend() {
		redirect(w, a.backend.SignInURL(v.decision, v.address(to)))
		return
	}
	if a.signInURL != "" {
		q := url.Values{"callbackUrl": {to}}
		if code := knownError(r); code != "" {
			maps.Copy(q, authjsError(code))
		}
		redirect(w, v.origin.String()+a.signInURL+"?"+q.Encode())
		return
	}
	a.clearBroken(w, r, v)
	a.showSignIn(w, r, v, http.StatusOK, to, knownError(r))
}

// showSignIn shows every way to sign in, and code, what went wrong before, if
// anything did.
func (a *Authenticator) showSignIn(w http.ResponseWriter, r *http.Request, v *visit, status int, to, code string) {
	page := signInPage{
		BasePath:    a.base,
		CSRFToken:   a.csrf.token(w, r, v.secure()),
		CallbackURL: to,
		AccessCode:  a.code != nil,
		Error:       code,
	}
	for _, p := range a.order {
		page.Providers = append(page.Providers, pageProvider{ID: p.Name(), Label: label(p), Mark: mark(p)})
	}
	a.pages.signIn(w, r, status, page, formOrigins(v))
}

// toSignInPage answers whoever opens the address of a sign-in's start: only a
// form of this server starts one.
func (a *Authenticator) toSignInPage(w http.ResponseWriter, r *http.Request, v *visit) {
	to := v.origin.String() + a.base + "/signin"
	if raw := r.FormValue("callbackUrl"); raw != "" {
		to += "?" + url.Values{"callbackUrl": {a.returnPath(v, raw)}}.Encode()
	}
	a.goTo(w, r, to)
}

// signIn is POST /signin/{provider}: it starts an attempt.
func (a *Authenticator) signIn(w http.ResponseWriter, r *http.Request, v *visit, p Provider) {
	if !a.genuine(r, v) {
		a.refuseForged(w, r, v)
		return
	}
	to := a.returnPath(v, r.FormValue("callbackUrl"))
	tx := a.txns.new(p.Name(), a.callbackURL(v, p), to, signInParams(r), false)
	a.start(w, r, v, p, tx)
}

// signInParams are the extra authorization parameters that a sign-in brings,
// as Auth.js's client sends them: in the query. The provider takes those that it
// knows.
func signInParams(r *http.Request) url.Values {
	params := url.Values{}
	for _, name := range []string{"prompt", "login_hint", "screen_hint", "ui_locales", "domain_hint",
		"connection", "organization", "max_age", "acr_values"} {
		if value := r.URL.Query().Get(name); value != "" && len(value) <= 256 {
			params.Set(name, value)
		}
	}
	return params
}

// start sends the browser to the identity provider.
func (a *Authenticator) start(w http.ResponseWriter, r *http.Request, v *visit, p Provider, tx Transaction) {
	target, err := p.AuthCodeURL(r.Context(), tx)
	if err != nil {
		a.failed(w, r, v, p, tx, err)
		return
	}
	if u, perr := url.Parse(target); perr != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		a.failed(w, r, v, p, tx, errors.Join(ErrMisconfigured, errors.New("the authorization URL is not an http address")))
		return
	}
	if err := a.txns.begin(w, r, tx, v.secure()); err != nil {
		a.failed(w, r, v, p, tx, err)
		return
	}
	a.goTo(w, r, target)
}

// callbackURL is what has to be registered at the provider.
func (a *Authenticator) callbackURL(v *visit, p Provider) string {
	return v.origin.String() + a.base + "/callback/" + p.Name()
}

// clearBroken deletes a session cookie that opens no session.
func (a *Authenticator) clearBroken(w http.ResponseWriter, r *http.Request, v *visit) {
	if v.session == nil && v.err == nil && a.sessions.HasCookie(r, v.secure()) {
		if err := a.sessions.End(w, r, v.secure()); err != nil {
			a.log.WarnContext(r.Context(), "auth: broken session cookie not cleared", "cause", err.Error())
		}
	}
}
