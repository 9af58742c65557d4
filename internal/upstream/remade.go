package upstream

import "net/http"

// around is a RoundTripper that watches what goes through another, as that of module
// otelauth does. Remade returns one that watches what change makes of the [http.Transport]
// within, which is nil where that is left to a [Client]; ok is false where something else is
// within, and change is not called.
type around interface {
	Remade(change func(*http.Transport) *http.Transport) (_ http.RoundTripper, ok bool)
}

// remade is rt with what change makes of the transport that makes the connections, so that
// a caller who watches requests has all the limits too. Into other RoundTrippers nobody can
// look, and ok is false.
func remade(rt http.RoundTripper, change func(*http.Transport) *http.Transport) (_ http.RoundTripper, ok bool) {
	switch rt := rt.(type) {
	case *http.Transport:
		return change(rt), true
	case around:
		return rt.Remade(change)
	}
	return nil, false
}
