package clerk_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/clerk"
)

func TestEventValues(t *testing.T) {
	for event, test := range map[string]struct {
		data string
		want any
	}{
		"user.created":                    {`{"id":"user_1","first_name":null,"username":"ada"}`, &clerk.User{ID: "user_1", Username: "ada"}},
		"user.deleted":                    {`{"id":"user_1","deleted":true}`, &clerk.Deleted{ID: "user_1", Deleted: true}},
		"session.revoked":                 {`{"id":"sess_1","user_id":"user_1","status":"revoked"}`, &clerk.SessionEvent{ID: "sess_1", UserID: "user_1", Status: "revoked"}},
		"organization.updated":            {`{"id":"org_1","name":"Acme","slug":"acme"}`, &clerk.Organization{ID: "org_1", Name: "Acme", Slug: "acme"}},
		"organization.deleted":            {`{"id":"org_1","deleted":true}`, &clerk.Deleted{ID: "org_1", Deleted: true}},
		"organizationMembership.deleted":  {`{"id":"m","role":"org:admin","organization":{"id":"org_1"}}`, &clerk.Membership{ID: "m", Role: "org:admin", Organization: clerk.Organization{ID: "org_1"}}},
		"organizationInvitation.accepted": {`{"id":"i","organization_id":"org_1","email_address":"a@example.com","status":"accepted","user_id":"user_1"}`, &clerk.Invitation{ID: "i", OrganizationID: "org_1", EmailAddress: "a@example.com", Status: "accepted", UserID: "user_1"}},
		"organizationDomain.created":      {`{"id":"d","organization_id":"org_1","name":"example.com"}`, &clerk.OrganizationDomain{ID: "d", OrganizationID: "org_1", Name: "example.com"}},
		"organizationDomain.deleted":      {`{"id":"d","deleted":true}`, &clerk.Deleted{ID: "d", Deleted: true}},
		"role.created":                    {`{"id":"r"}`, nil},
	} {
		v, err := clerk.Event{Type: event, Data: json.RawMessage(test.data)}.Value()
		require.NoError(t, err, event)
		require.Equal(t, test.want, v, event)
	}
	for _, data := range []string{"", "[]", `{"id":{"secret":1}}`} {
		_, err := clerk.Event{Type: "user.created", Data: json.RawMessage(data)}.Value()
		require.ErrorContains(t, err, `"user.created"`)
		require.NotContains(t, err.Error(), "secret")
	}
}
