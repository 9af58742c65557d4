package oidc

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/sallyport/auth/internal/strictjson"
	"github.com/sallyport/auth/providers/internal/codegrant"
)

const (
	maxJWT       = 64 << 10 // bytes of an ID token
	maxJWTHeader = 8 << 10  // bytes of its header, decoded
	maxKeyID     = 1 << 10
)

// jwtHeader is what a JWS header may decide: which of the issuer's keys to try.
type jwtHeader struct {
	algorithm string
	keyID     string // "" where the header has none
	typed     bool   // whether it has a type
}

// readHeader looks at a compact JWS before anything is computed, and takes only
// the one way of writing it that RFC 7515 7.1 has. go-jose also reads the JSON
// form, base64 with line breaks and bits to spare, a header with a member twice,
// and the extensions of crit, b64 and zip. Where the header has a typ, it is one of
// types.
//
// Keys that the header brings along or points to (jwk, jku, x5c, x5u) are not
// looked at: RFC 8725 3.10.
func readHeader(token string, types ...string) (h jwtHeader, err error) {
	if len(token) > maxJWT {
		return h, codegrant.Invalid("it has more than %d bytes", maxJWT)
	}
	if n := strings.Count(token, "."); n == 4 {
		return h, codegrant.Misconfigured("it is encrypted: turn its encryption off at the provider")
	} else if n != 2 {
		return h, codegrant.Invalid("it is not a compact JWS of three parts")
	}
	if strings.HasSuffix(token, ".") { // RFC 7515 A.5
		return h, codegrant.Invalid("it is not signed (alg none)")
	}
	for part := range strings.SplitSeq(token, ".") {
		if !canonical(part) {
			return h, codegrant.Invalid("it is not canonical base64url")
		}
	}
	encoded, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(raw) > maxJWTHeader {
		return h, codegrant.Invalid("its header is malformed")
	}
	o, err := strictjson.Parse(raw)
	if err != nil {
		return h, codegrant.Invalid("its header is malformed")
	}
	for _, name := range []string{"crit", "b64", "zip"} {
		if _, there := o[name]; there {
			return h, codegrant.Invalid("its header has %s, which is not understood", name)
		}
	}
	if typ, there := o["typ"]; there { // an access token or a logout token is no ID token: RFC 8725 3.11
		s, _ := o.String("typ")
		if !slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(s, t) }) {
			return h, codegrant.Invalid("its typ is %.40q, want %s", typ, strings.Join(types, " or "))
		}
		h.typed = true
	}
	h.algorithm, _ = o.String("alg")
	if _, there := o["kid"]; there {
		var ok bool
		if h.keyID, ok = o.String("kid"); !ok || len(h.keyID) > maxKeyID {
			return h, codegrant.Invalid("its kid is no string of at most %d bytes", maxKeyID)
		}
	}
	return h, nil
}

// canonical reports whether s is the one way to write its bytes: RFC 7515 2.
func canonical(s string) bool {
	if s == "" || strings.ContainsAny(s, "\r\n") {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil
}
