package web

import (
	"net/http"
	"slices"
)

// keep is the Cache-Control of what somebody who is signed in is answered, unless the
// application has one of its own. A page is not to be seen any more, by Back or in
// another tab, when they have signed out; a script or a picture, which the browser says
// is no page (Fetch Metadata), may be kept in that browser.
func keep(r *http.Request) string {
	if isDocument(r) {
		return "private, no-store"
	}
	return "private"
}

// isDocument reports whether r may be for a page that somebody looks at.
func isDocument(r *http.Request) bool {
	mode, dest := get(r.Header, "Sec-Fetch-Mode"), get(r.Header, "Sec-Fetch-Dest")
	return mode == "navigate" || dest == "document" || inFrame(r) || mode == "" && dest == ""
}

// keepFrom has h say that the answer depends on who asks, and which caches may keep it:
// what is answered to nobody in particular any may.
func (v *visit) keepFrom(h http.Header, keep string) {
	switch {
	case v.session == nil || keep == "":
		h["Vary"] = append(slices.Grow(h["Vary"], 2), v.owner.vary) // a challenge adds another line
	case h["Vary"] == nil:
		set(h, [2]string{"Vary", v.owner.vary}, [2]string{"Cache-Control", keep})
	default:
		h.Add("Vary", v.owner.vary)
		h.Set("Cache-Control", keep)
	}
}
