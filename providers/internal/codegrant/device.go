package codegrant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/internal/upstream"
)

const (
	maxUserCode        = 64      // people type it
	maxVerificationURI = 2 << 10 // people see it
	maxDeviceLife      = 3600    // seconds
	deviceInterval     = 5       // seconds, where the server names none: RFC 8628 3.2
	slower             = 5       // seconds, that slow_down adds: RFC 8628 3.5
	longestBackOff     = time.Minute
	deviceGrant        = "urn:ietf:params:oauth:grant-type:device_code"
)

// Device is the device flow of RFC 8628 at one provider. x/oauth2 makes the requests for
// a token, as it does in every grant. Its own device flow is not used: it sends no client
// authentication with the first request, takes the answer as it comes, and gives up at
// the first connection that breaks.
type Device struct {
	Endpoint string                         // device_authorization_endpoint: RFC 8628 4
	Params   url.Values                     // of the request, beside the client's authentication
	Check    func(string) (*url.URL, error) // where people may be sent
	Token    TokenRequest
}

// Authorize is RFC 8628 3.1 and 3.2. It is sent once.
func (d Device) Authorize(ctx context.Context, c *upstream.Client) (*auth.DeviceAuthorization, error) {
	form := url.Values{}
	for name := range d.Params {
		form.Set(name, d.Params.Get(name))
	}
	asked := d.Token.Client.Now()
	r, err := d.Token.Client.post(ctx, c, d.Endpoint, d.Token.Method, form)
	if err != nil {
		return nil, err
	}
	return d.read(r, asked)
}

// read is an answer to a request that was sent when the clock said asked.
func (d Device) read(r *upstream.Response, asked time.Time) (*auth.DeviceAuthorization, error) {
	o, err := d.Token.parse(r)
	if err != nil {
		return nil, err
	}
	if o.Present("error") {
		code, _ := o.String("error")
		description, _ := o.String("error_description")
		refused := ProviderError(d.Token.Provider, code, description)
		if code == "invalid_client" {
			return nil, d.Token.explain(refused)
		}
		return nil, refused
	}
	if r.Status != http.StatusOK && r.Status != http.StatusCreated {
		return nil, BadStatus(r.Status)
	}
	deviceCode, _ := o.String("device_code")
	userCode, _ := o.String("user_code")
	life := seconds(o, "expires_in")
	switch {
	case !isPrintable(deviceCode, maxCode):
		return nil, Invalid("device_code is not 1 to %d printable characters", maxCode)
	case !isPrintable(userCode, maxUserCode):
		return nil, Invalid("user_code is not 1 to %d printable characters", maxUserCode)
	case life == 0:
		return nil, Invalid("expires_in is no number of seconds")
	}
	page, complete, err := d.pages(o)
	if err != nil {
		return nil, err
	}
	interval := cmp.Or(seconds(o, "interval"), deviceInterval)
	return &auth.DeviceAuthorization{
		DeviceCode: auth.NewSecret(deviceCode), UserCode: userCode, VerificationURI: page, VerificationURIComplete: complete,
		Expires:  asked.Add(time.Duration(min(life, maxDeviceLife)) * time.Second),
		Interval: time.Duration(min(interval, maxDeviceLife)) * time.Second,
	}, nil
}

// pages are where the person goes. The address with the code in it may be absent, and is
// at the same server as the one that people read and learn to trust.
func (d Device) pages(o strictjson.Object) (page, complete string, err error) {
	address := func(name string) (*url.URL, error) {
		text, _ := o.String(name)
		if !isPrintable(text, maxVerificationURI) || strings.Contains(text, " ") {
			return nil, Invalid("%s is not 1 to %d printable characters without a space", name, maxVerificationURI)
		}
		u, err := d.Check(text)
		if err != nil {
			return nil, Invalid("%s: %w", name, err)
		}
		return u, nil
	}
	name := "verification_uri"
	if !o.Present(name) && o.Present("verification_url") {
		name = "verification_url" // Google's
	}
	short, err := address(name)
	if err != nil {
		return "", "", err
	}
	if !o.Present("verification_uri_complete") {
		return short.String(), "", nil
	}
	long, err := address("verification_uri_complete")
	switch {
	case err != nil:
		return "", "", err
	case !upstream.SameOrigin(short, long):
		return "", "", Invalid("verification_uri_complete is at another server than %s", name)
	}
	return short.String(), long.String(), nil
}

// isPrintable reports whether s has 1 to most characters, each of them printable ASCII.
func isPrintable(s string, most int) bool {
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// Await asks for the tokens of a until the person has decided: RFC 8628 3.4 and 3.5. It
// waits before each question, the first one too. While the server cannot be asked, it
// asks half as often each time, and goes on until the codes expire.
func (d Device) Await(ctx context.Context, c *upstream.Client, a *auth.DeviceAuthorization) (*oauth2.Token, error) {
	interval := max(a.Interval, time.Second)
	pause := interval
	for {
		left := a.Expires.Sub(d.Token.Client.Now())
		if err := wait(ctx, min(pause, left)); err != nil {
			return nil, err
		}
		if left <= pause {
			return nil, fmt.Errorf("%w: nobody has decided in time", auth.ErrExpired)
		}
		token, err := d.redeem(ctx, c, a.DeviceCode)
		var said *auth.ProviderError
		switch {
		case err == nil || ctx.Err() != nil:
			return token, err
		case errors.As(err, &said) && said.Code == "authorization_pending":
			pause = interval
		case errors.As(err, &said) && said.Code == "slow_down":
			interval += slower * time.Second
			pause = interval
		case errors.Is(classify(err), auth.ErrUnavailable):
			pause = max(pause, min(2*pause, longestBackOff))
		default:
			return nil, err
		}
	}
}

// redeem asks once.
func (d Device) redeem(ctx context.Context, c *upstream.Client, code auth.Secret) (*oauth2.Token, error) {
	return d.Token.send(ctx, c, func(ctx context.Context, config *oauth2.Config, params url.Values) (*oauth2.Token, error) {
		params.Set("grant_type", deviceGrant)
		params.Set("device_code", code.Reveal())
		return grant(ctx, config, params)
	})
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
