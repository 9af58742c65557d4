package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"
)

// Config says how long sessions last and where they are kept. The zero value is
// Auth.js's: a cookie for one host, 30 days. [NewManager] checks it and keeps a
// copy, so that changing it later changes nothing.
type Config struct {
	// MaxAge ends a session that is not used for so long: a token counts until
	// MaxAge after it was written, by whichever side. If zero, 30 days, or Lifetime if
	// that is less; at least a minute. A shorter one counts for the sessions that there are, too.
	MaxAge time.Duration

	// UpdateAge is how old a session gets before a request has it written anew,
	// which sets a cookie and, with a Store, commits. If zero, a quarter of MaxAge, and
	// 24 hours at most; it must be less than MaxAge, or nothing would be written in
	// time.
	UpdateAge time.Duration

	// Lifetime ends a session, however much it is used, so long after the
	// person signed in. If zero, 90 days; at least MaxAge. A shorter one counts for
	// the sessions that there are, too.
	Lifetime time.Duration

	// CookieName replaces "authjs.session-token": letters, digits, '.', '-' and
	// '_'. Over https it gets the prefix "__Secure-", and must have none of its own.
	// The other side must use the same name: it is part of the key, so that a new
	// name signs everybody out.
	CookieName string

	// CookieDomain shares the session with subdomains: "example.com", without a
	// dot in front. If empty, the cookie is for one host. Each subdomain, and
	// whoever runs it, then gets everybody's token. Browsers keep the
	// cookies that were set before it was changed, and send both. The host's own
	// ones, from before there was a CookieDomain, are deleted with each session that
	// is written and at sign-out. Those of another CookieDomain are not, for nothing
	// tells what it was, nor are those of any when it is emptied: change CookieName
	// with it, and they are worth nothing.
	CookieDomain string

	// MaxSetCookieBytes bounds what the headers Set-Cookie take of an answer that writes
	// a session, everything counted: names, attributes, and what is deleted along. If
	// zero, 3500, which leaves room for the other headers within the 4 kB that nginx
	// passes on unless proxy_buffer_size is set; at least 1024. A session that takes
	// more loses ProviderTokens, all of them, and then Groups, the last first, until it
	// fits, and gets the claim "groups_truncated": true. Nothing else is left out of it. With
	// a Store nothing is.
	MaxSetCookieBytes int

	// SameSiteNone makes the session cookie, and with package auth those of attempts and
	// forms, SameSite=None and Partitioned, for an application inside a frame of another
	// site: Teams, SharePoint, a portal. If false, it is SameSite=Lax, and whoever is
	// signed in is nobody in such a frame. It takes https; over http nothing changes.
	//
	// Browsers keep such cookies apart for each site around the frame. Who has signed in
	// in a tab is not signed in inside a frame, nor the other way round, and no other
	// subdomain of CookieDomain that is framed elsewhere shares the session. Inside a
	// frame work an access code, and providers whose pages may be framed, which most
	// forbid.
	//
	// It gives up that other sites' requests come without the cookie. Package auth
	// refuses those that change something, and WebSockets; a GET of another site
	// counts, so that nothing may be changed by one. The cookies from before are deleted
	// at sign-out. When it is taken away, change CookieName with it: what a
	// frame has is not deleted.
	SameSiteNone bool

	// Store keeps sessions on the server, so that they can be taken back. If nil,
	// they are in the cookie alone. With a store, session tokens in cookies and
	// bearer tokens do not count, but those of [Manager.Issue] that it has, so that setting
	// one signs everybody out.
	Store Store

	// Database is where an application with Auth.js keeps its sessions and its users:
	// Auth.js's database strategy. Both then read, renew and end the same sessions, and
	// sign people in as the same users. It is authjsdb.New for PostgreSQL. Give MaxAge and
	// UpdateAge Auth.js's values. Lifetime, UpgradeV4, Revocations and a Store are not allowed
	// beside it, and tokens that are sealed, in cookies or as bearer tokens, do not count. Of
	// what is set in a session only Name and Picture last. Package auth takes no AccessCode
	// and no UserIDClaim beside it. If nil, there is none.
	Database Database

	// Revocations has sessions that are in cookies taken back: by signing out, which then
	// holds on all nodes, and by [Manager.Revoke]. What is in it is which sessions have
	// ended, until their cookies would have expired, or for 366 days where they may be
	// programs' (see [Manager.Issue]), and nothing else. Each request with a
	// session asks it three or four questions at once. If nil, a cookie counts until
	// it expires. It means nothing beside a Store, and is an error there.
	Revocations Store

	// UserID is what the application calls whose session s is, for [OfUser]. An empty id is
	// nobody's. It is called concurrently. If nil, it is Subject. Package auth sets it to
	// Config.UserID of its own.
	UserID func(s *Session) string

	// KeepAddress keeps with a session the IP address that the person signed in from, for
	// the page that shows people where they are signed in. It takes a Store. This package
	// keeps no address by itself; package auth does.
	KeepAddress bool

	// UpgradeV4 writes a session of next-auth v4 anew as one of Auth.js v5 when it
	// is renewed, and deletes v4's cookie: for an application that has left v4. If
	// false, v4's sessions are read, and left alone.
	UpgradeV4 bool

	// Revalidate is asked whether somebody may still be there, whenever their session
	// is about to be renewed, which is once in UpdateAge, and when they sign in. It may
	// change s: what it sets is written. An error that wraps auth.ErrNotAllowed ends the
	// session, on all nodes if there is a Store or Revocations, and refuses the sign-in. Any
	// other error, and a panic, says that nobody can tell at the moment: the session is not
	// renewed and asked about again 10 seconds later, so that it goes on for MaxAge since its
	// last renewal at most; a sign-in is answered 503. ctx has a limit of 5 seconds. It is
	// called concurrently. If nil, nobody is asked. This package does not call it; package
	// auth does.
	Revalidate func(ctx context.Context, s *Session) error

	// RevalidateEvery has Revalidate asked whenever the last answer, on this node, is so old:
	// five minutes let somebody in who was disabled for no longer than that. If zero,
	// it is asked at renewals alone.
	RevalidateEvery time.Duration

	// Logger is told of data in a Store that cannot be read, once for each key. If nil, it is
	// [slog.Default]; package auth sets it to its own.
	Logger *slog.Logger

	// Public changes what GET /session shows of s to scripts of the same origin.
	// shown has what is shown without it. If nil, that is all: the user's id,
	// name, e-mail address and picture. It is called concurrently. This package does
	// not call it; package auth does.
	Public func(s *Session, shown *View)
}

