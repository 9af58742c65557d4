package clerk_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

var people = []clerktest.Person{
	{ID: "user_ada", Name: "Ada Lovelace", Email: "ada@example.com"}, {ID: "user_eve", Name: "Eve", Email: "eve@evil.example"},
}

// entering is what a page behind c's policy answers to whoever has a token.
func entering(t *testing.T, c auth.Config) func(token string) int {
	c.Logger = slog.New(slog.DiscardHandler)
	a, err := auth.New(c)
	require.NoError(t, err)
	page := a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	return func(token string) int {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, bearer(token))
		return w.Code
	}
}

// TestAllowedEmailsBesideClerk: the variable keeps people out, with nothing else set.
func TestAllowedEmailsBesideClerk(t *testing.T) { // PV-02, LG-06
	instance := clerktest.New(clerktest.Config{Production: true, People: people})
	env := map[string]string{"CLERK_PUBLISHABLE_KEY": instance.PublishableKey, "CLERK_SECRET_KEY": instance.SecretKey, "AUTH_ALLOWED_EMAILS": "example.com"}
	parts := auth.Parts{Backend: clerk.FromEnv, HTTPClient: &http.Client{Transport: inProcess{instance}}}
	c, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, parts)
	require.NoError(t, err)
	enter := entering(t, c)
	of := func(id string) string { return instance.Token(set("sub", id)) }
	require.Equal(t, 200, enter(of("user_ada")))
	require.Equal(t, 403, enter(of("user_eve")))
	require.Equal(t, 403, enter(of("user_gone")), "of whom Clerk says that there is nobody")
	instance.SetDown(true)
	require.Equal(t, 503, enter(of("user_unknown")), "of whom Clerk says nothing")
	require.Equal(t, 200, enter(of("user_ada")))
	instance.SetDown(false)

	delete(env, "AUTH_ALLOWED_EMAILS")
	c, err = auth.ConfigFromEnv(func(name string) string { return env[name] }, parts)
	require.NoError(t, err)
	before := instance.Hits("/v1/users/user_eve")
	require.Equal(t, 200, entering(t, c)(of("user_eve")))
	require.Equal(t, before, instance.Hits("/v1/users/user_eve"), "nobody asks who it is")
}

// TestRequireProfiles: an outage is no refusal, and no way in; what Clerk has said
// counts until it says something else.
func TestRequireProfiles(t *testing.T) { // PV-02, SE-06
	at := &clock{now: time.Now()}
	instance := clerktest.New(clerktest.Config{Production: true, Now: at.Now, People: people})
	b, err := clerk.New(clerk.Config{PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey), JWTKey: instance.PEM(),
		APIURL: serve(t, instance), Now: at.Now, RequireProfiles: true, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	emails, err := auth.AllowEmails("example.com")
	require.NoError(t, err)
	enter := entering(t, auth.Config{Secrets: []auth.Secret{auth.NewSecret(sealing)}, URL: origin.String(), Backend: b, Policy: emails, Now: at.Now})
	of := func(id string) string { return instance.Token(set("sub", id)) }
	both := func(ada, eve, gone int, why string) {
		t.Helper()
		require.Equal(t, []int{ada, eve, gone}, []int{enter(of("user_ada")), enter(of("user_eve")), enter(of("user_gone"))}, why)
	}
	instance.SetDown(true)
	both(503, 503, 503, "nobody is known")
	both(503, 503, 503, "and Clerk is not asked by each request")
	require.Equal(t, 1, instance.Hits("/v1/users/user_ada"))
	_, err = b.Authenticate(bearer(of("user_ada")), origin)
	require.ErrorContains(t, err, "RequireProfiles")
	at.advance(31 * time.Second)
	instance.SetDown(false)
	both(200, 403, 403, "Clerk says who they are")
	at.advance(6 * time.Minute)
	instance.SetDown(true)
	for range 3 {
		both(200, 403, 403, "what Clerk has said counts")
		at.advance(31 * time.Second)
	}
	d, err := b.Authenticate(page("/"), origin)
	require.NoError(t, err)
	require.Nil(t, d.Session, "nobody needs no profile")
}

// TestOrganizationsAreGroups: a policy names the organization, or a role in it.
func TestOrganizationsAreGroups(t *testing.T) { // PV-02
	instance, b, at := setup(t, true, func(c *clerk.Config) { c.AcceptTokens = everyToken })
	none := func(map[string]any) {}
	for name, test := range map[string]struct {
		change func(claims map[string]any)
		want   []string
	}{
		"none":           {none, nil},
		"with a role":    {func(c map[string]any) { c["o"] = map[string]any{"id": "org_1", "slg": "acme", "rol": "admin"} }, []string{"acme", "acme:admin"}},
		"no role":        {func(c map[string]any) { c["o"] = map[string]any{"id": "org_1", "slg": "acme"} }, []string{"acme"}},
		"no slug":        {func(c map[string]any) { c["o"] = map[string]any{"id": "org_1", "rol": "member"} }, []string{"org_1", "org_1:member"}},
		"no id":          {func(c map[string]any) { c["o"] = map[string]any{"slg": "acme", "rol": "admin"} }, nil},
		"another's role": {func(c map[string]any) { c["o"] = map[string]any{"id": "org_2", "slg": "acme:admin"} }, []string{"org_2"}},
		"another's id":   {func(c map[string]any) { c["o"] = map[string]any{"id": "org_2", "slg": "org_1"} }, []string{"org_2"}},
		"version 1": {func(c map[string]any) {
			delete(c, "v")
			c["org_id"], c["org_slug"], c["org_role"] = "org_1", "acme", "org:admin"
		}, []string{"acme", "acme:admin"}},
	} {
		d, err := b.Authenticate(bearer(instance.Token(func(_, claims map[string]any) { test.change(claims) })), origin)
		require.NoError(t, err)
		require.Equal(t, test.want, d.Session.Groups, name)
	}
	d, err := b.Authenticate(bearer(instance.Opaque("ak_", "org_1", nil)), origin)
	require.NoError(t, err)
	require.Empty(t, d.Session.Groups, "a program is in no group")

	in := func(slug, role string) string {
		return instance.Token(set("o", map[string]any{"id": "org_1", "slg": slug, "rol": role}))
	}
	for allowed, want := range map[string][]int{"acme": {200, 200, 403, 403}, "acme:admin": {200, 403, 403, 403}} {
		groups, err := auth.AllowGroups(allowed)
		require.NoError(t, err)
		enter := entering(t, auth.Config{Secrets: []auth.Secret{auth.NewSecret(sealing)}, URL: origin.String(), Backend: b, Policy: groups, Now: at.Now})
		require.Equal(t, want, []int{enter(in("acme", "admin")), enter(in("acme", "member")), enter(in("other", "admin")), enter(instance.Token(nil))}, allowed)
	}
	byID := func(_ context.Context, _ string, id *auth.Identity) error {
		if id.Claims["org_id"] != "org_1" {
			return auth.ErrNotAllowed
		}
		return nil
	}
	enter := entering(t, auth.Config{Secrets: []auth.Secret{auth.NewSecret(sealing)}, URL: origin.String(), Backend: b, Policy: byID, Now: at.Now})
	require.Equal(t, []int{200, 403}, []int{enter(in("renamed", "admin")), enter(instance.Token(nil))}, "by what nobody can rename")
}
