package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/sallyport/auth/internal/attempt"
	"github.com/sallyport/auth/internal/controlchar"
	"github.com/sallyport/auth/internal/fault"
	"github.com/sallyport/auth/internal/web"
	"github.com/sallyport/auth/session"
)

const (
	maxSubject = 255     // bytes: OpenID Connect Core 2
	maxPicture = 2 << 10 // bytes
	maxMethods = 16      // of one sign-in: RFC 8176 names 22
)

// admission is the way from an identity to a session, the same for every
// provider:
//
//	Provider.Exchange -> Identity -> checked and cleaned -> Policy -> Session -> Enrich -> UserIDClaim
//
// Whatever a provider's own code returns passes here, so that what holds for a
// session holds for all of them.
type admission struct {
	policy     Policy
	enrich     func(ctx context.Context, s *session.Session, id *Identity) error
	names      naming
	keepGroups []string
	sessionIDs bool // sessions are found by the provider's
	sessions   *session.Manager
	keepTokens bool
	keepHint   bool // the ID token, for signing out at the provider

	backChannel, frontChannel bool // logout
}

var providerName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// ways checks the ways in, and has the providers as the routes see them.
func (c *Config) ways(names naming, sessions *session.Manager) (ways []web.Way, err error) {
	some := len(c.Providers) > 0 || c.AccessCode != nil || c.Backend != nil
	switch {
	case !some && !c.ReadOnly:
		return nil, errors.New("auth: Config has no Providers, no AccessCode and no Backend: nobody could sign in; set ReadOnly if an Auth.js application signs people in")
	case some && c.ReadOnly:
		return nil, errors.New("auth: Config.ReadOnly leaves signing in to an Auth.js application: leave Providers, AccessCode and Backend unset")
	}
	ad := admission{c.Policy, c.Enrich, names, slices.Clone(c.KeepGroups), c.Session.Store != nil || c.Session.Revocations != nil, sessions, c.KeepTokens,
		c.SignOutAtProvider && c.Session.Database == nil, c.BackChannelLogout, c.FrontChannelLogout}
	_, err = c.tokenWays()
	for i, p := range c.Providers {
		switch {
		case p == nil:
			err = errors.Join(err, fmt.Errorf("auth: Config.Providers[%d] is nil", i))
		case p.Name() == AccessCode:
			err = errors.Join(err, fmt.Errorf("auth: Config.Providers[%d] has the name %q, which is taken", i, AccessCode))
		case !providerName.MatchString(p.Name()):
			err = errors.Join(err, fmt.Errorf("auth: Config.Providers[%d] has the name %q: want lower-case letters, digits and hyphens", i, p.Name()))
		default:
			ways = append(ways, ad.way(p))
		}
	}
	return ways, err
}

