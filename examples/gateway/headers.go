package main

import (
	"net/http"
	"slices"
	"strings"
)

// gatewayHeaders are those by which the gateway tells the application of a request, beside
// identityHeaders.
var gatewayHeaders = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", requestHeader}

// edgeHeaders are others by which a proxy in front tells applications where a request comes from, as it
// does by all that begin with X-Forwarded-. The word of one that is believed alone counts.
var edgeHeaders = []string{"X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip", "Cloudfront-Forwarded-Proto", "X-Scheme", "X-Url-Scheme", "Front-End-Https"}

// passedOn is what the application gets of h, without all that it could take for something the
// gateway has said, and with room for that. edge says that h comes from a proxy in front that is believed.
func (o options) passedOn(h http.Header, edge bool) http.Header {
	passed := make(http.Header, len(h)+len(gatewayHeaders)+len(identityHeaders))
	for name, values := range h {
		switch {
		case isOneOf(name, gatewayHeaders), isOneOf(name, identityHeaders):
		case o.rules != nil && isOneOf(name, misleading):
		case !edge && (isOneOf(name, edgeHeaders) || beginsForwarded(name)):
		default:
			passed[name] = values
		}
	}
	return passed
}

// isOneOf reports whether an application could take the header name for one of names:
// many read "-" and "_" as the same, as CGI does (RFC 3875 4.1.18), and case never
// counts.
func isOneOf(name string, names []string) bool {
	plain := strings.ReplaceAll(name, "_", "-")
	return slices.ContainsFunc(names, func(own string) bool { return strings.EqualFold(plain, own) })
}

func beginsForwarded(name string) bool {
	const begin = "X-Forwarded-"
	return len(name) > len(begin) && isOneOf(name[:len(begin)], []string{begin})
}

// removeHeaders deletes what an application could take for one of names.
func removeHeaders(h http.Header, names []string) {
	for name := range h {
		if isOneOf(name, names) {
			delete(h, name)
		}
	}
}

// fields sets headers that have a value each.
type fields struct {
	h      http.Header
	values []string
}

// fieldsOf sets n headers of h, and more with another allocation.
func fieldsOf(h http.Header, n int) fields { return fields{h, make([]string, 0, n)} }

// set has the header name, in canonical form, be value alone.
func (f *fields) set(name, value string) {
	f.values = append(f.values, value)
	n := len(f.values)
	f.h[name] = f.values[n-1 : n : n]
}
