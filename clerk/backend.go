package clerk

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// Name is what [session.Session].Provider is for people whom Clerk signed in. What
// other tokens bring is [MachineName]'s.
const Name = "clerk"

// Authenticate implements [auth.Backend]: it makes a session of what [Backend.Decide]
// says about r, whose public address is origin.
//
//	session     of a person              of a program
//	Provider    Name                     MachineName
//	Machine     false                    true: [auth.Identified] refuses it
//	ID          claim "sid"              the token's id, if it has one
//	Subject     claim "sub": user_...    user_..., org_... or mch_...
//	ExpiresAt   claim "exp"              of a JWT; else zero
//	Groups      the active organization  none
//	            and the role there:
//	            "acme", "acme:admin"
//	claims      org_id, org_slug,        token_type
//	            org_role, if any
//
// An organization without a slug goes by its id. Its administrators may change the
// slug, and people may found one with a slug that became free: where they can, a policy
// looks at org_id.
//
// A pending session is none, unless [Config].AcceptPending says so. Where there is no
// session, the decision's Header says why: X-Clerk-Auth-Status, -Reason and -Message.
// The error means that Clerk's API is needed and does not answer, or wraps
// [auth.ErrClock]: see [Backend.Decide]. With [Config].RequireProfiles the API is needed
// for each person.
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
		for name, value := range map[string]string{"X-Clerk-Auth-Reason": s.Reason, "X-Clerk-Auth-Message": s.Message} {
			if value != "" {
				d.Header.Set(name, value)
			}
		}
		return d, nil
	}
	if s.Machine != nil {
		d.Session = &session.Session{
			ID: s.Machine.ID, Subject: s.Machine.Subject, Issuer: b.issuersAt(origin)[0], Provider: MachineName, Machine: true,
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
	d.Session.Groups = groupsOf(s.Claims)
	if err := b.describe(r.Context(), d.Session); err != nil {
		return nil, err
	}
	return d, nil
}

// groupsOf are what [auth.AllowGroups] may name of the active organization: itself, and
// the role there. "acme:admin" is the role org:admin in acme.
func groupsOf(c *Claims) []string {
	if c.OrganizationID == "" {
		return nil
	}
	group := c.OrganizationSlug
	if group == "" || strings.Contains(group, ":") || strings.HasPrefix(group, "org_") {
		group = c.OrganizationID // and no name that reads as another's role, or as its id
	}
	if c.OrganizationRole == "" {
		return []string{group}
	}
	return []string{group, group + ":" + strings.TrimPrefix(withOrg(c.OrganizationRole), "org:")}
}

// SignOut implements [auth.Backend]: it revokes the session at Clerk and deletes
// its cookies here. A session that is not Clerk's, or a program's, is only deleted
// here. One that Clerk does not know any more is signed out. The error says that
// Clerk could not be told; the cookies are then still there, for another try.
//
// The token itself counts until it expires, wherever there is a copy of it. Clerk is
// told of a session once, however often that copy signs out.
func (b *Backend) SignOut(w http.ResponseWriter, r *http.Request, s *session.Session, secure bool) error {
	if s.ID != "" && s.Provider == Name && !b.ended.has(s.ID) {
		resp, err := b.call(r.Context(), "POST", "/v1/sessions/"+url.PathEscape(s.ID)+"/revoke", []byte("{}"))
		if err != nil {
			return err
		}
		if aboutUs(resp.Status) {
			return unreachable("revoking a session is answered with status %d", resp.Status)
		}
		b.ended.add(s.ID)
	}
	for _, name := range []string{cookieSession, cookieRefresh, cookieClientUAT} {
		for _, suffix := range []string{"", b.instance.suffix} {
			// #nosec G124 -- it deletes cookies that scripts of Clerk read
			http.SetCookie(w, &http.Cookie{Name: name + suffix, Path: "/", MaxAge: -1, Secure: secure, SameSite: http.SameSiteLaxMode})
		}
	}
	return nil
}

// UseClient implements [auth.ClientAware]: client says where a request comes from, for
// [Backend.FrontendProxy] and for how often one client may have Clerk asked. [auth.New]
// calls it.
func (b *Backend) UseClient(client func(*http.Request) netip.Addr) { b.clientOf.Store(&client) }

// FromContext returns what was decided about the request that ctx belongs to,
// and why. ok is false where no Clerk backend was asked: outside of the middleware,
// or for a session that is not Clerk's. The State belongs to that request alone.
func FromContext(ctx context.Context) (s *State, ok bool) {
	s, ok = auth.BackendValue(ctx).(*State)
	return s, ok
}
