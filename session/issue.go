package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A token for a program:
//
//	in a store    sallyport_kT1bm...       what stands in a cookie, behind a prefix; the
//	                                       store has it under the hash of both
//	else          sallyport_eyJhbGci...    a session's token, under a key of its own
//
// In a cookie neither counts: the one has not the shape of a cookie's value, the other
// opens with none of the cookies' keys. Nor does what a cookie has count behind the prefix.
// A scanner of source code finds the prefix where a token should not be, and no other kind of
// token has it, so that one that does not count is nobody else's to look at.
//
// AuthTime is zero: nobody signs in with a token, and neither MaxAge nor Lifetime, which go
// by it, ends what is made to end at a time.

const (
	issuedPrefix = "sallyport_"

	// issuedSalt keeps these tokens apart from cookies and records.
	issuedSalt = "sallyport token of a program"

	// maxIssued is how long a token counts at most: a year.
	maxIssued = 366 * 24 * time.Hour

	// maxIssuedText bounds a token in bytes: with the header's name before it, it is in the
	// 8 kB that nginx and others take of one line.
	maxIssuedText = 7 << 10

	maxLabel = 100 // characters
)

// errNoTokens says why there are none.
var errNoTokens = fmt.Errorf("session: a program's token could not be taken back: it takes a Config.Store that is a Lister, or Config.Revocations: %w", errors.ErrUnsupported)

// CanIssue reports whether [Manager.Issue] works: it takes what takes sessions back, a
// [Store] that is a [Lister] or [Config].Revocations, and no [Database].
func (m *Manager) CanIssue() bool { return m.config.Database == nil && m.CanRevoke() }

// Issue begins a session for a program, with the claims of s, and returns the token that
// stands for it and its [Session].ID. The token counts in the header Authorization, as a
// bearer token (RFC 6750 2.1), and nowhere else: not in a cookie, and not on the side of
// Auth.js. It counts over http and https. It is shown here alone: nothing keeps it, and
// nothing tells it again.
//
// label is what lists of sessions call it, [Session].TokenLabel: 1 to 100 characters that can
// be seen. The session ends at expires, in whole seconds, which is later than now and within
// 366 days, and is never renewed; MaxAge and Lifetime say nothing about it. It is a session of
// [OfUser] and of [OfSubject] as any other, so that [Manager.List] has it and [Manager.Revoke]
// ends it, alone or with the others. Signing out of s leaves it.
//
// [Session].Machine is true. What says how and where the person has signed in is left out:
// AuthTime, Device, Address, ProviderSession, ProviderTokens, and the claims acr, amr and
// provider_auth_time. s may be a copy of a person's session with claims of its own for the
// token, or be made for a program that is nobody's; one without an ID is taken as it is. s is
// left as it is.
//
// The error wraps [ErrEnded] if s holds no more, [ErrStore], or [errors.ErrUnsupported] where
// [Manager.CanIssue] is false. It is or wraps [ErrTooLarge] for a token of more than 7 kB,
// which there is without a Store alone. It is another one for a label or an end as above, for
// an s that [Config].UserID has no id for, and for one that came as a bearer token: no token
// makes another, which would outlive it.
func (m *Manager) Issue(ctx context.Context, s *Session, label string, expires time.Time) (token Secret, id string, err error) {
	if err := m.issuable(s, label, expires); err != nil {
		return Secret{}, "", err
	}
	t := m.forProgram(s, label, expires)
	ctx, done := m.limited(ctx)
	defer done()
	if m.config.Revocations != nil {
		// Before s is looked at, so that whatever takes s back takes t back, or is seen.
		if err := m.comesAfter(ctx, t); err != nil {
			return Secret{}, "", err
		}
	}
	if err := m.stillHolds(ctx, s); err != nil {
		return Secret{}, "", err
	}
	text := issuedPrefix + newKeyText()
	if m.config.Store != nil {
		err = m.commit(ctx, t, text)
	} else {
		text, err = m.sealIssued(t)
	}
	if err != nil {
		return Secret{}, "", err
	}
	return NewSecret(text), t.ID, nil
}