// way is p as the routes see it.
func (ad admission) way(p Provider) web.Way {
	w := web.Way{Name: p.Name(), Label: p.Name(), Type: "oidc"}
	if shown, ok := p.(Presenter); ok {
		look := shown.Presentation()
		w.Mark = look.Mark
		if look.Label != "" {
			w.Label = look.Label
		}
	}
	if typed, ok := p.(Typed); ok {
		w.Type = typed.Type()
	}
	if v, ok := p.(Voucher); ok {
		w.VouchesFor = v.VouchesFor
	}
	if posts, ok := p.(FormPoster); ok && posts.FormAnswer(url.Values{}) != nil {
		w.FormAnswer = posts.FormAnswer
	}
	if expirer, ok := p.(Expirer); ok {
		w.Expired = expirer.Expired
	}
	if restarter, ok := p.(Restarter); ok {
		w.NoRestart = !restarter.Restarts()
	}
	if prompter, ok := p.(Prompter); ok {
		w.AccountPrompt, w.LoginPrompt = prompter.Prompts()
	}
	if verifier, ok := p.(LogoutVerifier); ok && ad.backChannel {
		w.VerifyLogout = verifier.VerifyLogout
	}
	w.FrontChannelLogout = ad.frontChannel && w.Type == "oidc" && w.VouchesFor != nil
	if v, ok := p.(TokenVerifier); ok {
		if _, audiences, _ := v.TakesTokens(); len(audiences) > 0 {
			ad.bearer(&w, p, v)
		}
	}
	if refresher, ok := p.(Refresher); ok && ad.keepTokens {
		w.Refresh = func(ctx context.Context, old *session.ProviderTokens) (*session.ProviderTokens, error) {
			return refreshed(ctx, refresher, old)
		}
	}
	if ender, ok := p.(SessionEnder); ok {
		w.EndSession = ender.EndSessionURL
	}
	if revoker, ok := p.(TokenRevoker); ok {
		w.Revoke = revoker.RevokeTokens
	}
	w.Begin = func(ctx context.Context, a attempt.Attempt) (string, error) {
		return p.AuthCodeURL(ctx, Transaction(a))
	}
	w.Finish = func(ctx context.Context, a attempt.Attempt, answer url.Values) (*web.Admitted, error) {
		id, err := p.Exchange(ctx, Transaction(a), answer)
		if err != nil {
			return nil, about(id, err)
		}
		who, err := ad.admit(ctx, p.Name(), id, nil)
		if err == nil && w.VouchesFor != nil && !w.VouchesFor(who.Session.Issuer) {
			return nil, fmt.Errorf("%w: the session's issuer %q is none of provider %q, which would not know the session again: leave Identity.Issuer as it is, in Map or Identify", ErrMisconfigured, who.Session.Issuer, p.Name())
		}
		if err == nil {
			who.Account = accountOf(w.Type, id.Token)
			switch tokens := &who.Account.ProviderTokens; {
			case ad.keepTokens:
				who.Session.ProviderTokens = tokens
			case ad.keepHint && w.EndSession != nil && tokens.IDToken != "":
				who.Session.ProviderTokens = &session.ProviderTokens{IDToken: tokens.IDToken}
			}
		}
		return who, err
	}
	return w
}

// accountOf is what a provider of that kind gave beside the identity. t may be nil.
func accountOf(kind string, t *oauth2.Token) session.Account {
	a := session.Account{Type: kind}
	if t != nil {
		a.AccessToken, a.RefreshToken, a.TokenType, a.ExpiresAt = t.AccessToken, t.RefreshToken, t.TokenType, t.Expiry
		a.IDToken, _ = t.Extra("id_token").(string)
		a.Scope, _ = t.Extra("scope").(string)
	}
	return a
}

// admit makes a session of id, which provider gave, or which token is about, if that is not
// nil.
func (ad admission) admit(ctx context.Context, provider string, id *Identity, token *AccessToken) (*web.Admitted, error) {
	id, err := checked(id)
	if err != nil {
		return nil, err
	}
	named := &namedGroups{list: ad.keepGroups}
	if ad.policy != nil {
		if err := ask(named.in(ctx), ad.policy, provider, id); err != nil {
			return nil, about(id, err)
		}
	}
	s := &session.Session{
		Subject: id.Subject, Issuer: id.Issuer, Provider: provider,
		Name: id.Name, Username: id.Username, Email: id.Email, EmailVerified: id.EmailVerified,
		Picture: id.Picture, Groups: firstThoseThatCount(id.Groups, named.list),
	}
	if ad.sessionIDs {
		s.ProviderSession = id.SessionID
	}
	if ad.backChannel {
		s.ProviderTime = id.IssuedAt
	}
	if err := writeStrength(s, id); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidResponse, err)
	}
	for name, value := range id.Claims {
		if err := s.SetClaim(name, value); err != nil {
			return nil, fmt.Errorf("%w: claim %q: %w", ErrInvalidResponse, name, err)
		}
	}
	if token != nil {
		if err := token.write(s); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInvalidToken, err)
		}
	}
	if ad.enrich != nil {
		if err := ad.enriched(ctx, s, id); err != nil {
			return nil, about(id, err)
		}
		if s.Issuer != id.Issuer || s.Provider != provider {
			return nil, about(id, fmt.Errorf("%w: Config.Enrich changed who vouches for the session, its Issuer or Provider", ErrMisconfigured))
		}
		if s.Subject != id.Subject {
			s.ProviderSubject = id.Subject
		}
	}
	if err := ad.names.write(s); err != nil {
		return nil, err
	}
	return &web.Admitted{Session: s, Issuer: id.Issuer, Subject: id.Subject}, nil
}

