package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/envvar"
)

var update = flag.Bool("update", false, "write testdata anew")

// healthy is where most of the cases begin: an environment without a problem.
const healthy = "UPSTREAM_URL=http://127.0.0.1:8080 NEXT_AUTH_SECRET=" + secret + " ACCESS_CODE=0123456789abcdef NEXT_AUTH_SSO_PROVIDERS=github GITHUB_CLIENT_ID=c GITHUB_CLIENT_SECRET=hunter2 "

// problems are environments that do not start. Variables are separated by a space.
var problems = []struct{ name, env string }{
	{"nothing at all", ""},
	{"nothing that signs anybody in", "UPSTREAM_URL=http://127.0.0.1:8080"},
	{"a secret alone", "UPSTREAM_URL=http://127.0.0.1:8080 NEXT_AUTH_SECRET=" + secret},
	{"providers alone", "UPSTREAM_URL=http://127.0.0.1:8080 NEXT_AUTH_SSO_PROVIDERS=github,zitadel"},
	{"a weak secret", healthy + "NEXT_AUTH_SECRET=hunter2"},
	{"a secret in quotes", healthy + `NEXT_AUTH_SECRET="` + secret + `"`},
	{"a code in quotes", healthy + `ACCESS_CODE="hunter2hunter2"`},
	{"short codes, and LobeChat's", healthy + "ACCESS_CODE=hunt2,lobe66"},
	{"no code in the list", healthy + "ACCESS_CODE=,"},
	{"an unknown provider", healthy + "NEXT_AUTH_SSO_PROVIDERS=github,facebook"},
	{"a provider twice", healthy + "NEXT_AUTH_SSO_PROVIDERS=github,github"},
	{"no provider in the list", healthy + "NEXT_AUTH_SSO_PROVIDERS=,"},
	{"no address of the routes", healthy + "NEXTAUTH_URL=app.example.com"},
	{"an address of the routes that browsers read otherwise", healthy + "NEXTAUTH_URL=https://192.168.1/api/auth"},
	{"no address of the application", healthy + "UPSTREAM_URL=127.0.0.1:8080"},
	{"no networks", healthy + "TRUSTED_PROXIES=everybody"},
	{"a store that is not there", healthy + "NEXT_AUTH_SSO_SESSION_STRATEGY=database"},
	{"SSO and the code both off", "UPSTREAM_URL=http://127.0.0.1:8080 NEXT_PUBLIC_ENABLE_NEXT_AUTH=0 NEXT_AUTH_SECRET=" + secret},
	{"a user id that is none", healthy + "AUTH_USER_ID=email"},
	{"addresses that let nobody in", healthy + "AUTH_ALLOWED_EMAILS=*.example.com"},
	{"no group", healthy + "AUTH_ALLOWED_GROUPS=,"},
	{"groups of a provider without", healthy + "AUTH_ALLOWED_GROUPS=staff"},
	{"addresses of providers without", healthy + "NEXT_AUTH_SSO_PROVIDERS=wechat,feishu AUTH_WECHAT_ID=c AUTH_WECHAT_SECRET=hunter2 AUTH_FEISHU_APP_ID=c AUTH_FEISHU_APP_SECRET=hunter2 AUTH_ALLOWED_EMAILS=example.com"},
	{"WeChat's and Feishu's registrations missing", healthy + "NEXT_AUTH_SSO_PROVIDERS=wechat,feishu,discord,linkedin,slack"},
	{"a prompt that nobody shows", healthy + "NEXT_AUTH_SSO_PROVIDERS=wechat AUTH_WECHAT_ID=c AUTH_WECHAT_SECRET=hunter2 AUTH_WECHAT_PROMPT=login"},
	{"an allow-list by a wrong name", healthy + "AUTH_ALLOWED_EMAIL=example.com"},
	{"an allow-list beside the code alone", "UPSTREAM_URL=http://127.0.0.1:8080 ACCESS_CODE=0123456789abcdef AUTH_ALLOWED_EMAILS=example.com AUTH_GITHUB_ORGANIZATIONS=acme"},
	{"organizations of a provider not in use", healthy + "NEXT_AUTH_SSO_PROVIDERS=zitadel ZITADEL_ISSUER=https://z.example.com ZITADEL_CLIENT_ID=c ZITADEL_CLIENT_SECRET=hunter2 AUTH_GITHUB_ORGANIZATIONS=acme"},
	{"organizations that are none", healthy + "AUTH_GITHUB_ORGANIZATIONS=https://github.com/acme"},
	{"tenants of GitHub", healthy + "AUTH_GITHUB_ALLOWED_TENANTS=x"},
	{"a session that is renewed too late", healthy + "AUTH_SESSION_MAX_AGE=1h AUTH_SESSION_UPDATE_AGE=2h"},
	{"a session without a unit", healthy + "AUTH_SESSION_LIFETIME=30"},
	{"a session longer than its life", healthy + "AUTH_SESSION_MAX_AGE=120d"},
	{"http beyond this machine", healthy + "NEXT_AUTH_SSO_PROVIDERS=generic-oidc GENERIC_OIDC_ISSUER=http://192.168.1.10:8000 GENERIC_OIDC_CLIENT_ID=c GENERIC_OIDC_CLIENT_SECRET=hunter2"},
	{"an issuer without a scheme", healthy + "NEXT_AUTH_SSO_PROVIDERS=auth0 AUTH0_ISSUER=example.eu.auth0.com AUTH0_CLIENT_ID=c AUTH0_CLIENT_SECRET=hunter2"},
	{"Entra's tenant by its name", healthy + "NEXT_AUTH_SSO_PROVIDERS=azure-ad AZURE_AD_TENANT_ID=contoso AZURE_AD_CLIENT_ID=c AZURE_AD_CLIENT_SECRET=hunter2"},
	{"Entra's other name, and no issuer of it", healthy + "NEXT_AUTH_SSO_PROVIDERS=microsoft-entra-id AUTH_MICROSOFT_ENTRA_ID_ISSUER=https://login.example.com AUTH_MICROSOFT_ENTRA_ID_ID=c AUTH_MICROSOFT_ENTRA_ID_SECRET=hunter2"},
	{"every setting wrong", healthy + "NEXT_AUTH_SSO_PROVIDERS=authentik AUTHENTIK_ISSUER=https://a.example.com/application/o/x/?a=hunter2 AUTHENTIK_CLIENT_ID=c AUTH_AUTHENTIK_SCOPES=\" AUTH_AUTHENTIK_PROMPT=none AUTH_AUTHENTIK_CLIENT_AUTH=magic AUTH_AUTHENTIK_PRIVATE_KEY=hunter2 AUTH_AUTHENTIK_ALGORITHMS=HS256"},
	{"Clerk without its secret", "UPSTREAM_URL=http://127.0.0.1:8080 NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY=pk_test_Y2xlcmsuZXhhbXBsZS5jb20k"},
	{"Clerk with all wrong", "UPSTREAM_URL=http://127.0.0.1:8080 NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY=x CLERK_SECRET_KEY=hunter2 CLERK_JWT_KEY=hunter2 CLERK_AUTHORIZED_PARTIES=hunter2 CLERK_CLOCK_SKEW=1h AUTH_GITHUB_ORGANIZATIONS=acme"},
	{"paths that are none", healthy + "GATEWAY_OPEN_PATHS=manifest.json"},
	{"a switch that is none", healthy + "GATEWAY_KEEP_SESSION=maybe"},
	{"rules that are not there", healthy + "GATEWAY_RULES=testdata/hunter2"},
	{"rules with mistakes", healthy + "GATEWAY_RULES=testdata/wrong.rules"},
	{"rules beside open paths", healthy + "GATEWAY_RULES=testdata/right.rules GATEWAY_OPEN_PATHS=/icons/"},
	{"a switch for preflights that is none", healthy + "GATEWAY_PASS_PREFLIGHT=maybe"},
	{"no way to tell who it is", healthy + "GATEWAY_IDENTITY=hunter2"},
	{"tokens for no site", healthy + "GATEWAY_IDENTITY=jwt"},
	{"a key that is none", healthy + "GATEWAY_IDENTITY=jwt NEXTAUTH_URL=https://app.example.com GATEWAY_JWT_KEY=hunter2"},
	{"a key for nothing", healthy + "GATEWAY_JWT_KEY=hunter2"},
	{"a port of its own that is none", healthy + "GATEWAY_ADMIN_ADDR=9090"},
	{"a store of another kind", healthy + "SESSION_STORE_URL=mysql://app:hunter2@db.internal/app"},
	{"a Redis that is none", healthy + "SESSION_STORE_URL=redis://app:hunter2@redis.internal:6379/zero"},
	{"a Redis that reads from replicas", healthy + "SESSION_STORE_URL=redis://app:hunter2@redis.internal?addr=b:6379&read_only=1"},
	{"a Redis Cluster with a database", healthy + "SESSION_STORE_URL=redis://app:hunter2@redis.internal:6379/1?addr=b:6379"},
	{"a PostgreSQL that is none", healthy + "SESSION_STORE_URL=postgres://app:hunter2@db.internal:port/app"},
	{"a password that ends early", healthy + "SESSION_STORE_URL=postgres://app:1/hunter2@db.internal/app"},
	{"an SQLite that is none", healthy + "SESSION_STORE_URL=sqlite:///hunter2.db"},
	{"a store that is not to be used", healthy + "SESSION_STORE_URL=memory: NEXT_AUTH_SSO_SESSION_STRATEGY=jwt"},
	{"a store beside Clerk", "UPSTREAM_URL=http://127.0.0.1:8080 NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY=pk_test_Y2xlcmsuZXhhbXBsZS5jb20k CLERK_SECRET_KEY=sk_test_hunter2hunter2 SESSION_STORE_URL=memory:"},
}

