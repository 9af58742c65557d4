package auth

import (
	"cmp"
	"context"
	"fmt"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth/internal/web"
	"github.com/sallyport/auth/session"
)

// TokenSource returns the tokens that the provider has given for the person whose request
// ctx belongs to, to call its API or another as that person. ok is false when nobody is
// signed in, and where no tokens are kept: see [Config].KeepTokens.
//
//	tokens, ok := auth.TokenSource(r.Context())
//	if ok {
//		client := oauth2.NewClient(r.Context(), tokens)
//		resp, err := client.Get("https://graph.microsoft.com/v1.0/me/events")
//
// A token that ends within a minute is made anew first, where there is a refresh token and
// the provider is a [Refresher]: once for each session, however many requests of it there
// are, and on however many nodes where the [session.Store] is a [session.Replacer]. That is
// done when Token is called; without a store it is done before the handler is, for the
// cookie has to be set in time, and Token does no I/O.
//
// Of a token, Extra has "id_token" and "scope". The refresh token is left out: whoever used
// it would end the session.
//
// The error of Token wraps [ErrSignInAgain] where the provider no longer stands for the
// person. Their session has ended then, so that sending a browser to the same address has
// it sign in. With every other error the token has expired and the session goes on:
// [ErrExpired] where there is no refresh token, the provider's, such as
// [ErrUnavailable], or [ErrStore], or ctx's.
//
// The source is safe for concurrent use, and for as long as ctx.
func TokenSource(ctx context.Context) (tokens oauth2.TokenSource, ok bool) {
	return web.TokenSource(ctx)
}

// refreshed is what p makes of old, which keeps what the answer leaves out.
func refreshed(ctx context.Context, p Refresher, old *session.ProviderTokens) (*session.ProviderTokens, error) {
	before := &oauth2.Token{AccessToken: old.AccessToken, RefreshToken: old.RefreshToken, TokenType: old.TokenType, Expiry: old.ExpiresAt}
	t, err := p.Refresh(ctx, before.WithExtra(map[string]any{"id_token": old.IDToken, "scope": old.Scope}))
	if err != nil {
		return nil, err
	}
	next := accountOf("", t).ProviderTokens
	if next.AccessToken == "" {
		return nil, fmt.Errorf("%w: the provider gave no access token", ErrInvalidResponse)
	}
	next.RefreshToken = cmp.Or(next.RefreshToken, old.RefreshToken)
	next.IDToken = cmp.Or(next.IDToken, old.IDToken)
	next.TokenType = cmp.Or(next.TokenType, old.TokenType)
	next.Scope = cmp.Or(next.Scope, old.Scope)
	return &next, nil
}
