package auth_test

import (
	"fmt"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers"
)

// Whatever is wrong with the environment is said at once, and none of it shows a value.
func ExampleConfigFromEnv() {
	env := map[string]string{
		"NEXT_AUTH_SECRET":        "swordfish",
		"NEXT_AUTH_SSO_PROVIDERS": "github",
		"GITHUB_CLIENT_ID":        "Iv1.8a61f9b3a7aba766",
		"AUTH_SESSION_MAX_AGE":    "a week",
	}
	_, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, auth.Parts{Providers: providers.All()})
	fmt.Println(err)
	// Output:
	// auth: NEXT_AUTH_SECRET is too weak: it seals the session tokens; make one of 32 bytes or more with `openssl rand -base64 32`
	// auth: AUTH_SESSION_MAX_AGE is no length of time: write it like 30m, 12h or 7d
	// auth: GITHUB_CLIENT_SECRET is not set: GitHub makes it on the app's page under Client secrets
}
