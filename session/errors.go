package session

import "errors"

// ErrTooLarge says that the session does not fit into the cookies that browsers
// and proxies carry: sealed, it is longer than 4 cookies of 3936 characters,
// which is about 11 kB of claims. No cookie was set then. Keep less in claims, or
// use a [Store].
var ErrTooLarge = errors.New("session: too large for cookies")

// ErrStore says that the store failed, so that nobody knows who is signed in. It
// wraps the store's own error. Refuse the request, with status 503; it may be sent
// again.
var ErrStore = errors.New("session: store unavailable")

// ErrLoggedOut says that the provider has ended the session there with which somebody signs
// in, or has signed them out since: see [Manager.ProviderLogout]. No cookie was set then.
var ErrLoggedOut = errors.New("session: the person has signed out at the provider")

// ErrLogoutUsed says that a logout token was brought before.
var ErrLogoutUsed = errors.New("session: the logout token has been used")

// ErrNotLinked says that a [Database] has no user with the account by which somebody
// signs in, but one with its e-mail address: who that is must not be decided by the
// address. Nothing was written then.
var ErrNotLinked = errors.New("session: another user has the e-mail address of this account")
