package clerk

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	sdk "github.com/clerk/clerk-sdk-go/v2"

	"github.com/sallyport/auth/session"
)

// SDK is what the clients of clerk-sdk-go are made from:
//
//	users := user.NewClient(backend.SDK())
//	ada, err := users.Get(ctx, "user_...")
//
// It shares this backend's key, address and limits: an answer of 1 MiB, no redirects.
// It has nothing of the SDK's global state, so that clerk.SetKey is not needed. The
// clients may be used concurrently. Do not verify tokens with the SDK's own functions:
// they take more than [Backend.Decide] does.
func (b *Backend) SDK() *sdk.ClientConfig {
	return &sdk.ClientConfig{BackendConfig: sdk.BackendConfig{
		HTTPClient: b.client.HTTPClient(maxAnswer),
		URL:        sdk.String(strings.TrimRight(b.config.APIURL, "/") + "/v1"),
		Key:        sdk.String(b.config.SecretKey.Reveal()),
	}}
}

// A profile's life: fresh for profileLife; then the next request asks again, and
// waits for profileWait at most. Where that brings nothing, what is known is shown
// and the next attempt is profilePause later.
const (
	profileLife  = 5 * time.Minute
	profilePause = 30 * time.Second // after one could not be had
	profileWait  = 2 * time.Second  // what a request waits for one at most
	maxProfiles  = 4096             // in each of two generations
)

// profile is what a session shows of a person. The address is the primary one, and
// may be unverified: whoever decides by it has to look at EmailVerified.
type profile struct {
	name, username, email, picture string
	verified                       bool
}

// profiles are those that were fetched, for profileLife, and longer where Clerk
// does not answer. Concurrent requests of one person share a fetch.
type profiles struct {
	now   func() time.Time
	fetch func(ctx context.Context, id string) (profile, error)
	wait  time.Duration // of a request, at most
	log   *slog.Logger

	mu         sync.Mutex
	young, old map[string]knownProfile
	flights    map[string]chan struct{} // closed when the fetch that is under way ends
}

// knownProfile is a profile, or that there is none.
type knownProfile struct {
	profile
	told  bool      // whether Clerk has ever said anything, and be it that there is nobody
	until time.Time // when to ask again
}

// get is the last that is known of somebody: nothing, and told is false, for a
// stranger of whom Clerk says nothing in time. The fetch goes on when the request is
// gone, for the next one.
func (p *profiles) get(ctx context.Context, id string) knownProfile {
	p.mu.Lock()
	known := p.known(id)
	if p.now().Before(known.until) {
		p.mu.Unlock()
		return known
	}
	flight := p.flights[id]
	if flight == nil {
		flight = make(chan struct{})
		if p.flights == nil {
			p.flights = map[string]chan struct{}{}
		}
		p.flights[id] = flight
		go p.load(context.WithoutCancel(ctx), id, flight)
	}
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	select {
	case <-flight:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known(id)
}

// known is for callers that hold mu.
func (p *profiles) known(id string) knownProfile {
	if known, ok := p.young[id]; ok {
		return known
	}
	return p.old[id]
}

// load fetches a profile and ends flight. The lock is not held meanwhile.
func (p *profiles) load(ctx context.Context, id string, flight chan struct{}) {
	fetched, err := p.fetch(ctx, id)
	if err != nil {
		p.log.WarnContext(ctx, "clerk: no profile", "subject", id, "cause", err.Error())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	known := knownProfile{fetched, true, p.now().Add(profileLife)}
	if err != nil {
		known = p.known(id)
		known.until = p.now().Add(profilePause)
	}
	if p.young == nil || len(p.young) >= maxProfiles {
		p.old, p.young = p.young, map[string]knownProfile{}
	}
	p.young[id] = known
	delete(p.flights, id)
	close(flight)
}

// fetchProfile asks Clerk about a user. One whom Clerk does not know has an empty
// profile; the error, for the log, says why nobody can tell.
func (b *Backend) fetchProfile(ctx context.Context, id string) (profile, error) {
	u, err := b.users.Get(ctx, id)
	if err != nil {
		var answer *sdk.APIErrorResponse
		switch {
		case errors.As(err, &answer) && answer.HTTPStatusCode == http.StatusNotFound:
			return profile{}, nil // gone: what was known of the person counts no more
		case answer != nil:
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

// describe fills in who a session belongs to, as far as that is known. Nobody is
// refused for want of it, unless Config.RequireProfiles is set: the error then says
// that Clerk has told nothing yet.
func (b *Backend) describe(ctx context.Context, s *session.Session) error {
	if b.users == nil {
		return nil
	}
	p := b.profiles.get(ctx, s.Subject)
	if b.config.RequireProfiles && !p.told {
		return unreachable("nothing is known yet of a user, and RequireProfiles is set")
	}
	s.Name, s.Username, s.Email, s.EmailVerified, s.Picture = p.name, p.username, p.email, p.verified, p.picture
	return nil
}