// enriched has the application make of s what it likes, who is told whether id has come
// before.
func (ad admission) enriched(ctx context.Context, s *session.Session, id *Identity) error {
	remembers := ad.sessions.CanKnow()
	who := *s // as the provider knows them
	if remembers {
		known, err := ad.sessions.Known(ctx, &who)
		if err != nil {
			return err
		}
		id.Seen = SeenNever
		if known {
			id.Seen = SeenBefore
		}
	}
	switch err := ad.enrich(ctx, s, id); {
	case errors.Is(err, ErrStore):
		return fmt.Errorf("Config.Enrich: %w", err)
	case err != nil:
		return fmt.Errorf("%w: Config.Enrich: %w", ErrNotAllowed, err)
	}
	if !remembers {
		return nil
	}
	return ad.sessions.Know(ctx, &who)
}

// bearer has the requests taken that bring access tokens of p.
func (ad admission) bearer(w *web.Way, p Provider, v TokenVerifier) {
	w.TakesTokens = v.TakesTokens
	w.Bearer = func(ctx context.Context, token string) (*session.Session, error) {
		t, err := v.VerifyToken(ctx, token)
		if err != nil || t == nil {
			return nil, err
		}
		admitted, err := ad.admit(ctx, p.Name(), t.Identity, t)
		if err != nil {
			return nil, err
		}
		s := admitted.Session
		if w.VouchesFor != nil && !w.VouchesFor(s.Issuer) {
			return nil, fmt.Errorf("%w: the token's issuer %q is none of provider %q", ErrMisconfigured, s.Issuer, p.Name())
		}
		s.Machine, s.AuthTime, s.ExpiresAt = t.Machine, t.Identity.AuthTime, t.Expires
		return s, nil
	}
}

// write has s say what t is for.
func (t *AccessToken) write(s *session.Session) error {
	s.Machine = t.Machine
	return s.SetClaim(scopeClaim, strings.Join(t.Scopes, " "))
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

// about is err with whom it is about, if id says so and can be shown.
func about(id *Identity, err error) error {
	id, bad := checked(id)
	if bad != nil {
		return err
	}
	return &fault.Person{Issuer: id.Issuer, Subject: id.Subject, Email: id.Email, Shown: cmp.Or(id.Email, id.Username, id.Name), Err: err}
}

// firstThoseThatCount is groups with those of named before the others, each in the order
// that they are in.
func firstThoseThatCount(groups, named []string) []string {
	if len(named) == 0 {
		return groups
	}
	var count, others []string
	for _, g := range groups {
		if slices.Contains(named, g) {
			count = append(count, g)
		} else {
			others = append(others, g)
		}
	}
	return append(count, others...)
}

// ask is policy's answer. One that cannot decide refuses.
func ask(ctx context.Context, policy Policy, provider string, id *Identity) error {
	err := policy(ctx, provider, id)
	if err != nil && !errors.Is(err, ErrNotAllowed) {
		return fmt.Errorf("%w: the policy could not decide: %w", ErrNotAllowed, err)
	}
	return err
}

// checked holds an identity to what a session needs, and returns a copy that is
// clean. Who somebody is must be right as it stands: a subject or an issuer with a
// control character is refused. What else names them, or what they belong to, is
// dropped, for without one of its characters it might be somebody else's; a name,
// which is only shown, loses the character.
func checked(given *Identity) (*Identity, error) {
	switch {
	case given == nil:
		return nil, fmt.Errorf("%w: the provider gave no identity", ErrInvalidResponse)
	case given.Issuer == "" || given.Subject == "" || len(given.Subject) > maxSubject:
		return nil, fmt.Errorf("%w: the identity has no issuer, or no subject of 1 to %d bytes", ErrInvalidResponse, maxSubject)
	case controlchar.In(given.Subject) || controlchar.In(given.Issuer):
		return nil, fmt.Errorf("%w: the subject or the issuer has a control character in it", ErrInvalidResponse)
	}
	id := *given
	id.Name = controlchar.Strip(id.Name)
	if controlchar.In(id.Username) {
		id.Username = ""
	}
	if controlchar.In(id.Email) {
		id.Email, id.EmailVerified = "", false
	}
	if len(id.SessionID) > maxSubject || controlchar.In(id.SessionID) {
		id.SessionID = ""
	}
	if !showable(id.Picture) {
		id.Picture = ""
	}
	if len(id.ACR) > maxSubject || controlchar.In(id.ACR) {
		id.ACR = ""
	}
	if id.AMR = withoutControls(id.AMR); len(id.AMR) > maxMethods || len(strings.Join(id.AMR, "")) > maxSubject {
		id.AMR = nil
	}
	id.Groups = withoutControls(id.Groups)
	return &id, nil
}

// showable reports whether address may be a picture's.
func showable(address string) bool {
	return strings.HasPrefix(address, "https://") && len(address) <= maxPicture && !controlchar.In(address)
}

// withoutControls is list without what has a control character. It leaves list
// itself alone.
func withoutControls(list []string) []string {
	if !slices.ContainsFunc(list, controlchar.In) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), controlchar.In)
}