// TestProblemsSideBySide holds what an operator is told, so that somebody reads all of
// it as a whole: go test -C examples/gateway -run TestProblemsSideBySide . -update writes
// testdata/problems.txt.
func TestProblemsSideBySide(t *testing.T) { // LG-06, LG-08
	var b strings.Builder
	for _, test := range problems {
		env := map[string]string{}
		for word := range strings.FieldsSeq(test.env) {
			name, value, _ := strings.Cut(word, "=")
			env[name] = value
		}
		for name, value := range env {
			t.Setenv(name, value) // for who asks which names there are
		}
		err := run(context.Background(), func(name string) string { return env[name] }, io.Discard)
		require.Error(t, err, test.name)
		for _, hidden := range []string{"hunt", "contoso", secret, "Config.", "oidc.", "panic"} {
			require.NotContains(t, err.Error(), hidden, test.name)
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			require.Regexp(t, `^auth: [A-Z0-9_]{4,} .+: .+`, line, "a variable, a problem and a cure")
			require.Less(t, len(line), 400)
		}
		var one *envvar.Error
		require.True(t, errors.As(err, &one), test.name)
		b.WriteString("# " + test.name + "\n" + err.Error() + "\n\n")
	}
	const file = "testdata/problems.txt"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), b.String())
}
