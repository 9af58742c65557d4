package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

// Examine implements [auth.Examiner]: metadata and keys are fetched anew, the clocks are
// compared, a sign-in is begun, and a code that there is not is redeemed, to learn whether
// the issuer knows the client.
func (p *Provider) Examine(ctx context.Context, callback string) []auth.Finding {
	fault := func(err error, cure string) auth.Finding {
		return auth.Finding{Grade: auth.GradeFaulty, Text: err.Error(), Cure: cure}
	}
	m, err := p.metadata.Refresh(ctx)
	if err != nil {
		return []auth.Finding{fault(p.fail("discovery", err), "look at the issuer's address, and whether this machine reaches it")}
	}
	found := []auth.Finding{{Text: fmt.Sprintf("its metadata is in order; %s, ID tokens signed by %q", m.clientAuth, m.algorithms)}}
	keys, err := p.keys.keys.Refresh(ctx)
	switch {
	case err != nil:
		found = append(found, fault(p.fail("keys", err), "look at the issuer's jwks_uri"))
	case len(keys.keys) == 0:
		found = append(found, fault(errors.New("it has no key that may sign an ID token"), "give it an asymmetric signing key"))
	}
	if off := m.clock.Abs(); off > clockSkew {
		cure := "set this machine's clock by NTP, or the issuer's"
		found = append(found, fault(fmt.Errorf("its clock and the one here are %s apart", off.Round(time.Second)), cure))
	}
	address, err := p.AuthCodeURL(ctx, codegrant.TryTransaction(p.config.Name, callback))
	switch {
	case errors.Is(err, auth.ErrRedirectURI):
		return append(found, fault(err, "register the callback there, to the letter: "+callback))
	case err != nil:
		return append(found, fault(err, "compare the client with what the issuer has"))
	}
	found = append(found, codegrant.TryBegin(ctx, p.client, address, callback))
	return append(found, p.tokenRequest(m).TryClient(ctx, p.client, callback))
}

// clockOf is how far the clock of whoever sends h is ahead, to the second; 0 where it does
// not say.
func clockOf(h http.Header, now time.Time) time.Duration {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return at.Sub(now.Truncate(time.Second))
}
