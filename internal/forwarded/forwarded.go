// Package forwarded finds out under which address a client called, and which
// address the client has, when proxies stand in between. What a header says
// counts only when a trusted proxy sent it.
//
//	question    peer not trusted       peer is a trusted proxy; the first that is there
//	Client      the peer               Forwarded: for   X-Forwarded-For      the peer
//	scheme      http, or https on TLS  X-Forwarded-Proto   Forwarded: proto  as on the left
//	host        Host                   X-Forwarded-Host    Forwarded: host   as on the left
//
// Each proxy adds its peer at the end of a list. So [Proxies.Client] reads from
// the end, for as long as the addresses are those of trusted proxies, and takes the
// first that is not. What stands left of it the client may have made up:
//
//	X-Forwarded-For: 9.9.9.9, 203.0.113.9, 10.0.0.7         peer 10.0.0.2
//	                 made up  the client   a proxy of ours  a proxy of ours
//	                          <-- read in this direction --
//
// [Proxies.Origin] takes the last entry alone, which the proxy next to us wrote:
// the address under which that proxy was called, if it says so.
//
// # What it does not protect from
//
// A trusted proxy speaks for its clients, and so has to set, or remove, each of
// the four headers: Forwarded, X-Forwarded-For, X-Forwarded-Proto and
// X-Forwarded-Host. One that passes a header on as it came lets the client write
// it. That is so above all for Forwarded (RFC 7239), which counts for the address
// of the client before X-Forwarded-For, and of which many proxies know nothing.
//
// Where addresses that are trusted are also those of clients, such as a private
// network with people in it, those can make up what they like.
//
// X-Forwarded-Port, X-Forwarded-Prefix, X-Real-IP, X-Original-URL and their like
// are never looked at. Errors do not repeat what a header said, since strangers
// write it.
package forwarded

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose forwarding headers count. Nil and empty trust
// nobody. Make them with [ParseProxies] or [Default]; their methods may be called
// concurrently.
type Proxies []netip.Prefix

// Default trusts loopback and private addresses: RFC 1122 3.2.1.3, RFC 4291 2.5.3,
// RFC 1918, RFC 4193. Link-local and shared ones (RFC 6598) are not among them.
func Default() Proxies {
	p, err := ParseProxies([]string{"127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"})
	if err != nil {
		panic(err) // the list above is fixed
	}
	return p
}

// ParseProxies parses CIDRs, such as 10.0.0.0/8, and single addresses. Bits behind
// a network's length are ignored, and an IPv4 address or network that is mapped into
// IPv6 is the IPv4 one. The error joins one for each entry that is neither; the rest
// is returned with it. Names are never resolved.
func ParseProxies(list []string) (Proxies, error) {
	p := Proxies{}
	var err error
	for _, s := range list {
		prefix, e := netip.ParsePrefix(s)
		if e != nil {
			ip, e := netip.ParseAddr(s)
			if e != nil {
				err = errors.Join(err, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", s))
				continue
			}
			prefix = netip.PrefixFrom(ip, ip.BitLen())
		}
		if ip := prefix.Addr(); ip.Is4In6() && prefix.Bits() >= 96 { // peers are compared unmapped
			prefix = netip.PrefixFrom(ip.Unmap(), prefix.Bits()-96)
		}
		p = append(p, prefix.Masked())
	}
	return p, err
}

// contains reports whether ip is a trusted proxy's.
func (p Proxies) contains(ip netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}

// Trusted reports whether the peer at remoteAddr, as [http.Request] has it, is a
// trusted proxy. A peer without an address, such as a Unix socket's, is none.
func (p Proxies) Trusted(remoteAddr string) bool {
	ip, ok := peer(remoteAddr)
	return ok && p.contains(ip)
}

// peer parses RemoteAddr. An IPv4 address that a dual-stack listener shows mapped
// into IPv6 is the IPv4 one; a zone names our interface and no network of theirs.
func peer(remoteAddr string) (netip.Addr, bool) {
	at, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	return at.Addr().Unmap().WithZone(""), true
}

// Client returns the address that a request comes from. Of a chain of proxies,
// the last hop that is not trusted counts: whatever stands left of it may be made
// up. When all are trusted it is the first of them, or the 32nd from the end. An
// entry that is no address ("unknown", "_hidden", nonsense) ends the chain, and the
// proxy that wrote it counts as the client. The zero address stands for a peer that
// has none, a Unix socket's; its headers do not count.
func (p Proxies) Client(r *http.Request) netip.Addr {
	client, ok := peer(r.RemoteAddr)
	if !ok || !p.contains(client) {
		return client
	}
	hops := hopsOf(r.Header)
	for i := len(hops) - 1; i >= 0 && i >= len(hops)-maxHops; i-- {
		ip, ok := parseHop(hops[i])
		if !ok {
			break
		}
		if client = ip; !p.contains(ip) {
			break
		}
	}
	return client
}

// maxHops bounds how many proxies may stand in a row.
const maxHops = 32

// hopsOf lists who forwarded for whom, the nearest last. Forwarded (RFC 7239)
// counts before X-Forwarded-For. Several lines of a header are one list: RFC 9110
// 5.3. An element without an address is an empty entry.
func hopsOf(h http.Header) (hops []string) {
	if forwarded := h.Values("Forwarded"); len(forwarded) > 0 {
		for s := range strings.SplitSeq(strings.Join(forwarded, ","), ",") {
			e, _ := parseElement(s)
			hops = append(hops, e.client)
		}
		return hops
	}
	for entry := range strings.SplitSeq(strings.Join(h.Values("X-Forwarded-For"), ","), ",") {
		hops = append(hops, strings.TrimSpace(entry))
	}
	return hops
}

// parseHop takes an address, with or without a port: RFC 7239 6. IPv6 addresses
// come with brackets and, in X-Forwarded-For, without.
func parseHop(s string) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		at, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		ip = at.Addr()
	}
	return ip.Unmap().WithZone(""), true
}

