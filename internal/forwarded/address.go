package forwarded

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
)

// address is what one kind of header says of where the client called. What it does
// not say is empty.
type address struct {
	scheme, host string
	port         string // of a host that has none
	malformed    bool
	unvouched    bool // https, by an entry that no believed proxy wrote
}

// or is a, and b in what a does not say.
func (a address) or(b address) address {
	a.scheme, a.host, a.port = cmp.Or(a.scheme, b.scheme), cmp.Or(a.host, b.host), cmp.Or(a.port, b.port)
	return a
}

// is reports whether a is that address, in other words perhaps.
func (a address) is(scheme, host string) bool {
	s, h, err := a.canonical()
	return err == nil && !a.malformed && s == scheme && h == host
}

func (a address) canonical() (scheme, host string, err error) {
	scheme = strings.ToLower(a.scheme)
	if scheme != "https" && scheme != "http" {
		return "", "", errors.New("the forwarded scheme is neither http nor https")
	}
	name, port, ok := parseHost(a.host)
	if !ok {
		return "", "", errors.New("the host of the request is not a host name with an optional port")
	}
	if port == "" {
		port = a.portFor(scheme)
	}
	if port == "" || port == defaultPort(scheme) {
		return scheme, name, nil
	}
	return scheme, name + ":" + port, nil
}

// Canonical is scheme and host, which may have a port, in the form that
// [Proxies.Origin] returns.
func Canonical(scheme, host string) (canonicalScheme, canonicalHost string, err error) {
	return address{scheme: scheme, host: host}.canonical()
}

// portFor is what X-Forwarded-Port says of the client's port; empty where that is
// none, or the other scheme's own.
func (a address) portFor(scheme string) string {
	n, err := strconv.ParseUint(a.port, 10, 16)
	if err != nil || n == 0 {
		return ""
	}
	port := strconv.FormatUint(n, 10)
	if port != defaultPort(scheme) && (port == "80" || port == "443") {
		return ""
	}
	return port
}
