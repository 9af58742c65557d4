package auth

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport/auth/internal/returnto"
	"github.com/sallyport/auth/session"
)

// maxForm bounds the body of every form that the routes take.
const maxForm = 16 << 10

// maxQuery bounds the query of every route, before it is parsed.
const maxQuery = 32 << 10

// isRoute reports whether path belongs to this package. Whatever is under the
// base path does, so that no odd spelling of a route reaches the application.
func (a *Authenticator) isRoute(path string) bool {
	return path == a.base || strings.HasPrefix(path, a.base+"/")
}

// ServeHTTP answers the routes, for applications that mount them by hand. It
// does not look at what is in front of the base path.
func (a *Authenticator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	v, err := a.look(r)
	if err != nil {
		a.badHost(w, r, err)
		return
	}
	v.stay(w)
	if len(r.URL.RawQuery) > maxQuery {
		a.refuse(w, r, http.StatusRequestURITooLong, codeBadRequest)
		return
	}
	action, id, nested := strings.Cut(strings.TrimPrefix(r.URL.Path, a.base+"/"), "/")
	if !a.isRoute(r.URL.Path) || strings.Contains(id, "/") || a.readOnly {
		a.refuse(w, r, http.StatusNotFound, codeNotFound)
		return
	}
	if !nested {
		id = ""
	}
	a.route(w, r, v, action, id)
}

func (a *Authenticator) route(w http.ResponseWriter, r *http.Request, v *visit, action, id string) {
	type handler func(http.ResponseWriter, *http.Request, *visit)
	var get, post handler
	limit := int64(maxForm)
	switch {
	case a.code != nil && id == AccessCode && (action == "signin" || action == "callback"):
		// Auth.js's client posts credentials to callback.
		limit = maxCodeForm
		get, post = a.toSignInPage, a.signInByCode
	case id == "" && action == "providers":
		get = a.listProviders
	case id == "" && action == "csrf":
		get = a.showCSRF
	case id == "" && action == "session":
		get, post = a.showSession, a.updateSession
	case id == "" && action == "error":
		get = a.showError
	case id == "" && action == "signout":
		get, post = a.confirmSignOut, a.signOut
	case id == "" && action == "signin":
		get, post = a.chooseProvider, a.toSignInPage
	case a.providers[id] != nil && action == "signin":
		get = a.toSignInPage
		post = func(w http.ResponseWriter, r *http.Request, v *visit) { a.signIn(w, r, v, a.providers[id]) }
	case a.providers[id] != nil && action == "callback":
		get = func(w http.ResponseWriter, r *http.Request, v *visit) { a.callback(w, r, v, a.providers[id]) }
	}
	allow := map[bool]string{true: "GET, POST", false: "GET"}[post != nil]
	switch {
	case get == nil:
		a.refuse(w, r, http.StatusNotFound, codeNotFound)
	case r.Method == "GET":
		get(w, r, v)
	case r.Method == "POST" && post != nil:
		if status := a.parseForm(w, r, limit); status != 0 {
			a.refuse(w, r, status, codeBadRequest)
			return
		}
		post(w, r, v)
	default:
		// HEAD too: a link scanner that sends it must not use anything up.
		w.Header().Set("Allow", allow)
		a.refuse(w, r, http.StatusMethodNotAllowed, codeMethodNotAllowed)
	}
}

// refuse answers a request that no route takes.
func (a *Authenticator) refuse(w http.ResponseWriter, r *http.Request, status int, code string) {
	if isNavigation(r) {
		a.pages.error(w, r, status, errorPage{BasePath: a.base, Code: code}, nil)
		return
	}
	a.writeJSON(w, status, problem{strings.ToLower(strings.ReplaceAll(http.StatusText(status), " ", "_")), http.StatusText(status)})
}

// refuseForged answers a form that this server did not make for this browser,
// or whose cookie the browser did not keep.
func (a *Authenticator) refuseForged(w http.ResponseWriter, r *http.Request, v *visit) {
	code := codeMissingCSRF
	if len(r.Cookies()) == 0 {
		code = codeCookiesBlocked
	}
	id := a.logFailure(r, "", code, nil)
	if wantsAddress(r) {
		a.goTo(w, r, v.origin.String()+a.base+"/signin?error="+codeMissingCSRF)
		return
	}
	a.pages.error(w, r, http.StatusForbidden, errorPage{BasePath: a.base, Code: code, RequestID: id}, nil)
}

// wantsAddress reports whether Auth.js's client asks for the address of a
// redirect as JSON, because a browser's fetch does not show it: v5's with a
// header, v4's with a field.
func wantsAddress(r *http.Request) bool {
	return len(r.Header["X-Auth-Return-Redirect"]) > 0 || isV4(r)
}

