package native

import (
	"net/http/httptest"
	"net/url"
)

// NewCallback waits for the answer to the sign-in of state.
func NewCallback(redirect, state string) *callback {
	u, _ := url.Parse(redirect)
	return &callback{redirect: u, state: state, answer: make(chan url.Values, 1)}
}

// Answer is the status of the answer to a browser that comes to address.
func Answer(c *callback, address string) int {
	w := httptest.NewRecorder()
	c.ServeHTTP(w, httptest.NewRequest("GET", address, nil))
	return w.Code
}

// Taken is the answer that was handed on.
func Taken(c *callback) url.Values { return <-c.answer }
