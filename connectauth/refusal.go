package connectauth

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"

	"connectrpc.com/connect"
)

// refusal is why guard does not let the call r go on, or nil. It stands behind Identify, so
// that r's context says who it is that calls.
//
// What guard says to caches goes to h, and so does what a client has to know of a refusal:
// gRPC has the metadata of an error in trailers, and there net/http drops WWW-Authenticate
// (RFC 9110 6.5.1).
func refusal(guard func(http.Handler) http.Handler, h http.Header, r *http.Request) error {
	asked := r.WithContext(r.Context())
	asked.Header = http.Header{} // which asks for no page
	said, passed := answer{header: http.Header{}}, false
	guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { passed = true })).ServeHTTP(&said, asked)
	h["Vary"] = append(h["Vary"], said.header["Vary"]...)
	for _, name := range []string{"Cache-Control", "Www-Authenticate", "Retry-After"} {
		if values := said.header[name]; values != nil {
			h[name] = values
		}
	}
	if passed {
		return nil
	}
	return connect.NewError(code(said.status), errors.New(said.message()))
}

// code is what a call ends with that HTTP answers with status.
func code(status int) connect.Code {
	switch {
	case status == http.StatusUnauthorized:
		return connect.CodeUnauthenticated
	case status == http.StatusTooManyRequests:
		return connect.CodeResourceExhausted
	case status == http.StatusServiceUnavailable:
		return connect.CodeUnavailable
	case status >= 500:
		return connect.CodeInternal
	}
	return connect.CodePermissionDenied
}

// answer is what package auth answers in the place of a handler.
type answer struct {
	header http.Header
	status int
	body   []byte
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(b []byte) (int, error) {
	a.body = append(a.body, b...)
	return len(b), nil
}

// message is what a says in words, if it is package auth that does.
func (a *answer) message() string {
	var problem struct{ Message string }
	_ = json.Unmarshal(a.body, &problem)
	return cmp.Or(problem.Message, "refused")
}
