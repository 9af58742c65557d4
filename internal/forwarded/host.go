package forwarded

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Hosts are those at which a site is called, made by [ParseHosts]. They are safe for
// concurrent use.
type Hosts []hostPattern

type hostPattern struct {
	anyLabel   bool // stands in front of name, and of a dot
	name, port string
}

// ParseHosts takes names and addresses with an optional port, and *.example.com for
// any one label in that place. Without a port, the scheme's own is meant. The error
// joins one for each entry that is none of these.
func ParseHosts(list []string) (Hosts, error) {
	var hosts Hosts
	var err error
	for _, entry := range list {
		rest, anyLabel := strings.CutPrefix(entry, "*.")
		name, port, ok := parseHost(rest)
		if !ok || anyLabel && name[0] == '[' {
			err = errors.Join(err, fmt.Errorf("%q: want one like app.example.com, localhost:3000 or *.example.com", entry))
			continue
		}
		hosts = append(hosts, hostPattern{anyLabel, name, port})
	}
	return hosts, err
}

// Contain reports whether an address, as [Proxies.Origin] has it, is at one of hs.
func (hs Hosts) Contain(scheme, host string) bool {
	name, port, _ := parseHost(host)
	if port == "" {
		port = defaultPort(scheme)
	}
	for _, h := range hs {
		if h.matches(name) && (port == h.port || h.port == "" && port == defaultPort(scheme)) {
			return true
		}
	}
	return false
}

func (h hostPattern) matches(name string) bool {
	if !h.anyLabel {
		return name == h.name
	}
	label, ok := strings.CutSuffix(name, "."+h.name)
	return ok && label != "" && !strings.Contains(label, ".")
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// parseHost takes a name or an address, and a port: RFC 3986 3.2.2, less what has
// no place in the address of a site. User information, paths, percent-encoding,
// zones and everything outside ASCII are refused; net/url and browsers read all that
// is left alike. 261 bytes are a name of 255 (RFC 1035 2.3.4) and a port. The name is
// in lower case and has no dot at its end, which names the same host, and an IPv6
// address is in its short form; the port is a number without zeros in front, or empty.
func parseHost(host string) (name, port string, ok bool) {
	if len(host) == 0 || len(host) > 261 {
		return "", "", false
	}
	name, port, hasPort := host, "", false
	if host[0] == '[' {
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return "", "", false
		}
		ip, err := netip.ParseAddr(host[1:end])
		if err != nil || !ip.Is6() || ip.Zone() != "" {
			return "", "", false
		}
		name = "[" + shortest(ip) + "]"
		if rest := host[end+1:]; rest != "" {
			if port, hasPort = strings.CutPrefix(rest, ":"); !hasPort {
				return "", "", false
			}
		}
	} else {
		name, port, hasPort = strings.Cut(host, ":")
		name = strings.TrimSuffix(name, ".")
		if !validName(name) {
			return "", "", false
		}
	}
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return "", "", false
		}
		port = strconv.FormatUint(n, 10)
	}
	return strings.ToLower(name), port, true
}

// shortest is ip as browsers write it: RFC 5952 4, but in hexadecimal to the end
// (WHATWG URL 3.5).
func shortest(ip netip.Addr) string {
	if !ip.Is4In6() {
		return ip.String()
	}
	b := ip.As16()
	return fmt.Sprintf("::ffff:%x:%x", uint16(b[12])<<8|uint16(b[13]), uint16(b[14])<<8|uint16(b[15]))
}

func letterOrDigit(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// validName takes the letters, digits, hyphens and dots of RFC 1123 2.1, and the
// underscore that names inside of clusters have. An IPv4 address is one too. It looks
// before anything is put in lower case: U+212A, the sign of kelvin, would become a k.
func validName(name string) bool {
	if name == "" || name[0] == '.' || name[0] == '-' || name[len(name)-1] == '.' || strings.Contains(name, "..") {
		return false
	}
	for _, c := range []byte(name) {
		if !letterOrDigit(c) && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}
