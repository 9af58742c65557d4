package web

import "net/http"

// set sets headers, whose names are in canonical form, and allocates once for all of their
// values.
func set(h http.Header, pairs ...[2]string) {
	values := make([]string, len(pairs))
	for i, pair := range pairs {
		values[i] = pair[1]
		h[pair[0]] = values[i : i+1 : i+1]
	}
}

// get is the first value of the header name, which is in canonical form, or "". It is
// [http.Header.Get] without a look at how the name is spelled.
func get(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}
