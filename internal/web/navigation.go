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
	mode, dest := h.Get("Sec-Fetch-Mode"), h.Get("Sec-Fetch-Dest")
	switch {
	case isUpgrade(r) || isPrefetch(r) || r.Method == "OPTIONS":
		return script
	case mode == "navigate" && !safe:
		return form
	case mode == "navigate" && framed[dest]:
		return frame
	case mode == "navigate":
		return browser
	case h.Get("HX-Request") != "":
		return htmx
	case h.Get("X-Up-Version") != "" || h.Get("Turbo-Frame") != "" || isTurbo(h) && !safe:
		return fragment
	case mode != "" || strings.EqualFold(h.Get("X-Requested-With"), "XMLHttpRequest") || !strings.Contains(h.Get("Accept"), "text/html"):
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
func inFrame(r *http.Request) bool { return framed[r.Header.Get("Sec-Fetch-Dest")] }

// isTurbo reports whether Turbo sends the request: it reads a page in answer to a form,
// and loads a link's address anew where the answer is none.
func isTurbo(h http.Header) bool {
	return h.Get("X-Turbo-Request-Id") != "" || strings.Contains(h.Get("Accept"), "text/vnd.turbo-stream.html")
}

// isForm reports whether the body is of a type that a form has.
func isForm(h http.Header) bool {
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
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
	return strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") ||
		strings.EqualFold(r.Header.Get("Purpose"), "prefetch")
}

// isPreflight reports whether a browser asks what another site may send (Fetch 4.8).
func isPreflight(r *http.Request) bool {
	return r.Method == "OPTIONS" && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

func isUpgrade(r *http.Request) bool {
	return r.Header.Get("Upgrade") != "" || r.Method == "CONNECT"
}

// upgradeAllowed is the check that browsers leave to servers for WebSockets:
// RFC 6455 10.2.
func upgradeAllowed(r *http.Request, origin *url.URL) bool {
	from := r.Header.Values("Origin")
	return len(from) == 0 || len(from) == 1 && strings.EqualFold(from[0], origin.String())
}

// sameOrigin reports whether r may change something here, going by what browsers
// say of where a request comes from. A request that says nothing is none of a
// browser's; the CSRF token decides.
func sameOrigin(r *http.Request, origin string) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
		from := r.Header.Values("Origin")
		return len(from) == 0 || len(from) == 1 && strings.EqualFold(from[0], origin)
	default:
		return false
	}
}
