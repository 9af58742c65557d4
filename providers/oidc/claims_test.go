package oidc_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// says is a provider whose ID token has these claims beside its own; nil takes one out.
func says(t *testing.T, claims map[string]any, change func(*oidc.Config)) *relying {
	r := newRelying(t, change)
	r.idp.SetFaults(providertest.Faults{IDToken: func(m map[string]any) {
		for name, value := range claims {
			if m[name] = value; value == nil {
				delete(m, name)
			}
		}
	}})
	return r
}

type object = map[string]any

func TestGroupsAsTheyCome(t *testing.T) { // ID-35
	staff := []string{"staff"}
	for name, test := range map[string]struct {
		claims object
		path   string
		want   []string
	}{
		"a list":                          {object{"groups": staff}, "", staff},
		"one as text":                     {object{"groups": "staff"}, "", staff},
		"no text":                         {object{"groups": ""}, "", nil},
		"roles":                           {object{"roles": staff}, "", staff},
		"Cognito":                         {object{"cognito:groups": staff}, "", staff},
		"Keycloak":                        {object{"realm_access": object{"roles": staff}}, "", staff},
		"GitLab":                          {object{"groups_direct": staff}, "", staff},
		"groups before roles":             {object{"groups": staff, "roles": "admin"}, "", staff},
		"none of them, before roles":      {object{"groups": []string{}, "roles": "admin"}, "", nil},
		"a null before roles":             {object{"groups": (*int)(nil), "roles": staff}, "", staff},
		"a number":                        {object{"groups": 5}, "", nil},
		"an object":                       {object{"groups": object{"staff": true}}, "", nil},
		"half a list":                     {object{"groups": []any{"staff", 5}}, "", nil},
		"a null in a list":                {object{"groups": []any{"staff", nil}}, "", nil},
		"objects":                         {object{"roles": []any{object{"name": "staff"}}}, "", nil},
		"capitals":                        {object{"Groups": staff}, "", nil},
		"realm_access, text":              {object{"realm_access": "roles"}, "", nil},
		"realm_access, list":              {object{"realm_access": []any{object{"roles": staff}}}, "", nil},
		"of another client":               {object{"resource_access": object{"other": object{"roles": staff}}}, "", nil},
		"by name":                         {object{"memberOf": staff, "groups": "admin"}, "memberOf", staff},
		"by name, missing":                {object{"groups": "admin"}, "memberOf", nil},
		"by name, wrong":                  {object{"memberOf": 5, "groups": "admin"}, "memberOf", nil},
		"by path":                         {object{"resource_access": object{"app": object{"roles": staff}, "other": object{"roles": "admin"}}}, "resource_access.app.roles", staff},
		"by path, one as text":            {object{"a": object{"b": "staff"}}, "a.b", staff},
		"by path, of another client":      {object{"resource_access": object{"other": object{"roles": staff}}}, "resource_access.app.roles", nil},
		"by path, too long":               {object{"a": object{"b": staff}}, "a.b.c", nil},
		"by path, too short":              {object{"a": object{"b": staff}}, "a", nil},
		"by path, of a client with a dot": {object{"resource_access": object{"my.app": object{"roles": staff}}}, "resource_access.my.app.roles", staff},
		"a name with dots":                {object{"https://corp.example/groups": staff}, "https://corp.example/groups", staff},
		"a name with dots wins":           {object{"a.b": staff, "a": object{"b": "admin"}}, "a.b", staff},
		"a name with dots, wrong":         {object{"a.b": 5, "a": object{"b": "admin"}}, "a.b", nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := says(t, test.claims, func(c *oidc.Config) { c.GroupsClaim = test.path })
			id, err := r.signIn()
			require.NoError(t, err)
			require.Equal(t, test.want, id.Groups)
		})
	}
}

// TestAllGroups: a policy sees those that no session holds.
func TestAllGroups(t *testing.T) {
	var many []string
	for i := range 3000 {
		many = append(many, fmt.Sprint("group-", i))
	}
	r := says(t, object{"groups": many}, nil)
	id, err := r.signIn()
	require.NoError(t, err)
	require.Equal(t, many, id.Groups)
}

// TestGroupsClaimAndMap: where groups are, the operator knows better.
func TestGroupsClaimAndMap(t *testing.T) {
	r := says(t, object{"teams": "staff"}, func(c *oidc.Config) {
		c.GroupsClaim = "teams"
		c.Map = func(context.Context, oidc.Claims) (*auth.Identity, error) {
			return &auth.Identity{Groups: []string{"by Map"}}, nil
		}
	})
	id, err := r.signIn()
	require.NoError(t, err)
	require.Equal(t, []string{"staff"}, id.Groups)
}

func TestTrustEmail(t *testing.T) { // EN-03, UI-06
	for name, test := range map[string]struct {
		claims         object
		without, trust bool // verified without TrustEmail, and with it
	}{
		"verified":   {object{"email_verified": true}, true, true},
		"unverified": {object{"email_verified": false}, false, true},
		"unsaid":     {object{"email_verified": nil}, false, true},
		"text":       {object{"email_verified": "true"}, false, true},
		"no address": {object{"email": nil, "email_verified": nil}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, trust := range []bool{false, true} {
				r := says(t, test.claims, func(c *oidc.Config) { c.TrustEmail = trust })
				id, err := r.signIn()
				require.NoError(t, err)
				require.Equal(t, trust && test.trust || !trust && test.without, id.EmailVerified)
			}
		})
	}
	r := newRelying(t, func(c *oidc.Config) {
		c.IssuerTemplate, c.TrustEmail = "https://login.example/{tenantid}/v2.0", true
	})
	r.idp.SetFaults(providertest.Faults{Metadata: func(m map[string]any) { m["issuer"] = "https://login.example/{tenantid}/v2.0" }})
	_, err := r.signIn()
	require.ErrorIs(t, err, auth.ErrMisconfigured, "everybody's addresses are not the operator's")
	require.ErrorContains(t, err, "TrustEmail")
}
