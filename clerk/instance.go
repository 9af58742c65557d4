package clerk

import (
	"crypto/sha1" // #nosec G505 -- names cookies, as Clerk does
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
)

// instance is what a publishable key says:
//
//	pk_live_ Y2xlcmsuZXhhbXBsZS5jb20k
//	   │        └── base64 of "clerk.example.com$", the Frontend API's host
//	   └── "live" is production, "test" development
//
// The secret key says nothing of this, and is not compared.
type instance struct {
	production  bool
	frontendAPI string // host
	suffix      string // of the instance's cookies: "_" and eight characters
}

var errPublishableKey = errors.New("clerk: PublishableKey is none: want pk_test_... or pk_live_..., as Clerk's dashboard shows it under API keys")

// parseKey reads a publishable key. The host has no path and no user in it: it
// becomes an address that browsers are sent to. The suffix is of the key's text, so
// that a key with padding and one without have cookies of different names.
func parseKey(key string) (instance, error) {
	parts := strings.Split(key, "_")
	if len(parts) != 3 || parts[0] != "pk" || parts[1] != "test" && parts[1] != "live" {
		return instance{}, errPublishableKey
	}
	decoded, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(parts[2], "="))
	if err != nil {
		return instance{}, errPublishableKey
	}
	host, ok := strings.CutSuffix(string(decoded), "$")
	u, err := url.Parse("https://" + host)
	if !ok || err != nil || u.Host != host || strings.ContainsAny(host, "$@") || !strings.Contains(host, ".") {
		return instance{}, errPublishableKey
	}
	sum := sha1.Sum([]byte(key)) // #nosec G401 -- a name, and no secret
	return instance{parts[1] == "live", host, "_" + base64.URLEncoding.EncodeToString(sum[:])[:8]}, nil
}

// accounts is the address of Clerk's hosted pages, the Account Portal: for
// "clerk.example.com" it is "https://accounts.example.com", for
// "happy-cat-1.clerk.accounts.dev" it is "https://happy-cat-1.accounts.dev".
func (i instance) accounts() string {
	host := strings.Replace(i.frontendAPI, "clerk.accountsstage.", "accountsstage.", 1)
	if strings.Contains(host, "clerk.accounts.") {
		host = strings.Replace(host, "clerk.accounts.", "accounts.", 1)
	} else {
		host = strings.Replace(host, "clerk.", "accounts.", 1)
	}
	return "https://" + host
}
