package web

import (
	"net/http"
	"net/url"
	"strings"
)

// asker is what has sent a request, as far as that can be told. It decides what
// somebody gets who is not signed in: the package documentation has the table.
type asker int

const (
	script   asker = iota // reads JSON
	browser               // a person on the way to a page: may be sent to another one
	frame                 // the same inside another page, where no provider shows itself
	form                  // a person who sent something: must not be sent elsewhere with it
	fragment              // a library that puts HTML into the page that it is on
	htmx                  // one that goes where HX-Redirect says
)

// whoAsks tells what has sent r. What a browser says of its requests, and no script can
// (Fetch Metadata), comes before what scripts and old browsers say.
func whoAsks(r *http.Request) asker {
	h := r.Header
	safe := r.Method == "GET" || r.Method == "HEAD"
	mode, dest := get(h, "Sec-Fetch-Mode"), get(h, "Sec-Fetch-Dest")
	switch {
	case isUpgrade(r) || isPrefetch(r) || r.Method == "OPTIONS":
		return script
	case mode == "navigate" && !safe:
		return form
	case mode == "navigate" && framed[dest]:
		return frame
	case mode == "navigate":
		return browser
	case get(h, "Hx-Request") != "":
		return htmx
	case get(h, "X-Up-Version") != "" || get(h, "Turbo-Frame") != "" || !safe && isTurbo(h):
		return fragment
	case mode != "" || strings.EqualFold(get(h, "X-Requested-With"), "XMLHttpRequest") || !strings.Contains(get(h, "Accept"), "text/html"):
		return script
	case safe:
		return browser
	case r.Method == "POST" && isForm(h):
		return form
	}
	return script
}

// framed are the destinations of Fetch Metadata that are inside another page.
var framed = map[string]bool{"iframe": true, "frame": true, "embed": true, "object": true, "fencedframe": true}

// inFrame reports whether the browser says that the answer is shown inside another page.
func inFrame(r *http.Request) bool { return framed[get(r.Header, "Sec-Fetch-Dest")] }

// isTurbo reports whether Turbo sends the request: it reads a page in answer to a form,
// and loads a link's address anew where the answer is none.
func isTurbo(h http.Header) bool {
	return get(h, "X-Turbo-Request-Id") != "" || strings.Contains(get(h, "Accept"), "text/vnd.turbo-stream.html")
}

// isForm reports whether the body is of a type that a form has.
func isForm(h http.Header) bool {
	media, _, _ := strings.Cut(get(h, "Content-Type"), ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case "application/x-www-form-urlencoded", "multipart/form-data", "text/plain":
		return true
	}
	return false
}

// isNavigation reports whether r is a person's browser on the way to a page: only that
// may be sent to sign in.
func isNavigation(r *http.Request) bool { return whoAsks(r) == browser }

// readsPages reports whether a person sees what r is answered.
func readsPages(r *http.Request) bool {
	switch whoAsks(r) {
	case script, htmx:
		return false
	}
	return true
}

// isPrefetch reports whether the browser only looks ahead: nothing that happens
// once may happen then.
func isPrefetch(r *http.Request) bool {
	return strings.Contains(get(r.Header, "Sec-Purpose"), "prefetch") ||
		strings.EqualFold(get(r.Header, "Purpose"), "prefetch")
}

// isPreflight reports whether a browser asks what another site may send (Fetch 4.8).
func isPreflight(r *http.Request) bool {
	return r.Method == "OPTIONS" && get(r.Header, "Origin") != "" && get(r.Header, "Access-Control-Request-Method") != ""
}

func isUpgrade(r *http.Request) bool {
	return get(r.Header, "Upgrade") != "" || r.Method == "CONNECT"
}

// upgradeAllowed is the check that browsers leave to servers for WebSockets:
// RFC 6455 10.2.
func upgradeAllowed(r *http.Request, origin *url.URL) bool {
	from := r.Header["Origin"]
	return len(from) == 0 || len(from) == 1 && strings.EqualFold(from[0], origin.String())
}

// sameOrigin reports whether r may change something here, going by what browsers
// say of where a request comes from. A request that says nothing is none of a
// browser's; the CSRF token decides.
func sameOrigin(r *http.Request, origin string) bool {
	switch get(r.Header, "Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
		from := r.Header["Origin"]
		return len(from) == 0 || len(from) == 1 && strings.EqualFold(from[0], origin)
	default:
		return false
	}
}
