package native

import (
	"context"
	"errors"
	"fmt"

	"github.com/sallyport/auth"
)

// Device signs somebody in by a browser on another device: RFC 8628. It is safe for
// concurrent use if Show is.
type Device struct {
	// Provider is to be an [auth.DeviceAuthorizer], as those of package oidc are, those of
	// package oauth2 with a DeviceURL, and GitHub's. Required.
	Provider auth.Provider

	// Show tells the person where to go and what to type. Its texts are printable ASCII. An
	// error ends the sign-in, and is returned. Required.
	Show func(d *auth.DeviceAuthorization) error
}

// SignIn shows the code, and waits until the person has decided, which takes minutes. It
// ends when the code expires, or ctx ends. The error wraps one of package auth's, that of
// ctx, or what Show returned.
func (d Device) SignIn(ctx context.Context) (*auth.Identity, error) {
	if d.Provider == nil || d.Show == nil {
		return nil, errors.New("native: Device: Provider or Show is nil")
	}
	p, ok := d.Provider.(auth.DeviceAuthorizer)
	if !ok {
		return nil, fmt.Errorf("native: %s: %w: a %T has no device flow", d.Provider.Name(), auth.ErrMisconfigured, d.Provider)
	}
	begun, err := p.AuthorizeDevice(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.Show(begun); err != nil {
		return nil, err
	}
	return p.AwaitDevice(ctx, begun)
}
