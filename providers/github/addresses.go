package github

import (
	"net/url"
	"regexp"
	"strings"
)

// residency is the host of an enterprise whose data GitHub keeps in one region, which
// has a name of its own below ghe.com
// (https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/network-details-for-ghecom).
var residency = regexp.MustCompile(`(?i)^[a-z0-9-]+\.ghe\.com$`)

// addresses are where people sign in and where the API is, for a BaseURL. GitHub itself
// has its API at a host beside it, with data residency as without
// (https://docs.github.com/en/enterprise-cloud@latest/rest/using-the-rest-api/getting-started-with-the-rest-api);
// a server has it below its own address
// (https://docs.github.com/en/enterprise-server@latest/rest/users/users).
func addresses(baseURL string) (base, api string) {
	base = strings.TrimRight(baseURL, "/")
	switch u, err := url.Parse(base); {
	case base == "" || base == "https://github.com":
		return "https://github.com", "https://api.github.com"
	case err == nil && u.Scheme == "https" && u.Path == "" && residency.MatchString(u.Host):
		return base, "https://api." + u.Host
	}
	return base, base + "/api/v3"
}