// Origin returns the scheme and the host, with its port if any, under which the
// client called, in lower case and without the port that the scheme has anyway. Of
// a list, which a chain of proxies makes, the last entry counts: the one that the
// trusted proxy next to us wrote. Host itself is the client's to choose; whoever
// makes links from it has to know which hosts there are.
//
// There is an error when the scheme is neither http nor https, when the host is not
// a name or an address with an optional port, or when an element of Forwarded is
// malformed. It is the request's fault or the proxy's: 400.
func (p Proxies) Origin(r *http.Request) (scheme, host string, err error) {
	scheme, host = "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if p.Trusted(r.RemoteAddr) {
		if f := last(r.Header.Values("Forwarded")); f != "" {
			e, ok := parseElement(f)
			if !ok {
				return "", "", errors.New("the Forwarded header is malformed")
			}
			scheme, host = cmp.Or(e.proto, scheme), cmp.Or(e.host, host)
		}
		scheme = cmp.Or(last(r.Header.Values("X-Forwarded-Proto")), scheme)
		host = cmp.Or(last(r.Header.Values("X-Forwarded-Host")), host)
	}
	scheme, host = strings.ToLower(scheme), strings.ToLower(host)
	if scheme != "https" && scheme != "http" {
		return "", "", errors.New("the forwarded scheme is neither http nor https")
	}
	if !validHost(host) {
		return "", "", errors.New("the host of the request is not a host name with an optional port")
	}
	if scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return scheme, host, nil
}

// last is the last entry of a header that may be a list.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	v := values[len(values)-1]
	return strings.TrimSpace(v[strings.LastIndexByte(v, ',')+1:])
}

// element is what one proxy says in Forwarded. What it does not say is empty.
type element struct{ client, proto, host string }

// parseElement reads an element of Forwarded: RFC 7239 4. Its callers have cut the
// header at commas, and it cuts at semicolons, whether those stand in quotes or
// not: reading quotes from the left would let a client open one that swallows what
// the proxies added. So half of a quoted string is malformed, as is an escape in one
// and a parameter that stands twice; a client that gets a comma or a semicolon into
// the host which a proxy writes down adds nothing to the chain. A malformed element
// is empty.
func parseElement(s string) (e element, ok bool) {
	for pair := range strings.SplitSeq(s, ";") {
		pair = strings.TrimSpace(pair)
		if pair == "" {
			continue // the grammar has it
		}
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return element{}, false
		}
		if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
		if strings.Contains(value, `"`) {
			return element{}, false
		}
		var field *string
		switch strings.ToLower(name) {
		case "for":
			field = &e.client
		case "proto":
			field = &e.proto
		case "host":
			field = &e.host
		default:
			continue
		}
		if *field != "" {
			return element{}, false
		}
		*field = value
	}
	return e, true
}

// validHost takes a name or an address, and a port: RFC 3986 3.2.2, less what has
// no place in the address of a site. User information, paths, percent-encoding,
// zones and everything outside ASCII are refused; net/url and browsers read all that
// is left alike. 261 bytes are a name of 255 (RFC 1035 2.3.4) and a port.
func validHost(host string) bool {
	if len(host) == 0 || len(host) > 261 {
		return false
	}
	name, port := host, ""
	if host[0] == '[' {
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return false
		}
		ip, err := netip.ParseAddr(host[1:end])
		if err != nil || !ip.Is6() || ip.Zone() != "" {
			return false
		}
		port = host[end+1:]
	} else {
		if i := strings.IndexByte(host, ':'); i >= 0 {
			name, port = host[:i], host[i:]
		}
		if !validName(name) {
			return false
		}
	}
	return port == "" || validPort(port)
}

// validPort takes a colon and one to five digits.
func validPort(port string) bool {
	if len(port) < 2 || len(port) > 6 || port[0] != ':' {
		return false
	}
	for _, c := range []byte(port[1:]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// validName takes the letters, digits, hyphens and dots of RFC 1123 2.1, and the
// underscore that names inside of clusters have, in lower case. An IPv4 address is
// one too.
func validName(name string) bool {
	if name == "" || name[0] == '.' || name[0] == '-' || strings.Contains(name, "..") {
		return false
	}
	for _, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !letter && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}
