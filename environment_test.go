package auth_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/providers"
)

// askedFor are the names that [auth.ConfigFromEnv] looks at where env, such as
// "ACCESS_CODE=x AUTH_URL=/y", is all that is set.
func askedFor(env string) []string {
	set, asked, mu := map[string]string{}, map[string]bool{}, sync.Mutex{}
	for word := range strings.FieldsSeq(env) {
		name, value, _ := strings.Cut(word, "=")
		set[name] = value
	}
	_, _ = auth.ConfigFromEnv(func(name string) string {
		mu.Lock()
		defer mu.Unlock()
		asked[name] = true
		return set[name]
	}, auth.Parts{Providers: providers.All(), Backend: clerk.FromEnv, AccessCode: accesscode.FromEnv})
	return slices.Sorted(maps.Keys(asked))
}

// TestGuideHasAllVariables: whatever signs people in, docs/environment.md has each
// variable that is read, or, of a provider's, the guide of that provider has; and none
// that nothing reads.
func TestGuideHasAllVariables(t *testing.T) {
	page := func(name string) string {
		text, err := os.ReadFile("docs/" + name + ".md")
		require.NoError(t, err)
		return string(text)
	}
	all := page("environment")
	ids := slices.Sorted(maps.Keys(providers.All()))
	slices.SortStableFunc(ids, func(a, b string) int { return len(b) - len(a) })
	guideOf := map[string]string{"microsoft": "azure-ad", "microsoft-entra-id": "azure-ad"}
	documented := func(name string) bool {
		if strings.Contains(all, "`"+name+"`") || strings.Contains(all, "`"+strings.TrimPrefix(name, "NEXT_PUBLIC_")+"` *") {
			return true
		}
		for _, id := range ids {
			variable := strings.ToUpper(strings.ReplaceAll(id, "-", "_"))
			rest, ok := strings.CutPrefix(strings.TrimPrefix(name, "AUTH_"), variable+"_")
			if !ok {
				continue
			}
			guide := id
			if other, ok := guideOf[id]; ok {
				guide = other
			}
			return strings.Contains(all, "`AUTH_AUTH0_"+rest+"`") || strings.Contains(page("providers/"+guide), name)
		}
		return false
	}
	known := map[string]bool{}
	for _, env := range []string{
		"ACCESS_CODE=0123456789abcdef",
		"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY=pk_test_Y2xlcmsuZXhhbXBsZS5jb20k CLERK_SECRET_KEY=sk_test_x",
		"NEXT_AUTH_SECRET=" + testSecret + " NEXT_AUTH_SSO_PROVIDERS=" + strings.Join(ids, ","),
	} {
		asked := askedFor(env)
		require.Greater(t, len(asked), 20)
		for _, name := range asked {
			known[name] = true
			if strings.HasSuffix(name, "_ORGANIZATIONS") || strings.HasSuffix(name, "_ALLOWED_TENANTS") {
				continue // asked of every provider, lest one be set that means nothing
			}
			require.True(t, documented(name), name)
		}
	}
	for _, m := range regexp.MustCompile("`([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])`").FindAllStringSubmatch(all, -1) {
		require.True(t, known[m[1]] || strings.HasPrefix(m[1], "AUTH_CORP_"), "nothing reads %s", m[1])
	}
}

// TestVariablesFromOAuth2Proxy: the settings to which docs/from-oauth2-proxy.md maps others
// are there.
func TestVariablesFromOAuth2Proxy(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("docs/" + name + ".md")
		require.NoError(t, err)
		return string(text)
	}
	known := read("environment") + read("gateway") + read("providers/azure-ad") + "`AUTH_AUTH0_ID` `AUTH_AUTH0_SECRET` `AUTH_AUTH0_ISSUER`"
	named := regexp.MustCompile("`((?:AUTH|AZURE|GATEWAY|NEXT|NEXTAUTH|SESSION|TRUSTED|UPSTREAM)_[A-Z0-9_<>]+)[`=]").FindAllStringSubmatch(read("from-oauth2-proxy"), -1)
	require.Greater(t, len(named), 30)
	for _, m := range named {
		require.Contains(t, known, "`"+strings.ReplaceAll(m[1], "<ID>", "AUTH0")+"`")
	}
}
