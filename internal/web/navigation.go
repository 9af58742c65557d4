package web

import (
	"net/http"
	"net/url"
	"strings"
)

// isNavigation reports whether r is a person's browser on the way to a page:
// only that may be sent to sign in.
func isNavigation(r *http.Request) bool {
	if r.Method != "GET" && r.Method != "HEAD" || isUpgrade(r) || isPrefetch(r) {
		return false
	}
	h := r.Header
	if h.Get("HX-Request") != "" || h.Get("X-Requested-With") != "" {
		return false
	}
	if mode := h.Get("Sec-Fetch-Mode"); mode != "" {
		dest := h.Get("Sec-Fetch-Dest")
		return mode == "navigate" && (dest == "" || dest == "document")
	}
	return strings.Contains(h.Get("Accept"), "text/html")
}

// isPrefetch reports whether the browser only looks ahead: nothing that happens
// once may happen then.
func isPrefetch(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") ||
		strings.EqualFold(r.Header.Get("Purpose"), "prefetch")
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
