package session

import (
	"context"
	"time"
)

// Store keeps sessions on the server: in a database, a cache, a file. Its methods
// take standard types only, so that an implementation need not import this
// package. Applications do not call them; a [Manager] does.
//
// # Keys and data
//
// A session's key is the SHA-256 of its cookie's value, in 64 lower-case
// hexadecimal digits. It may be logged: no cookie can be made of it. Other packages
// of this module keep what they have to remember in the same store, under keys of at
// most 64 ASCII letters, digits, hyphens and underscores.
//
// Data is opaque bytes, some 350 for most people, and is sealed with the secrets: a
// copy of the store tells nobody who somebody is, and data under another key than its own
// counts for nothing. It has at most 1 MiB, with many groups or with what an application
// sets; a store should take 64 KiB, and return an error for what it does not take rather
// than cut it.
//
// # How often
//
// Find is called once for each request that brings a session cookie, up to 180
// times, one after the other, where it brings several of the one name, once more
// before a renewal, and twice at a sign-in where providers tell of logouts. Commit is called at each sign-in, and once in UpdateAge for a
// session that is used. Delete is called at sign-out, at a new sign-in in the same
// browser, as often as Find is.
//
// As [Config].Revocations, Find is called up to four times at once for each request with a
// session, three times at a sign-in, and with Commit, Insert or Replace when something
// is taken back.
//
// A refresh of provider tokens ([Manager.RefreshTokens]) calls Find four times, Replace or
// Commit, and of a [Replacer] Insert and Delete, for a key of its own that expires in half a
// minute. Other nodes that want it meanwhile call Find up to 50 times a second, and then
// less and less, down to twice.
//
// Between Find and Commit of a renewal, another node may sign the person out. Commit
// then brings the session back, which nobody notices. A store that can compare
// and write in one step should be a [Replacer], so that it does not.
//
// # Duties
//
// All methods are called concurrently: by many requests and, where nodes share the
// store, by many nodes. Once Commit or Delete has returned, Find sees what it did, on
// every node. A replica that has not heard of a sign-out lets the session in for
// as long.
//
// A call ends when ctx does, with an error. ctx is the request's, and has a limit of 5
// seconds for all calls of it.
//
// What has expired is not found. It is also the store's to remove in the end, for
// nobody else will. The Manager checks the time that is within data as well.
//
// Package sessiontest holds an implementation to all of this.
//
// An error means that the store itself failed, and nothing that a browser can send
// may cause one. Requests are then answered 503, neither let in nor asked to sign
// in. The error is logged, and so must not hold the store's password.
type Store interface {
	// Find returns the data that was committed under key last, byte for byte. A
	// key that is not there, or whose expiry is not after now, is no error: found
	// is false and data is nil. The caller may change data.
	Find(ctx context.Context, key string) (data []byte, found bool, err error)

	// Commit puts data under key until expiry, in the place of what is there: data
	// and expiry are replaced as one. An expiry that has passed is no error; Find
	// does not return it. expiry may have a fraction of a second and any location. A
	// store that rounds it rounds down. Commit must not keep data itself, which the
	// caller may use again.
	Commit(ctx context.Context, key string, data []byte, expiry time.Time) error

	// Delete removes key. One that is not there is no error, so that it may be
	// called twice.
	Delete(ctx context.Context, key string) error
}

// Replacer is a [Store] that changes what it has only as long as it is what the
// caller has seen. Renewals then call Replace where they would have called Commit.
// A store that wraps another one should have it if the other one has.
type Replacer interface {
	Store

	// Insert is Commit if there is nothing under key, or only what has expired, and
	// otherwise does nothing; inserted says which. Looking and writing are one step,
	// for all nodes: of several calls at once for one key, one inserts.
	Insert(ctx context.Context, key string, data []byte, expiry time.Time) (inserted bool, err error)

	// Replace is Commit if the data under key is old, byte for byte, and is not
	// expired, and otherwise does nothing; swapped says which. Comparing and
	// writing are one step, for all nodes. It must keep neither old nor data. That
	// there is nothing to replace is no error.
	Replace(ctx context.Context, key string, old, data []byte, expiry time.Time) (swapped bool, err error)
}

// Lister is a [Store] that keeps lists of keys, so that the sessions of a user can be
// found. A list's name is 64 lower-case hexadecimal digits, made of a user's id with the
// secrets: it may be logged, and tells nobody whose list it is.
//
// Add is called up to three times at each sign-in and each renewal, after Commit or
// Replace; Remove as often at a sign-out, after Delete. No request that only reads calls
// any of them.
type Lister interface {
	Store

	// Add puts key on list until expiry. Where it is there already, the later expiry
	// counts. A store may leave out a key that it has no data under. The rest of
	// the list is left as it is, at whatever size.
	Add(ctx context.Context, list, key string, expiry time.Time) error

	// List returns the keys on list that have not expired there, each once and in any
	// order. It may return keys that are found no more. There may be none.
	List(ctx context.Context, list string) (keys []string, err error)

	// Remove takes key off list. One that is not there is no error.
	Remove(ctx context.Context, list, key string) error
}
