package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// guard lets through to next whoever may go there, by the rules or the open paths. It
// answers the routes of sign-in itself.
func guard(a *auth.Authenticator, o options, next http.Handler) http.Handler {
	anybody, signedIn := a.Identify(next), a.Require(onlySignedIn(o, next))
	if o.rules == nil {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if o.open.lets(r) {
				anybody.ServeHTTP(w, r)
				return
			}
			signedIn.ServeHTTP(w, r)
		})
	}
	by := map[access]http.Handler{open: anybody, "": signedIn}
	for _, who := range o.rules.exact.all {
		if by[who] == nil {
			by[who] = a.RequireRule(inGroups(strings.Split(string(who), ",")))(onlySignedIn(o, next))
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, ok := o.rules.of(r)
		if !ok {
			http.Error(w, "This address could be taken for another one. Ask for the page by its plain address.", http.StatusBadRequest)
			return
		}
		by[who].ServeHTTP(w, asRead(r))
	})
}

// asRead is r with its path spelled in the one usual way, so that the application sees
// what the rules have seen.
func asRead(r *http.Request) *http.Request {
	read := new(http.Request)
	*read = *r
	read.URL = new(url.URL)
	*read.URL = *r.URL
	read.URL.RawPath = ""
	return read
}

// onlySignedIn does not rest on what is in front of it.
func onlySignedIn(o options, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := auth.FromContext(r.Context()); !ok && !(o.preflight && isPreflight(r)) {
			http.Error(w, "Nobody is signed in.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isPreflight reports whether a browser asks what another site may send (Fetch 4.8).
func isPreflight(r *http.Request) bool {
	return r.Method == "OPTIONS" && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

func inGroups(groups []string) auth.Rule {
	return func(s *session.Session) error {
		if slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(s.Groups, g) }) {
			return nil
		}
		return fmt.Errorf("in none of the groups %s: %w", strings.Join(groups, ", "), auth.ErrNotAllowed)
	}
}

// misleading are headers by which some frameworks replace the path or the method of a
// request. Where rules look at those, the application gets none of a client's.
var misleading = []string{
	"X-Original-Url", "X-Original-Uri", "X-Original-Method", "X-Rewrite-Url", "X-Forwarded-Uri", "X-Forwarded-Path", "X-Forwarded-Method",
	"X-Http-Method", "X-Http-Method-Override", "X-Method-Override",
}
