// Package forwarded finds out under which address a client called, and which
// address the client has, when proxies stand in between. What a header says
// counts only when a trusted proxy sent it.
//
//	question    peer not believed      peer believed: the first that is there
//	Client      the peer               X-Forwarded-For     or  Forwarded: for     the peer
//	scheme      http, or https on TLS  X-Forwarded-Proto   or  Forwarded: proto   as on the left
//	host        Host                   X-Forwarded-Host    or  Forwarded: host    as on the left
//	prefix      none                   X-Forwarded-Prefix  or  nothing            none
//
// A proxy that writes one kind of header lets the other through as the client sent
// it. So one kind counts, X-Forwarded-* or else Forwarded (RFC 7239), and the other
// never. Where it contradicts the kind that counts, one of the two is made up, and
// nobody can tell which: the client is then the peer, and the address is what the
// request itself says.
//
// Who is believed depends on the question. A private network often has both proxies
// and clients in it: a wrong scheme or host harms the one who sent it, an invented
// address escapes limits.
//
//	Config.Trusted   believed about scheme and host      about the client
//	nil              loopback, private, shared           loopback, Unix sockets
//	                 (100.64.0.0/10), Unix sockets
//	a list           the list, Unix sockets              the same
//	an empty list    nobody                              nobody
//
// The peer of a Unix socket has no address that could be forged, and who may
// connect is the file system's to say.
//
// Each proxy adds its peer at the end of a list. So [Proxies.Client] reads from
// the end, for as long as the addresses are those of believed proxies, and takes the
// first that is not. What stands left of it the client may have made up:
//
//	X-Forwarded-For: 9.9.9.9, 203.0.113.9, 10.0.0.7         peer 10.0.0.2
//	                 made up  the client   a proxy of ours  a proxy of ours
//	                          <-- read in this direction --
//
// [Proxies.Origin] takes the last entry, which the proxy next to us wrote: the address
// under which that proxy was called, if it says so. Of schemes there are often more,
// for what a client calls by TLS a chain passes on without: the last as many count as
// X-Forwarded-For shows proxies in a row that are believed about the address, and of
// those https, if any says so. What stands left of them the client may have made up.
//
//	X-Forwarded-For: 203.0.113.9, 10.0.0.7    peer 10.0.0.2    two proxies of ours
//	X-Forwarded-Proto: https, http                             https
//	X-Forwarded-For: 203.0.113.9              peer 10.0.0.2    one
//	X-Forwarded-Proto: https, http                             http, and a line in the log
//
// Some proxies have words of their own. They count where X-Forwarded-* do:
//
//	X-Forwarded-Ssl: on              https, without X-Forwarded-Proto
//	X-Forwarded-Proto: wss, ws       https, http: of a WebSocket
//	CloudFront-Forwarded-Proto       the scheme, without X-Forwarded-Proto; https beside http
//	                                 too, which a balancer behind it writes of itself
//	X-Forwarded-Port: 8443           the port of a host that has none, unless it is 80
//	                                 for https or 443 for http: a balancer took TLS off
//
// To believe https too easily is safe: cookies are then kept for TLS alone. A client
// that makes it up harms itself.
//
// [Hosts] are the addresses that may be.
//
// The log says, once for each reason, that a header was ignored, and which setting
// would change that. A second reason is not hidden by strangers who cause the first.
//
// # What it does not protect from
//
// A trusted proxy speaks for its clients, and so has to set, or remove, each header
// of the kind that counts: X-Forwarded-For, -Proto and -Host, or Forwarded. One that
// passes a header on as it came lets the client write it. X-Forwarded-Prefix, which
// many do, is a path of the same host, and harms the one who sent it.
//
// X-Real-IP, X-Original-URL and their like are never looked at. Neither errors nor the log repeat what a header said, since
// strangers write it.
package forwarded

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Config says whose headers count, and which.
type Config struct {
	// Trusted are CIDRs, such as 10.0.0.0/8, and single addresses. Bits behind a
	// network's length are ignored, and an IPv4 address or network that is mapped
	// into IPv6 is the IPv4 one. Names are never resolved. Nil is the default that
	// the package's documentation has, an empty list trusts nobody.
	Trusted []string

	// Forwarded says that the header of that name counts, and X-Forwarded-* not.
	Forwarded bool

	// Logger is told of headers that are ignored.
	Logger *slog.Logger
}

