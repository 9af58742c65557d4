// Package upstream is the one way out: every call to an identity provider goes
// through its Client, which bounds time and size and follows no redirect.
package upstream

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// Timeout bounds one call, from the dial to the last byte.
	Timeout = 10 * time.Second

	connectTimeout  = 5 * time.Second
	maxHeaderBytes  = 64 << 10
	maxDrainedBytes = 64 << 10
)

// What can be wrong with an answer, beside the network.
var (
	ErrRedirect = errors.New("the server answered with a redirect, which is not followed")
	ErrTooLarge = errors.New("the answer is too large")
	ErrInsecure = errors.New("want an https address (http only on loopback)")
	ErrAddress  = errors.New("the name leads to an address that no identity provider has")
	ErrPublic   = errors.New("want https: http is for loopback and private addresses, and the name leads to another")
)

// Error is a call that failed. Its text holds neither path nor query, nor
// anything of the answer.
type Error struct {
	Host string
	Err  error
}

func (e *Error) Error() string { return e.Host + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Response is a whole answer, its body read within the limit and decompressed.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Client calls identity providers. It is safe for concurrent use.
type Client struct {
	http    *http.Client
	own     bool         // whether its transport is ours
	private *http.Client // for http beyond loopback; nil where that is not taken
	route   *route       // may be nil
	timeout time.Duration
}

// New takes the transport of base, or a transport of its own when base is nil.
// base itself is neither changed nor used: no cookie jar, no redirects.
func New(base *http.Client) *Client {
	var transport http.RoundTripper = (*http.Transport)(nil)
	if base != nil && base.Transport != nil {
		transport = base.Transport
	}
	own := false
	if t, ok := remade(transport, func(t *http.Transport) *http.Transport {
		if own = t == nil; own {
			return ownTransport()
		}
		return limited(t)
	}); ok {
		transport = t
	}
	return &Client{
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		own:     own,
		timeout: Timeout,
	}
}

func ownTransport() *http.Transport {
	t := limited(http.DefaultTransport.(*http.Transport))
	dialer := &net.Dialer{Timeout: connectTimeout, Control: refuseStrangeAddresses}
	t.DialContext = dialer.DialContext
	t.MaxIdleConnsPerHost = 4
	return t
}

// limited is a copy of t with limits where it has none.
func limited(t *http.Transport) *http.Transport {
	t = t.Clone()
	if t.TLSHandshakeTimeout == 0 || t.TLSHandshakeTimeout > connectTimeout {
		t.TLSHandshakeTimeout = connectTimeout
	}
	if t.MaxResponseHeaderBytes == 0 {
		t.MaxResponseHeaderBytes = maxHeaderBytes
	}
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{}
	}
	t.TLSClientConfig.MinVersion = max(t.TLSClientConfig.MinVersion, tls.VersionTLS12)
	t.DisableCompression = true // decompressed here, where the limit counts
	return t
}

// WithTLS returns a client that does what c does, over connections that change has a say
// in. A transport that is not an [http.Transport], and not around one, cannot be told, and ok
// is false.
func (c *Client) WithTLS(change func(*tls.Config)) (changed *Client, ok bool) {
	t, ok := remade(c.http.Transport, func(t *http.Transport) *http.Transport {
		t = t.Clone()
		change(t.TLSClientConfig)
		return t
	})
	if !ok {
		return nil, false
	}
	other := *c
	other.http = &http.Client{Transport: t, CheckRedirect: c.http.CheckRedirect}
	return &other, true
}

// refuseStrangeAddresses looks at what a name has become: link-local addresses
// are a cloud's metadata service, and no issuer is at 0.0.0.0 or a multicast
// group.
func refuseStrangeAddresses(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || isStrange(at.Addr()) {
		return ErrAddress
	}
	return nil
}

// metadataAddresses are those of clouds that are not link-local: of Amazon's and of
// Google's virtual machines, over IPv6.
var metadataAddresses = []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd20:ce::254")}

func isStrange(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() || slices.Contains(metadataAddresses, ip)
}

// HTTPClient is c for libraries that want one of these: it keeps to the same
// limits, with at most limit bytes of each answer. It takes http on loopback alone, and
// goes where it says.
func (c *Client) HTTPClient(limit int64) *http.Client {
	return &http.Client{
		Transport:     bounded{c.http.Transport, limit},
		CheckRedirect: c.http.CheckRedirect,
		Timeout:       c.timeout,
	}
}

type bounded struct {
	next  http.RoundTripper
	limit int64
}

// RoundTrip implements [http.RoundTripper]. What is over the limit is cut off.
func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	if !allowed(req.URL) {
		return nil, ErrInsecure
	}
	resp, err := b.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, b.limit), resp.Body}
	return resp, nil
}

// Do sends req and reads at most limit bytes of the decompressed answer. The
// error is an [*Error].
func (c *Client) Do(req *http.Request, limit int64) (*Response, error) {
	req = c.route.follow(req)
	fail := func(err error) (*Response, error) {
		var u *url.Error
		for errors.As(err, &u) { // one within another, where the transport is a client itself
			err = u.Err // without the address, which may hold a secret
		}
		return nil, &Error{req.URL.Host, err}
	}
	client := c.http
	if !allowed(req.URL) {
		if client = c.private; client == nil || req.URL.Scheme != "http" {
			return fail(ErrInsecure)
		}
	}
	ctx, cancel := context.WithTimeout(req.Context(), c.timeout)
	defer cancel()
	req = req.WithContext(ctx)
	resp, err := client.Do(req)
	if err != nil {
		return fail(err)
	}
	defer func() {
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrainedBytes)
		_ = resp.Body.Close()
	}()
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return fail(ErrRedirect)
	}
	body, err := read(resp, limit)
	if err != nil {
		cancel() // whatever is still to come is not wanted
		return fail(err)
	}
	return &Response{resp.StatusCode, resp.Header, body}, nil
}

func read(resp *http.Response, limit int64) ([]byte, error) {
	var r io.Reader = resp.Body
	switch strings.ToLower(resp.Header.Get("Content-Encoding")) {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(resp.Body)
		if err != nil {
			return nil, errors.New("the answer is not the gzip that it says it is")
		}
		r = z
	default:
		return nil, errors.New("the answer has a content encoding that was not asked for")
	}
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the answer broke off: %w", err)
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return body, nil
}

// CheckURL parses the address of an issuer or of one of its endpoints: absolute,
// https, or http on loopback, without user information and fragment.
func CheckURL(raw string) (*url.URL, error) { return checkURL(raw, allowed) }

func checkURL(raw string, allowed func(*url.URL) bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, errors.New("want an absolute https address")
	case u.User != nil || strings.Contains(raw, "#"):
		return nil, errors.New("want an address without user information and fragment")
	case !allowed(u):
		return nil, ErrInsecure
	}
	return u, nil
}

func allowed(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && IsLoopback(u.Hostname())
}

// IsLoopback reports whether host is this machine.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.ToLower(host) == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
