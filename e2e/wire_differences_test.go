package e2e_test

import "strings"

// wireDifference says why ours may differ from theirs in what: always on the
// stricter or the more helpful side.
func wireDifference(c wireCase, what string, ours, theirs wireAnswer) string {
	theirURL := theirs.Location
	if theirURL == "" {
		theirURL = theirs.Body
	}
	var (
		refused   = ours.Status >= 400
		misconfig = strings.Contains(theirURL, "error=Configuration") || theirs.Status >= 500
		returning = strings.Contains(c.Name, " to: ") || strings.Contains(c.Name, "callbackUrl: ")
		isSession = strings.HasPrefix(strings.TrimPrefix(what, "no "), "cookie __Secure-authjs.session-token")
	)
	switch {
	case c.Method == "HEAD" && ours.Status == 200 && theirs.Status == 400:
		return "HEAD of a page is GET without a body (RFC 9110 9.3.2)"
	case what == "redirect status":
		return "303, not 302: what follows is a GET, whatever came (RFC 9110 15.4.4)"
	case what == "cookie __Host-authjs.code-device":
		return "a browser that knew a code passes the limits by a device cookie"
	case what == "cookie __Host-authjs.last":
		return "the way that a browser used last is marked on the sign-in page"
	case what == "no cookie __Secure-authjs.callback-url":
		return "where to return to is sealed into each attempt, not kept once for a browser"
	case what == "no cookie __Host-authjs.csrf-token" && (ours.kind() != "html" || strings.Contains(c.URL, "/error") || strings.Contains(c.URL, "/signout")):
		return "the CSRF cookie is set where its token is shown"
	case what == "cookie __Host-authjs.csrf-token" && ours.kind() == "html" && refused:
		return "an error page has a form to try again with"
	case isSession && c.Method == "GET" && ours.Status == 200:
		return "a session is written anew once a day, not at each look"
	case returning && misconfig:
		return "an address that is none of the application's means its front page; nothing fails"
	case returning && (what == "location" || what == "JSON") && (strings.Contains(theirURL, `\`) || strings.Contains(theirURL, "example//")):
		return "browsers read these addresses in several ways: the front page instead"
	case refused && (strings.Contains(theirs.Body, "Bad request.") || theirs.Body == "null"):
		return "404, 405, 413 and 415 say what is wrong with a request"
	case refused && ours.kind() == "json" && (misconfig || ours.Status == 415):
		return "what no route takes is refused where it is, not as an error of the configuration"
	case refused && ours.kind() == "html" && strings.Contains(theirs.Location, "/signin?error=MissingCSRF"),
		refused && ours.kind() == "html" && strings.Contains(theirs.Location, "/signin?error=OAuthCallbackError"),
		refused && ours.kind() == "html" && strings.Contains(c.URL, "/callback/") && misconfig:
		return "a failure is shown where it happens, with its status and a way on"
	case strings.HasPrefix(c.Name, "start by GET") || strings.Contains(c.Name, "in the query"):
		return "whoever opens the address of a start gets the sign-in page, not an error"
	case strings.HasSuffix(c.Name, "of nobody's attempt") && !refused:
		return "a callback that belongs to no attempt starts one, once (a reload, the back button)"
	case what == "location" && strings.Contains(ours.Location, "/api/auth/signout"):
		return "signing out ends on a page that says so, where no other is named"
	case (what == "JSON" || what == "location") && strings.Contains(theirURL, "error=CredentialsSignin"):
		return "the page with the error knows where to return to"
	case c.V4 && strings.Contains(theirURL, "csrf=true"):
		return "a forged form is told in v5's words"
	case c.V4 && what == "JSON" && strings.HasSuffix(c.Name, "Unicode"):
		return "an address with anything but ASCII is none: browsers send it encoded"
	case strings.HasPrefix(c.Name, "authorization parameters"):
		return "only those parameters that are known to be harmless are passed on"
	case c.V4 && strings.Contains(theirURL, "/login/oauth/authorize") && !strings.Contains(theirURL, "code_challenge"):
		return "PKCE always"
	case strings.HasSuffix(c.URL, "/signin/access-code") && strings.HasPrefix(c.Name, "start"):
		return "the form of the sign-in page posts the code to signin, and one without a code is wrong"
	case strings.HasPrefix(c.Name, "start") && strings.HasSuffix(c.URL, "/signin/"):
		return "the sign-in page is told where to return to"
	case strings.HasSuffix(c.URL, "/verify-request"):
		return "nobody signs in by e-mail here"
	}
	return ""
}
