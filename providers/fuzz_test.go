package providers_test

import (
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/envvar"
	"github.com/sallyport/auth/providers"
)

var secretName = regexp.MustCompile(`^(ACCESS_CODE|[A-Z0-9_]+_SECRET|CLERK_[A-Z_]*KEY)$`)

// FuzzEnvironment: a whole environment is configured, or every problem of it names a
// variable and shows no value. What is configured has a way in, and New takes it.
func FuzzEnvironment(f *testing.F) {
	const secret = "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE="
	f.Add("NEXT_AUTH_SECRET=" + secret + "\nACCESS_CODE=0123456789abcdef\nNEXT_AUTH_SSO_PROVIDERS=github，auth0\nGITHUB_CLIENT_ID=a\nGITHUB_CLIENT_SECRET=s3cret-value\nAUTH0_ISSUER=https://x.example")
	f.Add("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY=pk_test_Y2xlcmsuZXhhbXBsZS5jb20k\nCLERK_SECRET_KEY=sk_test_s3cret-value\nAUTH_ALLOWED_EMAILS=example.com")
	f.Add("ACCESS_CODE=s3cret-value\nNEXTAUTH_URL=https://x.example/api/auth\nAUTH_TRUST_HOST=0\nAUTH_USER_ID=subject")
	f.Add("NEXT_AUTH_SECRET=\"" + secret + "\"\nAZURE_AD_TENANT_ID=common\nNEXT_AUTH_SSO_PROVIDERS=azure-ad,zitadel,authentik,generic-oidc,microsoft-entra-id")
	f.Fuzz(func(t *testing.T, text string) {
		env := map[string]string{}
		for line := range strings.SplitSeq(text, "\n") {
			name, value, _ := strings.Cut(line, "=")
			env[name] = value
		}
		c, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, auth.Parts{
			Providers: providers.All(), Backend: clerk.FromEnv, AccessCode: accesscode.FromEnv, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			var problem *envvar.Error
			if !errors.As(err, &problem) && !strings.Contains(err.Error(), "auth: ") && !strings.Contains(err.Error(), "clerk: ") && !strings.Contains(err.Error(), "accesscode: ") {
				t.Fatalf("%v names no variable", err)
			}
			for name, value := range env {
				if secretName.MatchString(name) && len(value) > 8 && strings.Contains(err.Error(), value) && strings.Count(text, value) == 1 {
					t.Fatalf("%v shows the value of %s", err, name)
				}
			}
			return
		}
		if len(c.Providers) == 0 && c.AccessCode == nil && c.Backend == nil {
			t.Fatal("no way in, and no error")
		}
		if _, err := auth.New(c); err != nil {
			t.Fatalf("New refuses what the environment configured: %v", err)
		}
	})
}
