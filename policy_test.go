package auth_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

func TestAllowEmails(t *testing.T) { // PV-02, EN-03
	policy, err := auth.AllowEmails("Ada@Example.org", "corp.com", "@other.net")
	require.NoError(t, err)
	cases := []struct {
		email    string
		verified bool
		allowed  bool
	}{
		{"ada@example.org", true, true},
		{"ADA@EXAMPLE.ORG", true, true},
		{"bob@example.org", true, false},
		{"bob@corp.com", true, true},
		{"bob@CORP.com", true, true},
		{"bob@other.net", true, true},
		{"bob@corp.com", false, false},
		{"", true, false},
		{"a@evil.com@corp.com", true, false},
		{"a@corp.com,x@evil.com", true, false},
		{`"a@evil"@corp.com`, true, false},
		{"a＠evil@corp.com", true, false},
		{"a@corp.com.evil", true, false},
		{"a@corp.com\n", true, false},
		{"a@sub.corp.com", true, false},
		{" a@corp.com", true, false},
		{"a@xn--corp.com", true, false},
		{"a@corp.\u212aom", true, false},
		{"@corp.com", true, false},
	}
	for _, c := range cases {
		err := policy(context.Background(), "x", &auth.Identity{Email: c.email, EmailVerified: c.verified})
		if c.allowed {
			require.NoError(t, err, c.email)
		} else {
			require.ErrorIs(t, err, auth.ErrNotAllowed, c.email)
		}
	}
}

func TestEmptyListsAreErrors(t *testing.T) { // PV-03
	_, err := auth.AllowEmails()
	require.Error(t, err)
	_, err = auth.AllowGroups()
	require.Error(t, err)
	for _, bad := range []string{"", "@", "corp", "a@b@c.com", "a b@c.com", "*.corp.com"} {
		_, err := auth.AllowEmails(bad)
		require.Error(t, err, bad)
	}
}

func TestAllowGroups(t *testing.T) {
	policy, err := auth.AllowGroups("admins", "staff")
	require.NoError(t, err)
	require.NoError(t, policy(context.Background(), "x", &auth.Identity{Groups: []string{"x", "staff"}}))
	require.ErrorIs(t, policy(context.Background(), "x", &auth.Identity{Groups: []string{"Staff"}}), auth.ErrNotAllowed)
	require.ErrorIs(t, policy(context.Background(), "x", &auth.Identity{}), auth.ErrNotAllowed)
}
