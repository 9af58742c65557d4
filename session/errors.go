package session

import "errors"

// ErrTooLarge: the session does not fit into cookies that browsers and proxies
// carry.
var ErrTooLarge = errors.New("session: too large for cookies")

// ErrStore: the store failed, so that nobody knows who is signed in.
var ErrStore = errors.New("session: store unavailable")
