package azuread

import (
	"net/url"
	"regexp"
	"strings"
)

// Where tenants of Entra External ID sign in, and those of Azure AD B2C: each tenant at a
// name of its own.
var externalHost, b2cHost = regexp.MustCompile(`(?i)^[a-z0-9-]+\.ciamlogin\.com$`), regexp.MustCompile(`(?i)^[a-z0-9-]+\.b2clogin\.com$`)

// isExternal reports whether base is where a tenant of Entra External ID signs people in,
// https://<name>.ciamlogin.com.
func isExternal(base string) bool { return isAt(base, externalHost) }

func isAt(base string, host *regexp.Regexp) bool {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	return err == nil && u.Scheme == "https" && u.Path == "" && host.MatchString(u.Host)
}

// externalIssuer is what a tenant of Entra External ID calls itself. Its name at
// ciamlogin.com is where its metadata is, and is no part of that: the GUID stands there
// twice.
func externalIssuer(tenant string) string {
	return "https://" + tenant + ".ciamlogin.com/" + tenant + "/v2.0"
}
