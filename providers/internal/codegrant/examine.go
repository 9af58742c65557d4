package codegrant

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/internal/upstream"
)

// unknownHere stands for the callback where no address is configured.
const unknownHere = "https://callback.invalid/api/auth/callback"

// TryClient redeems a code that there is not: what the provider says to that, says whether
// it knows the client.
func (t TokenRequest) TryClient(ctx context.Context, c *upstream.Client, callback string) auth.Finding {
	tx := auth.Transaction{Provider: t.Provider, RedirectURI: orUnknown(callback), Verifier: rand.Text() + rand.Text()}
	_, err := t.Exchange(ctx, c, tx, rand.Text())
	switch {
	case errors.Is(err, auth.ErrExpired):
		return auth.Finding{Text: "it knows the client"}
	case errors.Is(err, auth.ErrMisconfigured):
		return auth.Finding{Grade: auth.GradeFaulty, Text: fmt.Sprintf("the token endpoint refuses the client: %v", err), Cure: "compare the client's id and secret, and how it authenticates, with what the provider has"}
	case errors.Is(err, auth.ErrRedirectURI):
		return wrongCallback(callback, err)
	case err == nil:
		return auth.Finding{Grade: auth.GradeFaulty, Text: "the token endpoint took a code that was made up", Cure: "do not use this provider"}
	}
	return auth.Finding{Grade: auth.GradeDoubtful, Text: fmt.Sprintf("whether it knows the client cannot be told: %v", err), Cure: "sign in with it"}
}

// TryBegin asks the provider for the page that people see first, as a browser that
// address sends there. Redirects are not followed.
func TryBegin(ctx context.Context, c *upstream.Client, address, callback string) auth.Finding {
	req, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		return auth.Finding{Grade: auth.GradeFaulty, Text: "the address of its sign-in page is none"}
	}
	req.Header = http.Header{"Accept": {"text/html"}, "User-Agent": {upstream.UserAgent}}
	r, err := c.Do(req, MaxDocument)
	switch {
	case errors.Is(err, upstream.ErrRedirect):
	case err != nil:
		return auth.Finding{Grade: auth.GradeDoubtful, Text: fmt.Sprintf("its sign-in page cannot be reached from here: %v", err), Cure: "browsers may reach it all the same: sign in with it"}
	case slices.Contains([]int{400, 401, 404, 422}, r.Status):
		return wrongCallback(callback, fmt.Errorf("status %d", r.Status))
	case r.Status >= 400:
		return auth.Finding{Grade: auth.GradeDoubtful, Text: fmt.Sprintf("its sign-in page is answered with status %d", r.Status), Cure: "sign in with it"}
	}
	return auth.Finding{Text: "its sign-in page takes the request"}
}

func wrongCallback(callback string, err error) auth.Finding {
	if callback == "" {
		return auth.Finding{Grade: auth.GradeDoubtful, Text: "its sign-in page refuses a callback that is made up, as it should", Cure: "set the public URL (Config.URL, NEXTAUTH_URL), to have the right one tried"}
	}
	return auth.Finding{Grade: auth.GradeFaulty, Text: fmt.Sprintf("it refuses to begin a sign-in: %v", err), Cure: "register the callback there, to the letter: " + callback}
}

// TryTransaction is an attempt that nobody finishes.
func TryTransaction(provider, callback string) auth.Transaction {
	return auth.Transaction{Provider: provider, State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(), RedirectURI: orUnknown(callback)}
}

func orUnknown(callback string) string {
	if callback == "" {
		return unknownHere
	}
	return callback
}
