package clerk

import (
	"encoding/json"
	"slices"

	"github.com/sallyport/auth/internal/strictjson"
)

// Where Config.Audiences is set, a token has to name one of them. What becomes of
// others, here and in @clerk/backend:
//
//	                no audience          another one
//	OAuth           refused  refused     refused  refused
//	M2M, a JWT      refused  counts      refused  refused
//	M2M, opaque     refused  counts      refused  counts
//	session         counts   counts      refused  refused
//	API key         counts   counts      refused  counts
//
// RFC 7519 4.1.3 leaves tokens without the claim to the application, and RFC 9068 4
// takes none. Clerk makes session tokens without one unless the dashboard says
// otherwise, and the issuer and the authorized party say whose they are. An API key is made for the instance, and has no claim to put it in.

// admits reports whether aud, the claim's JSON text or "", names one of
// [Config].Audiences. Where none are configured, any text does, and none too.
func (b *Backend) admits(aud string) bool {
	return b.config.Audiences == nil || slices.ContainsFunc(audiences(aud), func(a string) bool {
		return slices.Contains(b.config.Audiences, a)
	})
}

// audiences reads a claim "aud", which is a string or a list of strings: RFC 7519
// 4.1.3. A list with anything else in it, or with an empty string, names nobody:
// what one part of it says is not to be believed either.
func audiences(aud string) []string {
	if one, ok := strictjson.String(aud); ok {
		return []string{one}
	}
	list, ok := strictjson.Strings(aud)
	if !ok || slices.Contains(list, "") {
		return nil
	}
	return list
}

// claimed is the first of an answer's members that says anything, or "". Clerk's
// answers about OAuth access tokens have "aud".
func claimed(members ...json.RawMessage) string {
	for _, m := range members {
		if len(m) > 0 && string(m) != "null" {
			return string(m)
		}
	}
	return ""
}