// View is what GET /session shows, beside when the session ends. Both maps are
// encoded as JSON, and neither is nil when [Config].Public is called.
type View struct {
	User map[string]any // member "user": with id, name, email and image, those that there are
	More map[string]any // members beside "user"
}

// A cookie's name is a token (RFC 6265 4.1.1); these are the characters of it that
// need no thought. Browsers compare prefixes without case (RFC 6265bis 4.1.3).
var cookieNamePattern = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
var prefixPattern = regexp.MustCompile(`(?i)^__(secure|host|http)-`)
var domainPattern = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)

// check sets what is not set, and joins every problem of c.
func (c *Config) check() (err error) {
	if c.Database != nil {
		err = c.checkDatabase()
	}
	if c.Lifetime == 0 {
		c.Lifetime = 90 * 24 * time.Hour
	}
	if c.MaxAge == 0 {
		c.MaxAge = min(30*24*time.Hour, c.Lifetime)
	}
	if c.UpdateAge == 0 {
		c.UpdateAge = min(24*time.Hour, c.MaxAge/4)
	}
	if c.MaxSetCookieBytes == 0 {
		c.MaxSetCookieBytes = 3500
	}
	if c.MaxSetCookieBytes < 1024 {
		err = errors.Join(err, fmt.Errorf("session: MaxSetCookieBytes of %d: want 1024 or more", c.MaxSetCookieBytes))
	}
	if c.CookieName == "" {
		c.CookieName = authjsName
	}
	if c.MaxAge < time.Minute || c.UpdateAge < 0 || c.UpdateAge >= c.MaxAge || c.Lifetime < c.MaxAge {
		err = errors.Join(err, errors.New("session: want MaxAge of a minute or more, UpdateAge not negative and less than MaxAge, Lifetime of MaxAge or more"))
	}
	if !cookieNamePattern.MatchString(c.CookieName) || prefixPattern.MatchString(c.CookieName) {
		err = errors.Join(err, fmt.Errorf("session: CookieName %q: want letters, digits, '.', '-' and '_', without the prefix __Secure-, __Host- or __Http-", c.CookieName))
	}
	if c.Store != nil && c.Revocations != nil {
		err = errors.Join(err, errors.New("session: Revocations are for sessions that are in cookies: leave it out beside a Store, in which sessions are deleted"))
	}
	if c.RevalidateEvery < 0 || c.RevalidateEvery > 0 && c.Revalidate == nil {
		err = errors.Join(err, errors.New("session: RevalidateEvery must not be negative, and needs Revalidate"))
	}
	if c.KeepAddress && c.Store == nil {
		err = errors.Join(err, errors.New("session: KeepAddress needs a Store"))
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.UserID == nil {
		c.UserID = func(s *Session) string { return s.Subject }
	}
	if c.CookieDomain != "" && !domainPattern.MatchString(c.CookieDomain) {
		err = errors.Join(err, fmt.Errorf("session: CookieDomain %q: want a domain such as example.com", c.CookieDomain))
	}
	return err
}
