package clerk_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
)

func TestOrganizationOfThePath(t *testing.T) {
	instance, b, _ := setup(t, true, func(c *clerk.Config) {
		c.OrganizationPaths, c.PersonalPaths = []string{"/orgs/{slug}", "/by-id/{id}/"}, []string{"/me"}
	})
	acme := "__client_uat=1; __session=" + instance.Token(set("o", map[string]any{"id": "org_1", "slg": "acme", "rol": "admin"}))
	alone := "__client_uat=1; __session=" + instance.Token(nil)
	pending := "__client_uat=1; __session=" + instance.Token(set("sts", "pending")) // to whom no organization is of use
	for _, test := range []struct{ path, cookies, want, organization string }{
		{"/orgs/acme", acme, "signed-in", ""},
		{"/orgs/acme/settings?x=1", acme, "signed-in", ""},
		{"/by-id/org_1", acme, "signed-in", ""},
		{"/orgs/other/settings", acme, "active-organization-mismatch", "other"},
		{"/by-id/org_2", acme, "active-organization-mismatch", "org_2"},
		{"/orgs/acme", alone, "active-organization-mismatch", "acme"},
		{"/me", acme, "active-organization-mismatch", ""},
		{"/me/x", alone, "signed-in", ""},
		{"/orgs", acme, "signed-in", ""},
		{"/orgs/", acme, "signed-in", ""},
		{"/orgs//x", acme, "signed-in", ""},
		{"/orgs/other", pending, "signed-in", ""},
		{"/organic/other", acme, "signed-in", ""},
		{"/orgs/other", acme + "; __clerk_redirect_count=3", "signed-in", ""},
		{"/orgs/other", "__client_uat=1", "client-uat-but-no-session-token", "other"},
	} {
		s := mustDecide(t, b, page(test.path, "Cookie", test.cookies))
		if test.want == "signed-in" {
			require.Equal(t, clerk.SignedIn, s.Status, test.path)
			continue
		}
		require.Equal(t, clerk.Handshake, s.Status, test.path)
		require.Equal(t, test.want, s.Reason)
		to, err := url.Parse(s.Header.Get("Location"))
		require.NoError(t, err)
		require.True(t, to.Query().Has("organization_id"))
		require.Equal(t, test.organization, to.Query().Get("organization_id"))
	}
	r := page("/orgs/other", "Cookie", acme)
	r.Header.Set("Sec-Fetch-Dest", "empty")
	require.Equal(t, clerk.SignedIn, mustDecide(t, b, r).Status, "a fetch cannot go there")
	for _, bad := range []string{"orgs/{slug}", "/orgs", "/orgs/{name}", "/{id}/{slug}", "/orgs/:slug", "/a//{id}"} {
		_, err := clerk.New(clerk.Config{PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey), OrganizationPaths: []string{bad}})
		require.ErrorContains(t, err, "want one such as", bad)
	}
}
