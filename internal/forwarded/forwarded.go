// Package forwarded finds out under which address a client called, and which
// address the client has, when proxies stand in between. What a header says
// counts only when a trusted proxy sent it.
package forwarded

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose forwarding headers count.
type Proxies []netip.Prefix

// Default trusts loopback and private addresses: RFC 1918, RFC 4193.
func Default() Proxies {
	p, err := ParseProxies([]string{"127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"})
	if err != nil {
		panic(err) // the list above is fixed
	}
	return p
}

// ParseProxies parses CIDRs and single addresses.
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
// trusted proxy.
func (p Proxies) Trusted(remoteAddr string) bool {
	ip, ok := peer(remoteAddr)
	return ok && p.contains(ip)
}

func peer(remoteAddr string) (netip.Addr, bool) {
	at, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	return at.Addr().Unmap().WithZone(""), true
}

// Client returns the address that a request comes from. Of a chain of proxies,
// the last hop that is not trusted counts: whatever stands left of it may be made
// up. The zero address stands for a peer that has none, a Unix socket's.
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
// counts before X-Forwarded-For.
func hopsOf(h http.Header) (hops []string) {
	if forwarded := h.Values("Forwarded"); len(forwarded) > 0 {
		for element := range strings.SplitSeq(strings.Join(forwarded, ","), ",") {
			hop := ""
			for pair := range strings.SplitSeq(element, ";") {
				if name, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && strings.EqualFold(name, "for") {
					hop = strings.Trim(value, `"`)
				}
			}
			hops = append(hops, hop)
		}
		return hops
	}
	for entry := range strings.SplitSeq(strings.Join(h.Values("X-Forwarded-For"), ","), ",") {
		hops = append(hops, strings.TrimSpace(entry))
	}
	return hops
}

// parseHop takes an address, with or without a port.
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
// client called. Of a list, which a chain of proxies makes, the last entry counts:
// the one that the trusted proxy next to us wrote.
func (p Proxies) Origin(r *http.Request) (scheme, host string, err error) {
	scheme, host = "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if p.Trusted(r.RemoteAddr) {
		if f := last(r.Header.Values("Forwarded")); f != "" {
			proto, h, err := parseForwarded(f)
			if err != nil {
				return "", "", err
			}
			scheme, host = or(proto, scheme), or(h, host)
		}
		scheme = or(last(r.Header.Values("X-Forwarded-Proto")), scheme)
		host = or(last(r.Header.Values("X-Forwarded-Host")), host)
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

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// last is the last entry of a header that may be a list.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	v := values[len(values)-1]
	return strings.TrimSpace(v[strings.LastIndexByte(v, ',')+1:])
}

// parseForwarded reads proto and host of one element: RFC 7239 4.
func parseForwarded(element string) (proto, host string, err error) {
	for pair := range strings.SplitSeq(element, ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok {
			return "", "", errors.New("the Forwarded header is malformed")
		}
		if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
		switch strings.ToLower(name) {
		case "proto":
			proto = value
		case "host":
			host = value
		}
	}
	return proto, host, nil
}

// validHost takes a name or an address, and a port.
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

func validName(name string) bool {
	if name == "" || name[0] == '.' || name[0] == '-' || strings.Contains(name, "..") {
		return false
	}
	for _, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}
