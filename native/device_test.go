package native_test

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/native"
)

// plain is a provider without a device flow.
type plain struct{}

func (plain) Name() string { return "plain" }
func (plain) AuthCodeURL(context.Context, auth.Transaction) (string, error) {
	return "", errors.New("not now")
}
func (plain) Exchange(context.Context, auth.Transaction, url.Values) (*auth.Identity, error) {
	return nil, errors.New("not now")
}

func TestDevice(t *testing.T) { // RFC 8628
	p, _ := provider(t, nil)
	id, err := native.Device{Provider: p, Show: func(d *auth.DeviceAuthorization) error {
		resp, _ := browse(t, d.VerificationURI+"?user_code="+d.UserCode)
		require.Equal(t, 200, resp.StatusCode)
		return nil
	}}.SignIn(context.Background())
	require.NoError(t, err)
	require.Equal(t, "ada", id.Subject)

	shut := errors.New("no terminal")
	_, err = native.Device{Provider: p, Show: func(*auth.DeviceAuthorization) error { return shut }}.SignIn(context.Background())
	require.Equal(t, shut, err)

	ctx, cancel := context.WithCancel(context.Background())
	_, err = native.Device{Provider: p, Show: func(*auth.DeviceAuthorization) error { cancel(); return nil }}.SignIn(ctx)
	require.ErrorIs(t, err, context.Canceled)

	_, err = native.Device{Provider: plain{}, Show: func(*auth.DeviceAuthorization) error { return nil }}.SignIn(context.Background())
	require.ErrorIs(t, err, auth.ErrMisconfigured)

	_, err = native.Device{Provider: p}.SignIn(context.Background())
	require.ErrorContains(t, err, "Show is nil")
}