// isV4 reports whether next-auth v4's client sends r.
func isV4(r *http.Request) bool { return r.PostForm.Get("json") == "true" }

// goTo redirects, or tells Auth.js's client where it would.
func (a *Authenticator) goTo(w http.ResponseWriter, r *http.Request, location string) {
	if wantsAddress(r) {
		a.tell(w, http.StatusOK, location)
		return
	}
	redirect(w, location)
}

// tell is a redirect for a script.
func (a *Authenticator) tell(w http.ResponseWriter, status int, location string) {
	a.writeJSON(w, status, struct {
		URL string `json:"url"`
	}{location})
}

// genuine reports whether a form comes from a page of this server, in the
// browser that it was made for.
func (a *Authenticator) genuine(r *http.Request, v *visit) bool {
	return sameOrigin(r, v.origin.String()) && a.csrf.check(r, r.PostForm.Get("csrfToken"), v.secure())
}

// returnPath is where a form or a link wants to go afterwards, if that is a
// page of the application or of one of its other origins, and "/" otherwise.
func (a *Authenticator) returnPath(v *visit, raw string) string {
	for _, origin := range a.returnOrigins {
		if rest, ok := returnto.SameOrigin(raw, origin); ok {
			if path, ok := returnto.Clean(rest, a.base); ok {
				return origin + path
			}
		}
	}
	if path, ok := returnto.SameOrigin(raw, v.origin.String()); ok {
		raw = path
	}
	path, ok := returnto.Clean(raw, a.base)
	if !ok {
		return "/"
	}
	return path
}

// landing is where somebody who has signed in goes, who wanted to go to to.
func (a *Authenticator) landing(r *http.Request, s *session.Session, v *visit, to string) string {
	if a.returnTo == nil {
		return to
	}
	return a.returnPath(v, a.returnTo(r.Context(), s, to))
}

// formOrigins are the origins that a form of our pages may lead to. Chromium
// applies form-action to the redirect that follows, and which host an identity
// provider has is known only after discovery.
func formOrigins(v *visit) []string {
	if v.secure() {
		return []string{"https:"}
	}
	return []string{"https:", "http://localhost:*", "http://127.0.0.1:*"}
}

func (a *Authenticator) listProviders(w http.ResponseWriter, _ *http.Request, v *visit) {
	type entry struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		Type        string `json:"type"`
		SignInURL   string `json:"signinUrl"`
		CallbackURL string `json:"callbackUrl"`
	}
	list := make(orderedMembers, 0, len(a.order))
	for _, p := range a.order {
		kind := "oidc"
		if t, ok := p.(Typed); ok {
			kind = t.Type()
		}
		name := p.Name()
		list = append(list, member{name, entry{name, label(p), kind,
			v.origin.String() + a.base + "/signin/" + name, v.origin.String() + a.base + "/callback/" + name}})
	}
	if a.code != nil {
		list = append(list, member{AccessCode, entry{AccessCode, "Access code", "credentials",
			v.origin.String() + a.base + "/signin/" + AccessCode, v.origin.String() + a.base + "/callback/" + AccessCode}})
	}
	a.writeJSON(w, http.StatusOK, list)
}

func (a *Authenticator) showCSRF(w http.ResponseWriter, r *http.Request, v *visit) {
	a.writeJSON(w, http.StatusOK, struct {
		Token string `json:"csrfToken"`
	}{a.csrf.token(w, r, v.secure())})
}

// knownError is the code of ours that a query of the sign-in and error pages
// brings, by itself or beside one of Auth.js's.
func knownError(r *http.Request) string {
	q := r.URL.Query()
	code := q.Get("error")
	if detail := q.Get("detail"); slices.Contains(errorCodes, detail) {
		code = detail
	}
	if code != "" && !slices.Contains(errorCodes, code) {
		return codeDefault
	}
	return code
}

func (a *Authenticator) showError(w http.ResponseWriter, r *http.Request, _ *visit) {
	status := http.StatusOK // as Auth.js answers
	switch r.URL.Query().Get("error") {
	case codeConfiguration:
		status = http.StatusInternalServerError
	case codeAccessDenied, "Verification":
		status = http.StatusForbidden
	}
	a.pages.error(w, r, status, errorPage{BasePath: a.base, Code: cmp.Or(knownError(r), codeDefault)}, nil)
}

// label is what people call the provider.
func label(p Provider) string {
	if s, ok := p.(Presenter); ok {
		if l := s.Presentation().Label; l != "" {
			return l
		}
	}
	return p.Name()
}

func mark(p Provider) Mark {
	if s, ok := p.(Presenter); ok {
		return s.Presentation().Mark
	}
	return Mark{}
}
