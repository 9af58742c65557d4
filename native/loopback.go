package native

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sallyport/auth"
)

const (
	readTimeout    = 5 * time.Second
	maxHeaderBytes = 16 << 10
)

// Loopback signs somebody in by the browser of this machine: RFC 8252 7.3. It is safe for
// concurrent use if Open is, and RedirectURI names no port.
type Loopback struct {
	Provider auth.Provider // required

	// Open opens an address in the person's browser, or shows it to them. An error ends
	// the sign-in, and is returned. Required.
	Open func(address string) error

	// RedirectURI is where the browser comes back to, as it is registered at the provider:
	// http, at 127.0.0.1, [::1] or localhost. Without a port it is at any that is free,
	// which RFC 8252 7.3 has providers take; some want one that is registered. localhost is
	// for providers that insist: what else that name leads to, RFC 8252 8.3 warns of. If
	// empty, http://127.0.0.1/callback.
	RedirectURI string
}

// SignIn opens the browser and waits for it to come back. It ends when ctx does, which is
// to have a deadline: people close windows. The error wraps one of package auth's, that of
// ctx, or what Open returned.
func (l Loopback) SignIn(ctx context.Context) (*auth.Identity, error) {
	if l.Provider == nil || l.Open == nil {
		return nil, errors.New("native: Loopback: Provider or Open is nil")
	}
	if poster, ok := l.Provider.(auth.FormPoster); ok && poster.FormAnswer(url.Values{}) != nil {
		return nil, fmt.Errorf("native: %s: %w: the provider's answer comes as a form, which is not taken here", l.Provider.Name(), auth.ErrMisconfigured)
	}
	redirect, err := parseRedirect(cmp.Or(l.RedirectURI, "http://127.0.0.1/callback"))
	if err != nil {
		return nil, err
	}
	listener, err := listen(redirect)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	defer listener.Close()
	tx := auth.Transaction{
		Provider: l.Provider.Name(), State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(),
		RedirectURI: redirect.String(), Begun: time.Now(),
	}
	address, err := l.Provider.AuthCodeURL(ctx, tx)
	if err != nil {
		return nil, err
	}
	c := &callback{redirect: redirect, state: tx.State, answer: make(chan url.Values, 1)}
	server := &http.Server{
		Handler: c, ReadTimeout: readTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: log.New(io.Discard, "", 0), // what strangers send does not get on the person's terminal
	}
	broken := make(chan error, 1)
	go func() { broken <- server.Serve(listener) }()
	defer server.Close()
	if err := l.Open(address); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case err := <-broken:
		return nil, fmt.Errorf("native: %w", err)
	case response := <-c.answer:
		_ = server.Close() // nothing else is waited for
		return l.Provider.Exchange(ctx, tx, response)
	}
}

// parseRedirect reads [Loopback].RedirectURI.
func parseRedirect(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" || u.User != nil || strings.ContainsAny(raw, "?#") || !isLoopback(u.Hostname()) {
		return nil, errors.New("native: Loopback: RedirectURI: want http at 127.0.0.1, [::1] or localhost, without a query")
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// listen listens where redirect leads, and has it name the port.
func listen(redirect *url.URL) (net.Listener, error) {
	host := redirect.Hostname()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, cmp.Or(redirect.Port(), "0")))
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	redirect.Host = net.JoinHostPort(redirect.Hostname(), port)
	return listener, nil
}

// callback takes the answer of one sign-in. Whatever else comes to the port, from
// whomever, gets an error and changes nothing.
type callback struct {
	redirect *url.URL
	state    string
	taken    atomic.Bool
	answer   chan url.Values // has room for the one
}

// ServeHTTP implements [http.Handler]. The answer is handed on once the page is on its
// way, because the server ends then.
func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	switch {
	case r.Host != c.redirect.Host: // a name that somebody has had lead here: DNS rebinding
		refuse(w, http.StatusMisdirectedRequest)
	case r.URL.Path != cmp.Or(c.redirect.Path, "/"):
		refuse(w, http.StatusNotFound)
	case r.Method != "GET":
		w.Header().Set("Allow", "GET")
		refuse(w, http.StatusMethodNotAllowed)
	case err != nil || len(query["state"]) != 1 || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(c.state)) != 1:
		refuse(w, http.StatusBadRequest)
	case !c.taken.CompareAndSwap(false, true):
		refuse(w, http.StatusGone)
	default:
		showReturn(w, r)
		c.answer <- query
	}
}
