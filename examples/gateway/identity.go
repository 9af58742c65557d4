package main

import (
	"log/slog"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// The headers that tell the application who it is. They are those of oauth2-proxy
// (https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview), which many
// applications read, and one for the provider, without which a user is not unique.
//
// The application must be reachable through the gateway alone: whoever reaches it
// otherwise can send these headers too.
const (
	userHeader     = "X-Forwarded-User"               // the user's id, by AUTH_USER_ID: stable and unique; always there
	emailHeader    = "X-Forwarded-Email"              // only an address that the provider has verified
	usernameHeader = "X-Forwarded-Preferred-Username" // may change hands: for showing, not for deciding
	groupsHeader   = "X-Forwarded-Groups"             // separated by commas
	providerHeader = "X-Forwarded-Provider"           // the provider's id, such as "github"

	tokenHeader = "X-Identity-Token" // a signed JWT that says all of it
)

var identityHeaders = []string{userHeader, emailHeader, usernameHeader, groupsHeader, providerHeader, tokenHeader}

// isFieldValue reports whether s can be the value of a header as it stands (RFC 9110
// 5.5): something, in UTF-8, without control characters, and without white space
// around it, which each recipient takes off. What is not is never mended: "admin "
// without its space is somebody else.
func isFieldValue(s string) bool {
	if isPlain(s) {
		return true
	}
	return s != "" && s == strings.TrimSpace(s) && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// isPlain reports whether s is something, of visible ASCII characters: most values are.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// setIdentity says who is signed in, and that the application's name for them is
// user. What cannot be a value is left out, and so is a
// group with a comma, which would be read as two.
func setIdentity(h http.Header, who *session.Session, user string) {
	told := fieldsOf(h, len(identityHeaders))
	set := func(name, value string) {
		if isFieldValue(value) {
			told.set(name, value)
		}
	}
	set(userHeader, user)
	if who.EmailVerified {
		set(emailHeader, who.Email)
	}
	set(usernameHeader, who.Username)
	set(providerHeader, who.Provider)
	groups := make([]string, 0, len(who.Groups))
	for _, g := range who.Groups {
		if isFieldValue(g) && !strings.Contains(g, ",") {
			groups = append(groups, g)
		}
	}
	set(groupsHeader, strings.Join(groups, ","))
}

// tellIdentity sets what [identified] has found out for the request of l.
func (o options) tellIdentity(l *line, h http.Header) {
	if l.who == nil {
		return
	}
	if o.plain {
		setIdentity(h, l.who, l.user)
	}
	if l.token != "" {
		h.Set(tokenHeader, l.token)
	}
}

// identified has next learn how the person who is signed in is told of, if anybody is.
// Where the user cannot be named in a header, the request is refused: an application
// that hears of no user may take the request for anybody's.
func identified(a *auth.Authenticator, o options, logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, ok := auth.FromContext(r.Context())
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		user := a.UserID(who)
		if who.Subject == "" || !isFieldValue(user) {
			logger.WarnContext(r.Context(), "gateway: a request is refused, because the user's id cannot be the value of a header as it stands: it is empty, or has a control character or white space around it; give the account another id at the provider",
				"header", userHeader, "provider", who.Provider, "user", user)
			http.Error(w, "The id of your account cannot be passed on to the application. Ask whoever runs it.", http.StatusForbidden)
			return
		}
		l := lineOf(r.Context())
		l.user = user
		if o.tokens != nil {
			token, err := o.tokens.of(who, user)
			if err != nil {
				logger.ErrorContext(r.Context(), "gateway: no token can be signed", "cause", err.Error())
				http.Error(w, "Who you are cannot be passed on to the application. Try again later.", http.StatusServiceUnavailable)
				return
			}
			l.token = token
		}
		l.who = who
		next.ServeHTTP(w, r)
	})
}
