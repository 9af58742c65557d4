package auth_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// TestPatternsOfAddresses: one that would let nobody in is an error, or means what it
// says.
func TestPatternsOfAddresses(t *testing.T) { // PV-02
	policy, err := auth.AllowEmails("*@Corp.example")
	require.NoError(t, err)
	for email, allowed := range map[string]bool{"ada@corp.example": true, "*@corp.example": true, "ada@sub.corp.example": false, "ada@xcorp.example": false} {
		err := policy(context.Background(), "x", &auth.Identity{Email: email, EmailVerified: true})
		require.Equal(t, allowed, err == nil, email)
	}
	for _, bad := range []string{"*", "*@", "@*", "*@*", "**@corp.example", "*@*.corp.example", "*.corp.example", "*corp.example", "a*@corp.example", "*@ada@corp.example", "corp.*"} {
		_, err := auth.AllowEmails(bad)
		require.Error(t, err, bad)
	}
}

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
		{"az09@corp.com", true, true},
		{"AZ@corp.com", true, true},
		{strings.Repeat("a", 64) + "@corp.com", true, true},
		{strings.Repeat("a", 65) + "@corp.com", true, false},
		{"a.b+c_d-e!#$%&'*/=?^{|}~`@corp.com", true, true},
		{"a b@corp.com", true, false},
		{"a\\b@corp.com", true, false},
		{"(a)@corp.com", true, false},
		{"ada@example.org.", true, false},
		{"ada", true, false},
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

func TestDomainsOfAnAllowList(t *testing.T) { // PV-02, PV-03
	label := strings.Repeat("a", 63)
	long := strings.Repeat("a.", 126) + "a" // 253 bytes
	for domain, plain := range map[string]bool{
		"corp.com": true, "a-b.co": true, "1.2": true, "az09.za90": true, "AZ.ZA": true, "xn--bcher-kva.example": true, label + ".com": true, long: true, "@corp.com": true, "CORP.com": true,
		"a" + label + ".com": false, "a" + long: false, "a." + long: false, "": false, "com": false, ".com": false, "corp.": false, "corp..com": false,
		"-corp.com": false, "corp-.com": false, "corp.com-": false, "b\u00fccher.example": false, "corp_x.com": false, "corp.c/m": false, "corp.c:m": false,
		"corp.com\n": false, "corp.com ": false, "corp.\u212aom": false, "[::1]": false, "@@corp.com": false, "a@@corp.com": false, "a@b@corp.com": false,
	} {
		policy, err := auth.AllowEmails(domain)
		require.Equal(t, plain, err == nil, "%q: %v", domain, err)
		if err != nil {
			require.Nil(t, policy)
			require.ErrorContains(t, err, strconv.Quote(domain))
			continue
		}
		id := &auth.Identity{Email: "ada@" + strings.TrimPrefix(domain, "@"), EmailVerified: true}
		require.NoError(t, policy(context.Background(), "x", id), domain)
		id.EmailVerified = false
		require.ErrorIs(t, policy(context.Background(), "x", id), auth.ErrNotAllowed)
	}
	_, err := auth.AllowEmails("corp.com", "bad one", "other bad")
	require.ErrorContains(t, err, `"bad one"`)
	require.ErrorContains(t, err, `"other bad"`)
}

func TestPoliciesSayWhy(t *testing.T) { // LG-04
	emails, err := auth.AllowEmails("corp.com")
	require.NoError(t, err)
	groups, err := auth.AllowGroups("staff")
	require.NoError(t, err)
	for want, refusal := range map[string]error{
		"gave no e-mail address": emails(context.Background(), "x", &auth.Identity{EmailVerified: true}),
		"has not verified the e-mail address; where the OpenID Connect issuer is your own, AUTH_MY_IDP_TRUST_EMAIL=1 (oidc.Config.TrustEmail) says": emails(context.Background(), "my-idp", &auth.Identity{Email: "a@corp.com"}),
		"is not a plain one":        emails(context.Background(), "x", &auth.Identity{Email: "a@b@corp.com", EmailVerified: true}),
		"is not on the allow-list":  emails(context.Background(), "x", &auth.Identity{Email: "a@corp.org", EmailVerified: true}),
		"not in any of the allowed": groups(context.Background(), "x", &auth.Identity{Groups: []string{"x"}}),
		"with an access code":       auth.Identified(&session.Session{Provider: auth.AccessCode}),
		"a program's token":         auth.Identified(&session.Session{Provider: "backend", Subject: "user_1", Machine: true}),
	} {
		require.ErrorIs(t, refusal, auth.ErrNotAllowed)
		require.ErrorContains(t, refusal, want)
	}
	require.NoError(t, auth.Identified(&session.Session{Provider: "github"}))
}

func TestAllowGroups(t *testing.T) {
	policy, err := auth.AllowGroups("admins", "staff")
	require.NoError(t, err)
	require.NoError(t, policy(context.Background(), "x", &auth.Identity{Groups: []string{"x", "staff"}}))
	require.ErrorIs(t, policy(context.Background(), "x", &auth.Identity{Groups: []string{"Staff"}}), auth.ErrNotAllowed)
	require.ErrorIs(t, policy(context.Background(), "x", &auth.Identity{}), auth.ErrNotAllowed)
}
