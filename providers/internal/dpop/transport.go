package dpop

import (
	"io"
	"net/http"
)

// maxDrained bounds what is read of an answer that is not handed on.
const maxDrained = 64 << 10

// Call is one request, with its proof. It is no more than the request that goes through it
// where the [Prover] is nil. It is for one goroutine.
type Call struct {
	prover *Prover
	next   http.RoundTripper
	sent   *http.Request
	nonce  string
	more   bool
}

// Call returns what sends one request through next.
func (p *Prover) Call(next http.RoundTripper) *Call { return &Call{prover: p, next: next} }

// RoundTrip implements [http.RoundTripper].
func (c *Call) RoundTrip(req *http.Request) (*http.Response, error) {
	if c.prover == nil {
		return c.next.RoundTrip(req)
	}
	proven := *req // a RoundTripper leaves the caller's request alone
	proven.Header = req.Header.Clone()
	var err error
	if c.nonce, err = c.prover.prove(&proven); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	c.sent = &proven
	return c.next.RoundTrip(&proven)
}

// Answered is told what came with the answer.
func (c *Call) Answered(answer http.Header) {
	if c.sent != nil {
		c.more = c.prover.note(c.sent, answer, c.nonce)
	}
}

// HasNonce reports whether the server has said which nonce it wants, and that is another
// than the one that was sent.
func (c *Call) HasNonce() bool { return c.more }

// Transport is an [http.RoundTripper] for the resources that tokens are for.
type Transport struct {
	Prover *Prover
	Next   http.RoundTripper
}

// RoundTrip implements [http.RoundTripper]. A request whose Authorization is of the scheme
// DPoP gets a proof. Where it is answered with 401 and another nonce than it had, it is
// sent once more with that one (RFC 9449 9), unless it has a body that cannot be had
// again. Every other request is sent as it is.
func (t Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if _, ok := bound(req); !ok {
		return t.Next.RoundTrip(req)
	}
	resp, more, err := t.send(req)
	if err != nil || !more || resp.StatusCode != http.StatusUnauthorized || req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		return resp, err
	}
	again := req.Clone(req.Context())
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return resp, nil // as it was answered
		}
		again.Body = body
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrained)
	_ = resp.Body.Close()
	resp, _, err = t.send(again)
	return resp, err
}

// send sends req once. more is whether it was answered with another nonce.
func (t Transport) send(req *http.Request) (resp *http.Response, more bool, err error) {
	call := t.Prover.Call(t.Next)
	if resp, err = call.RoundTrip(req); err != nil {
		return nil, false, err
	}
	call.Answered(resp.Header)
	return resp, call.HasNonce(), nil
}
