package clerk

import (
	"encoding/json"
	"slices"

	"github.com/sallyport/auth/internal/strictjson"
)

// Where Config.Audiences is set, a token that names somebody has to name one of them.
// What becomes of others, here and in @clerk/backend:
//
//	                no audience          another one          malformed
//	OAuth           refused  refused     refused  refused     refused  refused
//	M2M, a JWT      counts   counts      refused  refused     refused  counts
//	M2M, opaque     counts   counts      refused  counts      refused  counts
//	session         counts   counts      refused  refused     refused  counts
//	API key         counts   counts      refused  counts      refused  counts
//
// No audience is the claim's absence, null, "" and []. RFC 7519 4.1.3 leaves tokens
// without the claim to the application, and RFC 9068 4 takes none. Clerk makes session
// tokens without one unless the dashboard says otherwise, and the issuer and the
// authorized party say whose they are; a machine's token has one where whoever made it
// said so, among its own claims, and an API key is made for the instance.

// admits reports whether aud, the claim's JSON text or "", names one of
// [Config].Audiences, or nobody where that is enough for kind. Where none are
// configured, any text does.
func (b *Backend) admits(kind TokenType, aud string) bool {
	if b.config.Audiences == nil || kind != OAuthToken && slices.Contains([]string{"", "null", `""`, "[]"}, aud) {
		return true
	}
	list := audiences(aud)
	if kind == OAuthToken && slices.Contains(list, "") {
		return false
	}
	return slices.ContainsFunc(list, func(a string) bool { return slices.Contains(b.config.Audiences, a) })
}

// audiences reads a claim "aud", which is a string or a list of strings: RFC 7519
// 4.1.3. A list with anything else in it names nobody: what one part of it says is not
// to be believed either.
func audiences(aud string) []string {
	if one, ok := strictjson.String(aud); ok {
		return []string{one}
	}
	list, _ := strictjson.Strings(aud)
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