// issuable says what is wrong with the arguments of Issue.
func (m *Manager) issuable(s *Session, label string, expires time.Time) error {
	now, unseen := m.now(), func(r rune) bool { return !unicode.IsPrint(r) }
	switch n := utf8.RuneCountInString(label); {
	case !m.CanIssue():
		return errNoTokens
	case s.bearer:
		return errors.New("session: no token is made of a session that came as a bearer token")
	case n > maxLabel || strings.TrimSpace(label) == "" || !utf8.ValidString(label) || strings.ContainsFunc(label, unseen):
		return fmt.Errorf("session: a token's label: want 1 to %d characters that can be seen", maxLabel)
	case !expires.After(now) || expires.After(now.Add(maxIssued)):
		return fmt.Errorf("session: a token's end: want a time later than now, within %d days", maxIssued/(24*time.Hour))
	case m.config.UserID(s) == "":
		return errors.New("session: no token is made of a session that is nobody's: Config.UserID has no id for it")
	}
	return nil
}

// forProgram is what of s a program's token has.
func (m *Manager) forProgram(s *Session, label string, expires time.Time) *Session {
	t := copyOf(s)
	t.ID, t.TokenLabel = newID(), label
	t.AuthTime, t.IssuedAt, t.ExpiresAt = time.Time{}, m.now().Truncate(time.Second), expires.Truncate(time.Second)
	t.Device, t.Address, t.ProviderSession = "", "", ""
	t.ProviderTokens, t.ProviderTime = nil, time.Time{}
	t.extra = slices.DeleteFunc(slices.Clone(s.extra), func(e extraClaim) bool {
		return e.name == "acr" || e.name == "amr" || e.name == "provider_auth_time"
	})
	return t
}

// stillHolds returns [ErrEnded] if s was signed out of, or taken back, since it was loaded.
func (m *Manager) stillHolds(ctx context.Context, s *Session) error {
	var gone bool
	var err error
	switch {
	case m.config.Store != nil && s.key != "":
		var now *Session
		now, err = m.read(ctx, s.key)
		gone = now == nil
	case m.config.Store == nil && s.ID != "":
		gone, err = m.revoked(ctx, s)
		gone = gone || !m.current(s, m.now())
	}
	if err == nil && gone {
		err = fmt.Errorf("session: no token is made of it: %w", ErrEnded)
	}
	return err
}

// sealIssued is the token of t where there is no store.
func (m *Manager) sealIssued(t *Session) (string, error) {
	payload, err := t.encode()
	if err != nil {
		return "", err
	}
	text := issuedPrefix + m.issued.Seal(payload)
	if len(text) > maxIssuedText {
		return "", ErrTooLarge
	}
	return text, nil
}

// HasToken reports whether r brings a bearer token that looks like one of [Manager.Issue],
// valid or not. It is false where [Manager.CanIssue] is.
func (m *Manager) HasToken(r *http.Request) bool { return m.issuedIn(r.Header) != "" }

// issuedIn is the bearer token in h if it looks like one of Issue, and otherwise "".
func (m *Manager) issuedIn(h http.Header) string {
	token, _ := bearer(h)
	if !strings.HasPrefix(token, issuedPrefix) || !m.CanIssue() {
		return ""
	}
	return token
}

// issuedKey is where the store may have the token that h brings, or "".
func (m *Manager) issuedKey(h http.Header) string {
	if token := m.issuedIn(h); token != "" {
		return storeKey(token)
	}
	return ""
}

// readIssued is the session that the store has for the token that h brings, or nil.
func (m *Manager) readIssued(ctx context.Context, h http.Header) (*Session, error) {
	key := m.issuedKey(h)
	if key == "" {
		return nil, nil
	}
	s, err := m.read(ctx, key)
	if s != nil {
		s.readOnly, s.bearer = true, true
	}
	return s, err
}

// begun is when s began: at a sign-in, or with the token that stands for it.
func (s *Session) begun() time.Time {
	if s.AuthTime.IsZero() {
		return s.IssuedAt
	}
	return s.AuthTime
}

// endsBy is when no token of s can count any more, whoever has written it anew, and with nil
// no token of any session that there is: so long a revocation is kept.
func (m *Manager) endsBy(s *Session) time.Time {
	last := m.now().Add(m.config.Lifetime + 2*tolerance)
	if s == nil {
		return last.Add(max(0, maxIssued-m.config.Lifetime))
	}
	if end := s.ExpiresAt.Add(2 * tolerance); end.After(last) {
		return end
	}
	return last
}
