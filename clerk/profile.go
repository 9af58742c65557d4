package clerk

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	sdk "github.com/clerk/clerk-sdk-go/v2"

	"github.com/sallyport/auth/session"
)

// SDK is what the clients of clerk-sdk-go are made from:
//
//	users := user.NewClient(backend.SDK())
//
// It shares this backend's key, address and limits, and nothing of the SDK's own
// global state.
func (b *Backend) SDK() *sdk.ClientConfig {
	return &sdk.ClientConfig{BackendConfig: sdk.BackendConfig{
		HTTPClient: b.client.HTTPClient(maxAnswer),
		URL:        sdk.String(strings.TrimRight(b.config.APIURL, "/") + "/v1"),
		Key:        sdk.String(b.config.SecretKey.Reveal()),
	}}
}

const (
	profileLife = 5 * time.Minute
	maxProfiles = 4096 // in each of two generations
)

// profile is what a session shows of a person.
type profile struct {
	name, username, email, picture string
	verified                       bool
	fetched                        time.Time
}

// profiles are those that were fetched, for profileLife. Concurrent requests of
// one person share a fetch.
type profiles struct {
	now   func() time.Time
	fetch func(ctx context.Context, id string) (profile, error)

	mu         sync.Mutex
	young, old map[string]profile
	flights    map[string]*profileFlight
}

type profileFlight struct {
	done    chan struct{}
	profile profile
	err     error
}

func (p *profiles) get(ctx context.Context, id string) (profile, error) {
	p.mu.Lock()
	for _, generation := range []map[string]profile{p.young, p.old} {
		if known, ok := generation[id]; ok && p.now().Sub(known.fetched) < profileLife {
			p.mu.Unlock()
			return known, nil
		}
	}
	flight := p.flights[id]
	if flight == nil {
		flight = &profileFlight{done: make(chan struct{})}
		if p.flights == nil {
			p.flights = map[string]*profileFlight{}
		}
		p.flights[id] = flight
		go p.load(context.WithoutCancel(ctx), id, flight)
	}
	p.mu.Unlock()
	select {
	case <-flight.done:
		return flight.profile, flight.err
	case <-ctx.Done():
		return profile{}, ctx.Err()
	}
}

func (p *profiles) load(ctx context.Context, id string, flight *profileFlight) {
	flight.profile, flight.err = p.fetch(ctx, id)
	p.mu.Lock()
	defer p.mu.Unlock()
	if flight.err == nil {
		flight.profile.fetched = p.now()
		if p.young == nil || len(p.young) >= maxProfiles {
			p.old, p.young = p.young, map[string]profile{}
		}
		p.young[id] = flight.profile
	}
	delete(p.flights, id)
	close(flight.done)
}

// fetchProfile asks Clerk about a user.
func (b *Backend) fetchProfile(ctx context.Context, id string) (profile, error) {
	u, err := b.users.Get(ctx, id)
	if err != nil {
		var answer *sdk.APIErrorResponse
		if errors.As(err, &answer) {
			return profile{}, unreachable("a user is answered with status %d", answer.HTTPStatusCode)
		}
		return profile{}, unreachable("%w", err)
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	p := profile{name: strings.TrimSpace(text(u.FirstName) + " " + text(u.LastName)), username: text(u.Username)}
	if picture := text(u.ImageURL); strings.HasPrefix(picture, "https://") {
		p.picture = picture
	}
	for _, e := range u.EmailAddresses {
		if e != nil && e.ID == text(u.PrimaryEmailAddressID) {
			p.email, p.verified = e.EmailAddress, e.Verification != nil && e.Verification.Status == "verified"
		}
	}
	return p, nil
}

// describe fills in who a session belongs to. A profile that cannot be had
// leaves the session as good as it was.
func (b *Backend) describe(ctx context.Context, s *session.Session) {
	if b.users == nil {
		return
	}
	p, err := b.profiles.get(ctx, s.Subject)
	if err != nil {
		b.log.WarnContext(ctx, "clerk: no profile", "subject", s.Subject, "cause", err.Error())
		return
	}
	s.Name, s.Username, s.Email, s.EmailVerified, s.Picture = p.name, p.username, p.email, p.verified, p.picture
}
