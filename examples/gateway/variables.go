package main

import (
	"fmt"
	"io"
	"strings"
)

// variable is one that the gateway, or sign-in, reads.
type variable struct {
	name     string
	fallback string // what counts where it is unset
	meaning  string
}

// variables are all. <ID> stands for a provider's id in capitals, with underscores.
var variables = []variable{
	{"UPSTREAM_URL", "required", "the application behind the gateway, such as http://127.0.0.1:8080"},
	{"HOST", "127.0.0.1", "the address to listen at; 0.0.0.0 in a container"},
	{"PORT", "3000", "the port to listen at"},
	{"TRUSTED_PROXIES", "see meaning", "CIDRs, separated by commas, whose X-Forwarded-* headers count, or none; if unset, loopback and private addresses for scheme and host, and loopback alone for the address of a client"},
	{"GATEWAY_RULES", "none", "a file that says who may see which path; if unset, whoever is signed in sees all"},
	{"GATEWAY_OPEN_PATHS", "none", "paths that need no sign-in, to read, separated by commas, as they are spelled and no other way; a slash at the end for all below. Not beside GATEWAY_RULES"},
	{"GATEWAY_IDENTITY", "headers", "how the application is told who it is: headers (X-Forwarded-User and its like), jwt (X-Identity-Token, signed), or both; jwt needs NEXTAUTH_URL"},
	{"GATEWAY_JWT_KEY", "made at start", "the private key in PEM that tokens are signed with: ECDSA P-256 or RSA"},
	{"GATEWAY_KEEP_SESSION", "0", "1 passes the session's cookies and token on, to an application that reads them itself"},
	{"GATEWAY_PASS_PREFLIGHT", "0", "1 lets CORS preflight requests through to the application, which answers them; browsers send them without cookies"},
	{"GATEWAY_ADMIN_ADDR", "none", "a host and port of their own for /metrics and /readyz, as 127.0.0.1:9090; if unset, /readyz is with the rest and there is no /metrics"},
	{"GATEWAY_LOG_UNBUFFERED", "0", "1 writes each line about a request by itself; otherwise they wait up to 10 ms for others, and a crash loses those"},
	{"SESSION_STORE_URL", "cookies", "where sessions are kept, so that a sign-out holds on every node and after a restart, and wrong codes are counted together: redis://user:password@host:6379/0 (rediss:// with TLS, ?master_name=name for Sentinel, ?addr=host2:6379 for a Cluster), postgres://user:password@host/db (its tables are made at start), sqlite:/var/lib/gateway/sessions.db, memory:"},

	{"NEXT_AUTH_SECRET", "see meaning", "seals the session tokens: `openssl rand -base64 32`; required with SSO providers. Also AUTH_SECRET, NEXTAUTH_SECRET"},
	{"ACCESS_CODE", "see meaning", "the password for the service, or several separated by commas; required but with Clerk. A long random one that nobody knows turns this off"},
	{"NEXTAUTH_URL", "by the request", "the public address of the routes, as https://app.example.com/api/auth. Also AUTH_URL"},
	{"NEXT_AUTH_SSO_PROVIDERS", "auth0", "the ids of providers, separated by commas, in order; corp:keycloak is one of several. Also SSO_PROVIDERS, AUTH_SSO_PROVIDERS"},
	{"AUTH_<ID>_*", "by provider", "a provider's settings: _ID, _SECRET, _ISSUER, _NAME, _SCOPES and more. Some have an older spelling, as GITHUB_CLIENT_ID: docs/providers has each"},
	{"AUTH_INSECURE_HTTP", "0", "1 takes http issuers on private networks"},
	{"AUTH_TRUST_HOST", "1", "0 trusts no proxy"},
	{"AUTH_ALLOWED_EMAILS", "everybody", "addresses and domains that may sign in, separated by commas"},
	{"AUTH_ALLOWED_GROUPS", "everybody", "groups, of which somebody must be in one, separated by commas"},
	{"AUTH_USER_ID", "see meaning", "what the application calls people: subject, or provider for provider|subject, which counts where there are several ways in"},
	{"AUTH_SESSION_MAX_AGE", "30d", "how long a session lasts unless it is renewed: 12h, 7d"},
	{"AUTH_SESSION_UPDATE_AGE", "see meaning", "after which time a session is renewed: the smaller of a day and a quarter of AUTH_SESSION_MAX_AGE"},
	{"AUTH_SESSION_LIFETIME", "90d", "how long a session lasts in any case"},
	{"AUTH_SIGN_OUT_AT_PROVIDER", "0", "1 signs people out at the provider too"},
	{"AUTH_BACKCHANNEL_LOGOUT", "0", "1 has providers end sessions here, with a store"},
	{"AUTH_FRONTCHANNEL_LOGOUT", "0", "1 does so through browsers"},
	{"AUTH_BRAND_NAME", "the host", "the name of the site, on the pages"},
	{"AUTH_BRAND_LOGO_URL", "none", "its logo: a path of the application that needs no sign-in, or an https address of the same origin"},
	{"AUTH_BRAND_COLOR", "blue", "the colour of buttons and links: #1f5fbf"},
	{"NEXT_AUTH_SSO_SESSION_STRATEGY", "by the store", "jwt for cookies, database for the store"},
	{"NEXT_PUBLIC_ENABLE_NEXT_AUTH", "1", "0 turns SSO providers off. Also ENABLE_OAUTH_SSO"},
	{"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "none", "Clerk signs people in, and nothing else. Also CLERK_PUBLISHABLE_KEY"},
	{"CLERK_SECRET_KEY", "required for Clerk", "from Clerk's dashboard"},
	{"CLERK_*", "by Clerk", "Clerk's other settings, with NEXT_PUBLIC_ before some: docs/clerk.md has each"},
}

const usage = `gateway puts sign-in in front of a web application. It is configured by the
environment: docs/gateway.md says more. gateway --check looks whether people can sign
in with that, and exits with 1 where they cannot; --help lists all variables:

`

// help writes all variables.
func help(out io.Writer) {
	fmt.Fprint(out, usage)
	for _, v := range variables {
		fmt.Fprintf(out, "%s (%s)\n%s\n", v.name, v.fallback, wrapped(v.meaning, "    ", 84))
	}
}

// wrapped is text in lines of up to width bytes that begin with indent.
func wrapped(text, indent string, width int) string {
	var b strings.Builder
	at := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case at == 0:
			b.WriteString(indent)
			at = len(indent)
		case at+1+len(word) > width:
			b.WriteString("\n" + indent)
			at = len(indent)
		default:
			b.WriteString(" ")
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	return b.String()
}
