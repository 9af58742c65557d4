package codegrant

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/upstream"
)

// Refresh trades refreshToken for new tokens: RFC 6749 6. It is sent once, as a code is,
// and for the answer [TokenRequest.Exchange] says the rest. Where there is no refresh token
// in it, the token has the one that was sent.
//
// An error that says that the person has to sign in again wraps [auth.ErrSignInAgain].
func (t TokenRequest) Refresh(ctx context.Context, c *upstream.Client, refreshToken string) (*oauth2.Token, error) {
	token, err := t.send(ctx, c, func(ctx context.Context, config *oauth2.Config, params url.Values) (*oauth2.Token, error) {
		params.Set("grant_type", "refresh_token")
		params.Set("refresh_token", refreshToken)
		return grant(ctx, config, params)
	})
	for _, over := range []error{auth.ErrExpired, auth.ErrInteractionRequired, auth.ErrNotAllowed, auth.ErrDeclined} {
		if errors.Is(err, over) {
			return nil, fmt.Errorf("%w: %w", auth.ErrSignInAgain, err)
		}
	}
	return token, err
}

// grant asks for a token with params, which say by which grant. x/oauth2 has no place for
// a client assertion in a refresh of its own, but in this one, which takes whatever grant
// it is told.
func grant(ctx context.Context, config *oauth2.Config, params url.Values) (*oauth2.Token, error) {
	own := clientcredentials.Config{
		ClientID: config.ClientID, ClientSecret: config.ClientSecret, TokenURL: config.Endpoint.TokenURL, AuthStyle: config.Endpoint.AuthStyle,
		EndpointParams: params,
	}
	return own.Token(ctx)
}
