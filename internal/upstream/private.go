package upstream

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
)

// PrivateHTTP returns a client that does what c does, and takes http for addresses that
// are loopback or private: RFC 1918, RFC 4193, and neither link-local ones nor those
// where clouds keep their metadata.
//
// What counts is the address that the connection is made to. Of its own transport, that
// is looked at before the connection is made; of a caller's [http.Transport] with a
// DialContext, when it is made, and before anything is sent. A RoundTripper of any other
// type cannot be looked into: with it, only addresses that are written as numbers are
// taken. Requests by http do not go through a proxy, which would look up the name itself.
func (c *Client) PrivateHTTP() *Client {
	private := *c
	transport, ok := remade(c.http.Transport, func(t *http.Transport) *http.Transport { return privateOnly(t, c.own) })
	if !ok {
		transport = numbersOnly{c.http.Transport}
	}
	private.private = &http.Client{Transport: transport, CheckRedirect: c.http.CheckRedirect}
	return &private
}

func privateOnly(t *http.Transport, own bool) *http.Transport {
	t = t.Clone()
	t.Proxy = nil
	dial := t.DialContext
	if dial == nil || own {
		dial = (&net.Dialer{Timeout: connectTimeout, Control: refusePublicAddresses}).DialContext
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if remote := conn.RemoteAddr(); remote.Network() != "unix" { // which leaves no machine
			if err := refusePublicAddresses("", remote.String(), nil); err != nil {
				_ = conn.Close()
				return nil, err
			}
		}
		return conn, nil
	}
	return t
}

func refusePublicAddresses(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	switch {
	case err != nil || isStrange(at.Addr()):
		return ErrAddress
	case !isPrivate(at.Addr()):
		return ErrPublic
	}
	return nil
}

// numbersOnly is a transport that connects in a way that nobody can look at.
type numbersOnly struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (n numbersOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	ip, err := netip.ParseAddr(req.URL.Hostname())
	if err != nil {
		return nil, fmt.Errorf("%w: where a %T leads a name, cannot be looked at", ErrPublic, n.next)
	}
	if !isPrivate(ip) {
		return nil, ErrPublic
	}
	return n.next.RoundTrip(req)
}

func isPrivate(ip netip.Addr) bool {
	ip = ip.Unmap()
	return (ip.IsLoopback() || ip.IsPrivate()) && !isStrange(ip)
}

// IsPrivate reports whether host is this machine, or a private address as numbers.
func IsPrivate(host string) bool {
	ip, err := netip.ParseAddr(host)
	return IsLoopback(host) || err == nil && isPrivate(ip)
}

// CheckPrivateURL is [CheckURL] for a client of [Client.PrivateHTTP]: it takes http for
// names too, of which the connection shows where they lead.
func CheckPrivateURL(raw string) (*url.URL, error) {
	return checkURL(raw, func(u *url.URL) bool {
		if u.Scheme != "http" {
			return allowed(u)
		}
		ip, err := netip.ParseAddr(u.Hostname())
		return err != nil || isPrivate(ip)
	})
}
