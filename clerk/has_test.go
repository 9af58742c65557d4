package clerk_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/clerk"
)

func TestHas(t *testing.T) { // GHSA-w24r-5266-9c3c
	instance, b, _ := setup(t, true, nil)
	claims := func(change map[string]any) *clerk.Claims {
		s := mustDecide(t, b, bearer(instance.Token(func(_, claims map[string]any) {
			claims["o"] = map[string]any{"id": "org_1", "slg": "acme", "rol": "admin", "per": "read,manage,delete", "fpm": "5,2,7"}
			claims["fea"], claims["pla"], claims["fva"] = "u:profile,o:dashboard,uo:teams,u:x,o:reports", "o:pro,u:plus", []int{5, 30}
			for name, value := range change {
				if claims[name] = value; value == nil {
					delete(claims, name)
				}
			}
		})))
		require.NotNil(t, s.Claims)
		return s.Claims
	}
	reverify := func(level clerk.Level, minutes int) clerk.Ask {
		return clerk.Ask{Reverification: &clerk.Reverification{Level: level, AfterMinutes: minutes}}
	}
	for name, test := range map[string]struct {
		change map[string]any
		ask    clerk.Ask
		want   bool
	}{
		"nothing asked":                    {nil, clerk.Ask{}, false},
		"role":                             {nil, clerk.Ask{Role: "org:admin"}, true},
		"role without prefix":              {nil, clerk.Ask{Role: "admin"}, true},
		"another role":                     {nil, clerk.Ask{Role: "org:member"}, false},
		"role without organization":        {map[string]any{"o": nil}, clerk.Ask{Role: "admin"}, false},
		"role, and no organization's id":   {map[string]any{"o": map[string]any{"slg": "acme", "rol": "admin"}}, clerk.Ask{Role: "admin"}, false},
		"nor its permissions":              {map[string]any{"o": map[string]any{"slg": "acme", "per": "read", "fpm": "1"}}, clerk.Ask{Permission: "dashboard:read"}, false},
		"version 1, no organization's id":  {map[string]any{"v": nil, "org_slug": "acme", "org_role": "org:admin"}, clerk.Ask{Role: "admin"}, false},
		"version 1, nor its permissions":   {map[string]any{"v": nil, "org_role": "org:admin", "org_permissions": []string{"org:a:b"}}, clerk.Ask{Permission: "org:a:b"}, false},
		"permission of the first feature":  {nil, clerk.Ask{Permission: "org:dashboard:read"}, true},
		"not its middle bit":               {nil, clerk.Ask{Permission: "org:dashboard:manage"}, false},
		"only organization features count": {nil, clerk.Ask{Permission: "org:teams:manage"}, true},
		"not as the Go SDK reads it":       {nil, clerk.Ask{Permission: "org:teams:read"}, false},
		"all bits":                         {nil, clerk.Ask{Permission: "reports:delete"}, true},
		"a map that is no number":          {map[string]any{"o": map[string]any{"id": "o", "per": "read", "fpm": "-1"}}, clerk.Ask{Permission: "dashboard:read"}, false},
		"a map of 80 bits":                 {map[string]any{"o": map[string]any{"id": "o", "per": "read", "fpm": "1208925819614629174706175"}}, clerk.Ask{Permission: "dashboard:read"}, true},
		"a map of 400 digits":              {map[string]any{"o": map[string]any{"id": "o", "per": "read", "fpm": strings.Repeat("0", 399) + "1"}}, clerk.Ask{Permission: "dashboard:read"}, true},
		"a map of 401 digits":              {map[string]any{"o": map[string]any{"id": "o", "per": "read", "fpm": strings.Repeat("0", 400) + "1"}}, clerk.Ask{Permission: "dashboard:read"}, false},
		"a map with a sign":                {map[string]any{"o": map[string]any{"id": "o", "per": "read", "fpm": "+1"}}, clerk.Ask{Permission: "dashboard:read"}, false},
		"malformed features":               {map[string]any{"fea": "dashboard"}, clerk.Ask{Permission: "dashboard:read"}, false},
		"version 1":                        {map[string]any{"v": nil, "org_id": "org_1", "org_role": "org:admin", "org_permissions": []string{"org:a:b"}}, clerk.Ask{Role: "admin", Permission: "org:a:b"}, true},
		"version 1, other permission":      {map[string]any{"v": nil, "org_id": "org_1", "org_role": "org:admin", "org_permissions": []string{"org:a:b"}}, clerk.Ask{Role: "admin", Permission: "org:a:c"}, false},
		"feature":                          {nil, clerk.Ask{Feature: "reports"}, true},
		"feature of the person":            {nil, clerk.Ask{Feature: "user:profile"}, true},
		"not of the organization":          {nil, clerk.Ask{Feature: "org:profile"}, false},
		"a scope that there is not":        {nil, clerk.Ask{Feature: "team:profile"}, false},
		"no name":                          {nil, clerk.Ask{Feature: "org:"}, false},
		"plan":                             {nil, clerk.Ask{Plan: "org:pro"}, true},
		"another plan":                     {nil, clerk.Ask{Plan: "user:pro"}, false},
		"both hold":                        {nil, clerk.Ask{Role: "admin", Feature: "reports"}, true},
		"one of both holds":                {nil, clerk.Ask{Role: "admin", Feature: "none"}, false},
		"fresh":                            {nil, reverify(clerk.FirstFactor, 10), true},
		"as old as allowed is too old":     {nil, reverify(clerk.FirstFactor, 5), false},
		"second is old":                    {nil, reverify(clerk.SecondFactor, 10), false},
		"both fresh":                       {nil, reverify(clerk.MultiFactor, 31), true},
		"no second factor":                 {map[string]any{"fva": []int{5, -1}}, reverify(clerk.SecondFactor, 10), true},
		"no factor":                        {map[string]any{"fva": []int{-1, -1}}, reverify(clerk.FirstFactor, 10), false},
		"second only":                      {map[string]any{"fva": []int{-1, 1}}, reverify(clerk.MultiFactor, 10), false},
		"no ages":                          {map[string]any{"fva": nil}, reverify(clerk.FirstFactor, 10), false},
		"an age is null":                   {map[string]any{"fva": []any{nil, 1}}, reverify(clerk.FirstFactor, 10), false},
		"three ages":                       {map[string]any{"fva": []int{1, 1, 1}}, reverify(clerk.FirstFactor, 10), false},
		"no limit":                         {nil, reverify(clerk.FirstFactor, 0), false},
		"no such level":                    {nil, reverify("third", 10), false},
		"pending":                          {map[string]any{"sts": "pending"}, clerk.Ask{Role: "admin"}, false},
	} {
		require.Equal(t, test.want, claims(test.change).Has(test.ask), name)
	}
	require.False(t, (&clerk.Claims{UserID: "user_1", OrganizationRole: "org:admin"}).Has(clerk.Ask{Role: "admin"}), "of claims that are put together by hand")
	for name, change := range map[string]map[string]any{
		"version 2":          {"o": map[string]any{"slg": "acme", "rol": "admin"}},
		"an id that is none": {"o": map[string]any{"id": 1, "slg": "acme", "rol": "admin"}},
		"version 1":          {"v": nil, "org_slug": "acme", "org_role": "org:admin"},
	} {
		c := claims(change)
		require.Empty(t, c.OrganizationID+c.OrganizationSlug+c.OrganizationRole, "%s: nothing is left of an organization without an id", name)
	}
	var nobody *clerk.Claims
	require.False(t, nobody.Has(clerk.Ask{Role: "admin"}))
	require.JSONEq(t, `{"clerk_error":{"type":"forbidden","reason":"reverification-error","metadata":{"reverification":{"level":"second_factor","afterMinutes":10}}}}`, string(clerk.ReverificationError(clerk.Strict)))
}
