package upstream

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// UserAgent is what an identity provider sees in the requests of a [Gate].
const UserAgent = "sallyport"

// ErrSpent is a second request through a [Gate]: a library that tries again, with
// the same authorization code perhaps.
var ErrSpent = errors.New("the library sent more than the one request that it may")

// A Gate is one call to a provider that a library makes by itself. The library
// gets an [http.Client], and sees of the answer what check lets through.
//
//	library -- request -->  gate  -- Client.Do -->  provider
//	library <-- answer --- check <-- whole body ---
//
// What a [Client] holds to, a Gate does: the time limit, the size limit, no
// redirects, no addresses that no provider has. Beyond that,
//
//   - one request passes, and is sent once: it has no GetBody, with which
//     net/http would send a body again after a broken connection or a redirect;
//   - the library gets a body only when all of it was read and checked;
//   - the error of the call is kept as it was, for [Gate.Err]: libraries drop the
//     types of errors, or add the body of the answer to their text.
//
// A Gate is for one call, and safe for concurrent use.
type Gate struct {
	client *Client
	limit  int64
	check  func(*Response) error

	mu   sync.Mutex
	used bool
	err  error
}

// Gate returns a gate for one call, with at most limit bytes of answer after
// decompression. check gets the answer, whatever its status. It refuses with an
// error, or lets through what it leaves in r: it may replace each of the fields.
func (c *Client) Gate(limit int64, check func(r *Response) error) *Gate {
	return &Gate{client: c, limit: limit, check: check}
}

// HTTPClient is the gate in the form that libraries take.
func (g *Gate) HTTPClient() *http.Client { return &http.Client{Transport: g} }

// Err is why the gate refused the request or the answer: an [*Error], [ErrSpent]
// or what check returned. It is nil when the answer went through, whatever the
// library made of it.
func (g *Gate) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// RoundTrip implements [http.RoundTripper].
func (g *Gate) RoundTrip(req *http.Request) (*http.Response, error) {
	r, err := g.pass(req)
	if err != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.err == nil { // the first is the cause of those that follow
			g.err = err
		}
		return nil, err
	}
	r.Header.Del("Content-Encoding") // the body is decompressed
	r.Header.Set("Content-Length", strconv.Itoa(len(r.Body)))
	return &http.Response{
		Status:        strconv.Itoa(r.Status) + " " + http.StatusText(r.Status),
		StatusCode:    r.Status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        r.Header,
		Body:          io.NopCloser(bytes.NewReader(r.Body)),
		ContentLength: int64(len(r.Body)),
		Request:       req,
	}, nil
}

func (g *Gate) pass(req *http.Request) (*Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	g.mu.Lock()
	spent := g.used
	g.used = true
	g.mu.Unlock()
	if spent {
		return nil, ErrSpent
	}
	once := *req // a RoundTripper leaves the caller's request alone
	once.GetBody = nil
	once.Header = req.Header.Clone()
	if once.Header.Get("Accept") == "" {
		once.Header.Set("Accept", "application/json")
	}
	if once.Header.Get("User-Agent") == "" {
		once.Header.Set("User-Agent", UserAgent)
	}
	r, err := g.client.Do(&once, g.limit)
	if err != nil {
		return nil, err
	}
	if err := g.check(r); err != nil {
		return nil, err
	}
	return r, nil
}
