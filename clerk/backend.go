package clerk

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// Name is what [session.Session].Provider is for people whom Clerk signed in.
const Name = "clerk"

// Authenticate implements [auth.Backend].
func (b *Backend) Authenticate(r *http.Request, origin *url.URL) (*auth.Decision, error) {
	s, err := b.Decide(r, origin)
	if err != nil {
		return nil, err
	}
	d := &auth.Decision{Header: s.Header, Location: s.Header.Get("Location"), Value: s}
	s.Header.Del("Location")
	if s.Status != SignedIn || s.Claims != nil && s.Claims.Pending && !b.config.AcceptPending {
		if d.Header == nil {
			d.Header = http.Header{}
		}
		d.Header.Set("X-Clerk-Auth-Status", string(s.Status))
		d.Header.Set("X-Clerk-Auth-Reason", s.Reason)
		if s.Message != "" {
			d.Header.Set("X-Clerk-Auth-Message", s.Message)
		}
		return d, nil
	}
	if s.Machine != nil {
		d.Session = &session.Session{
			ID: s.Machine.ID, Subject: s.Machine.Subject, Issuer: b.issuers[0], Provider: MachineName,
			IssuedAt: b.now(), ExpiresAt: s.Machine.ExpiresAt,
		}
		return d, d.Session.SetClaim("token_type", s.Type)
	}
	d.Session = &session.Session{
		ID: s.Claims.SessionID, Subject: s.Claims.UserID, Issuer: s.Claims.Issuer, Provider: Name,
		IssuedAt: s.Claims.IssuedAt, ExpiresAt: s.Claims.ExpiresAt,
	}
	for _, claim := range [...]struct{ name, value string }{{"org_id", s.Claims.OrganizationID}, {"org_slug", s.Claims.OrganizationSlug}, {"org_role", s.Claims.OrganizationRole}} {
		if claim.value != "" {
			if err := d.Session.SetClaim(claim.name, claim.value); err != nil {
				return nil, err
			}
		}
	}
	b.describe(r.Context(), d.Session)
	return d, nil
}

// SignOut implements [auth.Backend]: it revokes the session at Clerk and deletes
// its cookies here.
func (b *Backend) SignOut(w http.ResponseWriter, r *http.Request, s *session.Session, secure bool) error {
	if s.ID != "" && s.Provider == Name {
		resp, err := b.call(r.Context(), "POST", "/v1/sessions/"+url.PathEscape(s.ID)+"/revoke", []byte("{}"))
		if err != nil {
			return err
		}
		if resp.Status >= 500 || resp.Status == http.StatusUnauthorized || resp.Status == http.StatusTooManyRequests {
			return unreachable("revoking a session is answered with status %d", resp.Status)
		}
	}
	for _, name := range []string{cookieSession, cookieRefresh, cookieClientUAT} {
		for _, suffix := range []string{"", b.instance.suffix} {
			http.SetCookie(w, &http.Cookie{Name: name + suffix, Path: "/", MaxAge: -1, Secure: secure, SameSite: http.SameSiteLaxMode})
		}
	}
	return nil
}

// FromContext returns what was decided about the request that ctx belongs to,
// and why. ok is false where no Clerk backend was asked.
func FromContext(ctx context.Context) (s *State, ok bool) {
	s, ok = auth.BackendValue(ctx).(*State)
	return s, ok
}

// FromEnv reads NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY, CLERK_SECRET_KEY, CLERK_JWT_KEY
// and CLERK_AUTHORIZED_PARTIES. It is for [auth.Parts].Backend.
func FromEnv(env auth.Env, client *http.Client) (auth.Backend, error) {
	var err error
	get := func(names ...string) string {
		value, name := env.First(names...)
		err = errors.Join(err, auth.CheckEnvValue(name, value))
		return value
	}
	problem := func(name, problem, cure string) {
		err = errors.Join(err, &auth.EnvError{Variable: name, Problem: problem, Cure: cure})
	}
	c := Config{
		PublishableKey: get("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "CLERK_PUBLISHABLE_KEY"),
		SecretKey:      auth.NewSecret(get("CLERK_SECRET_KEY")),
		JWTKey:         env("CLERK_JWT_KEY"),
		HTTPClient:     client,
	}
	if parties := get("CLERK_AUTHORIZED_PARTIES"); parties != "" {
		c.AuthorizedParties = auth.SplitEnvList(parties)
		if slices.ContainsFunc(c.AuthorizedParties, func(o string) bool { return !isOrigin(o) }) {
			problem("CLERK_AUTHORIZED_PARTIES", "is not a list of origins", "write it like https://example.com,https://www.example.com")
		}
	}
	if _, e := parseKey(c.PublishableKey); e != nil {
		problem("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "is no publishable key", "copy it from Clerk's dashboard, API keys: pk_test_... or pk_live_...")
	}
	switch {
	case c.SecretKey.IsZero():
		problem("CLERK_SECRET_KEY", "is not set", "copy it from Clerk's dashboard, API keys: sk_test_... or sk_live_...")
	case !isSecretKey(c.SecretKey.Reveal()):
		problem("CLERK_SECRET_KEY", "is no secret key", "copy it from Clerk's dashboard, API keys: sk_test_... or sk_live_...")
	}
	if c.JWTKey != "" {
		if _, e := parsePEM(c.JWTKey); e != nil {
			problem("CLERK_JWT_KEY", "is no public key", "copy the PEM from Clerk's dashboard, API keys, JWKS public key")
		}
	}
	if err != nil {
		return nil, err
	}
	return New(c)
}
