package main

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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
)

var identityHeaders = []string{userHeader, emailHeader, usernameHeader, groupsHeader, providerHeader}

// isIdentity reports whether an application could take the header name for one of
// the identity headers: many read "-" and "_" as the same, as CGI does (RFC 3875
// 4.1.18), and case never counts.
func isIdentity(name string) bool {
	plain := strings.ReplaceAll(name, "_", "-")
	return slices.ContainsFunc(identityHeaders, func(own string) bool { return strings.EqualFold(plain, own) })
}

// removeIdentity deletes what the client says of itself.
func removeIdentity(h http.Header) {
	for name := range h {
		if isIdentity(name) {
			delete(h, name)
		}
	}
}

// isFieldValue reports whether s can be the value of a header as it stands (RFC 9110
// 5.5): something, in UTF-8, without control characters, and without white space
// around it, which each recipient takes off. What is not is never mended: "admin "
// without its space is somebody else.
func isFieldValue(s string) bool {
	return s != "" && s == strings.TrimSpace(s) && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// setIdentity says who is signed in, and that the application's name for them is
// user. What cannot be a value is left out, and so is a
// group with a comma, which would be read as two.
func setIdentity(h http.Header, who *session.Session, user string) {
	set := func(name, value string) {
		if isFieldValue(value) {
			h.Set(name, value)
		}
	}
	set(userHeader, user)
	if who.EmailVerified {
		set(emailHeader, who.Email)
	}
	set(usernameHeader, who.Username)
	set(providerHeader, who.Provider)
	var groups []string
	for _, g := range who.Groups {
		if isFieldValue(g) && !strings.Contains(g, ",") {
			groups = append(groups, g)
		}
	}
	set(groupsHeader, strings.Join(groups, ","))
}
