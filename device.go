package auth

import (
	"context"
	"time"
)

// A DeviceAuthorizer is a [Provider] at which people sign in to a program that has no
// browser, by one on another device (RFC 8628). It is for command-line programs and the
// like: the routes of this package do not use it, and package native does.
type DeviceAuthorizer interface {
	// AuthorizeDevice has the provider begin a sign-in. The error wraps one of this
	// package's: [ErrMisconfigured] where the provider has no device flow.
	AuthorizeDevice(ctx context.Context) (*DeviceAuthorization, error)

	// AwaitDevice asks the provider, no more often than it wants, until the person has
	// decided, and returns who it is. That takes minutes, until d.Expires at most, and it
	// ends when ctx does. The error wraps one of this package's: [ErrDeclined] where the
	// person said no, [ErrExpired] where they took too long.
	AwaitDevice(ctx context.Context, d *DeviceAuthorization) (*Identity, error)
}

// DeviceAuthorization is what a provider answers to a program that has no browser: RFC
// 8628 3.2. Its texts are printable ASCII, so that a terminal may show them.
type DeviceAuthorization struct {
	DeviceCode Secret // what the program waits with

	UserCode        string // what the person types at VerificationURI; at most 64 bytes
	VerificationURI string // https, or http on loopback

	// VerificationURIComplete is of the same origin, and has the code in it: for a link or
	// a QR code. May be empty. UserCode is to be shown beside it, for the person to
	// compare: RFC 8628 3.3.1.
	VerificationURIComplete string

	Expires  time.Time     // when both codes do; an hour from now at most
	Interval time.Duration // between two questions: a second to an hour
}