// gate is a [CodeVerifier] as the routes see it.
type gate struct {
	CodeVerifier
	names naming
}

// Check implements [web.Gate].
func (g gate) Check(ctx context.Context, client netip.Addr, code string) (*web.Admitted, error) {
	id, err := g.Verify(ctx, client, code)
	return g.admitted(id, "", err)
}

// CheckDevice implements [web.Gate].
func (g gate) CheckDevice(ctx context.Context, client netip.Addr, device, code string) (*web.Admitted, error) {
	v, ok := g.CodeVerifier.(DeviceVerifier)
	if !ok {
		return g.Check(ctx, client, code)
	}
	id, keep, err := v.VerifyDevice(ctx, client, device, code)
	return g.admitted(id, keep, err)
}

// admitted is the answer of a [CodeVerifier] as the routes see it.
func (g gate) admitted(id *Identity, device string, err error) (*web.Admitted, error) {
	if err == nil {
		id, err = checked(id)
	}
	if err != nil {
		var limit *LimitError
		if errors.As(err, &limit) {
			err = &fault.Limited{Wait: limit.RetryAfter, Err: err}
		}
		return nil, err
	}
	s := &session.Session{Subject: id.Subject, Issuer: id.Issuer, Provider: AccessCode, Name: id.Name, Groups: id.Groups}
	if err := g.names.write(s); err != nil {
		return nil, err
	}
	return &web.Admitted{Session: s, Issuer: id.Issuer, Subject: id.Subject, Label: id.Name, Device: device}, nil
}

// SubjectID is a [Config].UserID: the subject alone. With several ways to sign in,
// two people may have the same.
func SubjectID(s *session.Session) string { return s.Subject }

// ProviderSubjectID is a [Config].UserID: the provider's name, "|" and the subject,
// such as github|583231. No two people have the same. The name is empty for
// somebody whom Auth.js signed in.
func ProviderSubjectID(s *session.Session) string { return s.Provider + "|" + s.Subject }

// severalWays reports whether people can sign in in more than one way, each with
// subjects of its own. Of a database the subjects are its users' ids, whatever the provider.
func (c *Config) severalWays() bool {
	count := len(c.Providers)
	if c.Session.Database != nil {
		count = min(count, 1)
	}
	for _, there := range []bool{c.AccessCode != nil, c.Backend != nil} {
		if there {
			count++
		}
	}
	return count > 1
}

// unique is the [Config].UserID that no two people share: with several ways in, two
// of them may know somebody by one subject.
func (c *Config) unique() func(*session.Session) string {
	if c.severalWays() {
		return ProviderSubjectID
	}
	return SubjectID
}

// naming is what the application calls people: [Config].UserID, and the claim in
// which a session says so to others, if that has a name.
type naming struct {
	claim  string
	userID func(*session.Session) string
}

func (n naming) check() error {
	if n.claim == "" {
		return nil
	}
	if err := new(session.Session).SetClaim(n.claim, ""); err != nil {
		return fmt.Errorf("auth: Config.UserIDClaim: %w", err)
	}
	return nil
}

// write has s say who it is.
func (n naming) write(s *session.Session) error {
	if n.claim == "" {
		return nil
	}
	return s.SetClaim(n.claim, n.userID(s))
}

// of is who s says that it is, if Auth.js began it.
func (n naming) of(s *session.Session) string {
	if n.claim != "" && s.Provider == "" {
		var id string
		if _, err := s.Claim(n.claim, &id); err == nil && id != "" {
			return id
		}
	}
	return n.userID(s)
}