// Proxies are the peers whose forwarding headers count. Make them with [New] or
// [Default]; their methods may be called concurrently.
type Proxies struct {
	origins   []netip.Prefix // believed about scheme and host
	clients   []netip.Prefix // believed about the client's address
	sockets   bool           // peers of Unix sockets are believed about both
	forwarded bool           // the kind that counts
	notes     *notes
}

var (
	loopback = networks("127.0.0.0/8", "::1/128")                                    // RFC 1122 3.2.1.3, RFC 4291 2.5.3
	private  = networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7") // RFC 1918, RFC 4193
	shared   = networks("100.64.0.0/10")                                             // RFC 6598: pods of EKS, Tailscale
)

// networks parses what is fixed above.
func networks(list ...string) (p []netip.Prefix) {
	for _, s := range list {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}

// Default is what [New] makes of a Config with nothing but a Logger. Link-local
// addresses are not among those that it trusts.
func Default(logger *slog.Logger) *Proxies {
	return &Proxies{
		origins: slices.Concat(loopback, private, shared), clients: loopback,
		sockets: true, notes: &notes{log: logger},
	}
}

// New checks c. The error joins one for each entry of Trusted that is neither an
// address nor a network.
func New(c Config) (*Proxies, error) {
	p := Default(c.Logger)
	p.forwarded = c.Forwarded
	if c.Trusted == nil {
		return p, nil
	}
	list, err := parseNetworks(c.Trusted)
	if err != nil {
		return nil, err
	}
	p.origins, p.clients, p.sockets = list, list, len(list) > 0
	return p, nil
}

func parseNetworks(list []string) (p []netip.Prefix, err error) {
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

func contain(networks []netip.Prefix, ip netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

// believes reports whether the peer that sent r is in networks, or has no address
// because it is a Unix socket's.
func (p *Proxies) believes(networks []netip.Prefix, r *http.Request) bool {
	if ip, ok := peer(r); ok {
		return contain(networks, ip)
	}
	return p.sockets && overSocket(r)
}

// peer parses RemoteAddr. An IPv4 address that a dual-stack listener shows mapped
// into IPv6 is the IPv4 one; a zone names our interface and no network of theirs.
func peer(r *http.Request) (netip.Addr, bool) {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	return at.Addr().Unmap().WithZone(""), true
}

// overSocket reports whether r came over a Unix socket. [http.Server] says where it
// was taken, which no middleware that rewrites RemoteAddr changes. Without that, the
// address of a peer that has none decides: "@" on Linux, nothing elsewhere.
func overSocket(r *http.Request) bool {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return local.Network() == "unix"
	}
	return r.RemoteAddr == "@" || r.RemoteAddr == ""
}

// Client returns the address that a request comes from. Of a chain of proxies,
// the last hop that is not believed counts: whatever stands left of it may be made
// up. When all are believed it is the first of them, or the 32nd from the end. An
// entry that is no address ("unknown", "_hidden", nonsense) ends the chain, and the
// proxy that wrote it counts as the client. The zero address stands for a peer that
// has none, and of which no header says more.
func (p *Proxies) Client(r *http.Request) netip.Addr {
	at, _ := peer(r)
	said, other := hopsOf(r.Header, p.forwarded), hopsOf(r.Header, !p.forwarded)
	if !p.believes(p.clients, r) {
		switch {
		case said == nil && other == nil:
		case p.believes(p.origins, r):
			p.notes.say(r, clientNotBelieved)
		default:
			p.notes.say(r, notTrusted)
		}
		return at
	}
	client := p.walk(at, said)
	if other != nil && p.walk(at, other) != client {
		p.notes.say(r, p.otherKind())
		return at
	}
	return client
}

// maxHops bounds how many proxies may stand in a row.
const maxHops = 32

// walk goes from the peer along hops, towards the client.
func (p *Proxies) walk(client netip.Addr, hops []string) netip.Addr {
	for i := len(hops) - 1; i >= 0 && i >= len(hops)-maxHops; i-- {
		ip, ok := parseHop(hops[i])
		if !ok {
			break
		}
		if client = ip; !contain(p.clients, ip) {
			break
		}
	}
	return client
}

// hopsOf lists who forwarded for whom in one kind of header, the nearest last; nil
// where it says nothing of that. Several lines of a header are one list: RFC 9110
// 5.3. An element without an address is an empty entry.
func hopsOf(h http.Header, forwarded bool) (hops []string) {
	name := "X-Forwarded-For"
	if forwarded {
		name = "Forwarded"
	}
	lines := h[name]
	if len(lines) == 0 {
		return nil
	}
	list := strings.Join(lines, ",")
	if !forwarded {
		if strings.TrimSpace(list) == "" {
			return nil
		}
		for entry := range strings.SplitSeq(list, ",") {
			hops = append(hops, strings.TrimSpace(entry))
		}
		return hops
	}
	says := false
	for s := range strings.SplitSeq(list, ",") {
		e, ok := parseElement(s)
		hops, says = append(hops, e.client), says || e.client != "" || !ok
	}
	if !says {
		return nil
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
// client called, in canonical form: lower case, without a dot at the end, without
// the port that the scheme has anyway. Of a list, which a chain of proxies makes, the
// last entry counts: the one that the proxy next to us wrote. Host itself is the
// client's to choose; [Hosts] says which ones there are.
//
// There is an error when the scheme is neither http nor https, when the host is not
// a name or an address with an optional port, or when an element of Forwarded, where
// that counts, is malformed. It is the request's fault or the proxy's: 400.
func (p *Proxies) Origin(r *http.Request) (scheme, host string, err error) {
	scheme, host, _, err = p.locate(r)
	return scheme, host, err
}

// locate is Origin. believed says that what the headers say of the address counts.
func (p *Proxies) locate(r *http.Request) (scheme, host string, believed bool, err error) {
	own := address{scheme: "http", host: r.Host}
	if r.TLS != nil {
		own.scheme = "https"
	}
	said, other := p.addressOf(r.Header, p.forwarded), p.addressOf(r.Header, !p.forwarded)
	if !p.believes(p.origins, r) {
		if said != (address{}) || other != (address{}) {
			p.notes.say(r, notTrusted)
		}
		scheme, host, err = own.canonical()
		return scheme, host, false, err
	}
	other.port = "" // beside a host of the other kind it says nothing
	if said.unvouched {
		p.notes.say(r, schemeUnvouched)
	}
	if said.malformed {
		return "", "", false, errors.New("the Forwarded header is malformed")
	}
	whole := said.or(own)
	scheme, host, err = whole.canonical()
	if err != nil {
		return "", "", false, err
	}
	if !other.or(whole).is(scheme, host) {
		p.notes.say(r, p.otherKind())
		if said.scheme == "" {
			other.scheme = "" // there is nothing that it contradicts
		}
		if said.host == "" {
			other.host = ""
		}
		if !other.or(whole).is(scheme, host) {
			scheme, host, err = own.canonical()
			return scheme, host, false, err
		}
	}
	return scheme, host, true, nil
}

// Prefix returns the path below which the client sees this server, such as /app, by
// X-Forwarded-Prefix of a proxy that is believed about the address. It is empty at
// the root, where Forwarded counts, which has no word for it, and where the header
// is not one plain path: nothing is mended, and of a list nobody knows whether its
// entries stand one inside another.
func (p *Proxies) Prefix(r *http.Request) string {
	said := r.Header["X-Forwarded-Prefix"]
	if len(said) == 0 {
		return ""
	}
	if p.forwarded {
		p.notes.say(r, xForwardedIgnored)
		return ""
	}
	if !p.believes(p.origins, r) {
		p.notes.say(r, notTrusted)
		return ""
	}
	prefix := strings.TrimSuffix(strings.TrimSpace(said[0]), "/")
	if len(said) > 1 || prefix != "" && !plainPath(prefix) {
		p.notes.say(r, prefixNotPlain)
		return ""
	}
	if _, _, believed, err := p.locate(r); err != nil || !believed {
		return ""
	}
	return prefix
}

// maxPrefix bounds a prefix, in bytes: return paths have to have room behind it.
const maxPrefix = 128

// plainPath takes one or more segments of unreserved characters (RFC 3986 2.3), which
// nobody reads differently. None begins with a dot, as "." and ".." do.
func plainPath(path string) bool {
	if len(path) > maxPrefix || path[0] != '/' {
		return false
	}
	for segment := range strings.SplitSeq(path[1:], "/") {
		if segment == "" || segment[0] == '.' {
			return false
		}
		for _, c := range []byte(segment) {
			if !letterOrDigit(c) && c != '-' && c != '.' && c != '_' && c != '~' {
				return false
			}
		}
	}
	return true
}

func (p *Proxies) addressOf(h http.Header, forwarded bool) address {
	if forwarded {
		e, ok := parseElement(last(h["Forwarded"]))
		return address{scheme: e.proto, host: e.host, malformed: !ok}
	}
	a := address{host: last(h["X-Forwarded-Host"]), port: last(h["X-Forwarded-Port"])}
	a.scheme, a.unvouched = p.schemeOf(h)
	return a
}

// schemeOf is what X-Forwarded-Proto, and the headers that say the same, have as the
// scheme; empty where they say nothing. unvouched reports an https that does not count.
func (p *Proxies) schemeOf(h http.Header) (scheme string, unvouched bool) {
	list := strings.Split(strings.Join(h["X-Forwarded-Proto"], ","), ",")
	vouched := len(list) - p.row(h)
	for i := len(list) - 1; i >= 0; i-- {
		s := strings.ToLower(strings.TrimSpace(list[i]))
		switch s {
		case "wss":
			s = "https"
		case "ws":
			s = "http"
		}
		if i == len(list)-1 {
			scheme = s
		}
		if scheme != "http" {
			break // https, nothing, or what will be refused
		}
		if s == "https" && i >= vouched {
			scheme = s
		}
		unvouched = unvouched || s == "https" && i < vouched
	}
	cloudFront := strings.ToLower(last(h["Cloudfront-Forwarded-Proto"]))
	switch {
	case cloudFront == "https" && (scheme == "" || scheme == "http"):
		return cloudFront, false
	case scheme == "" && strings.EqualFold(last(h["X-Forwarded-Ssl"]), "on"):
		return "https", false
	case scheme == "" && cloudFront == "http":
		return cloudFront, false
	}
	return scheme, unvouched
}

// row is how many proxies next to us, each behind the other, are believed about the
// address: the peer, and those of X-Forwarded-For.
func (p *Proxies) row(h http.Header) int {
	hops, n := hopsOf(h, false), 1
	for i := len(hops) - 1; i >= 0; i-- {
		ip, ok := parseHop(hops[i])
		if !ok || !contain(p.origins, ip) {
			break
		}
		n++
	}
	return n
}

// last is the last entry of a header that may be a list.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	v := values[len(values)-1]
	return strings.TrimSpace(v[strings.LastIndexByte(v, ',')+1:])
}
