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

// compactJWS is a token that is well-formed, and not verified. Its header may decide which
// of the issuer's keys to try, and nothing else.
type compactJWS struct {
	algorithm string
	keyID     string // "" where the header has none
	typed     bool   // whether it has a type

	header             string // as it stands, in base64
	payload, signature []byte
}

// readJWS looks at a compact JWS before anything is computed, and takes only
// the one way of writing it that RFC 7515 7.1 has. go-jose also reads the JSON
// form, base64 with line breaks and bits to spare, a header with a member twice,
// and the extensions of crit, b64 and zip. Where the header has a typ, it is one of
// types.
//
// Keys that the header brings along or points to (jwk, jku, x5c, x5u) are not
// looked at: RFC 8725 3.10.
func readJWS(token string, types ...string) (t compactJWS, err error) {
	if len(token) > maxJWT {
		return t, codegrant.Invalid("it has more than %d bytes", maxJWT)
	}
	parts := strings.SplitN(token, ".", 6)
	if len(parts) == 5 {
		return t, codegrant.Misconfigured("it is encrypted: turn its encryption off at the provider")
	} else if len(parts) != 3 {
		return t, codegrant.Invalid("it is not a compact JWS of three parts")
	}
	if parts[2] == "" { // RFC 7515 A.5
		return t, codegrant.Invalid("it is not signed (alg none)")
	}
	var decoded [3][]byte
	for i, part := range parts {
		var ok bool
		if decoded[i], ok = decodeCanonical(part); !ok {
			return t, codegrant.Invalid("it is not canonical base64url")
		}
	}
	t.header, t.payload, t.signature = parts[0], decoded[1], decoded[2]
	if len(decoded[0]) > maxJWTHeader {
		return t, codegrant.Invalid("its header is malformed")
	}
	o, err := strictjson.Parse(decoded[0])
	if err != nil {
		return t, codegrant.Invalid("its header is malformed")
	}
	for _, name := range []string{"crit", "b64", "zip"} {
		if _, there := o[name]; there {
			return t, codegrant.Invalid("its header has %s, which is not understood", name)
		}
	}
	if typ, there := o["typ"]; there { // an access token or a logout token is no ID token: RFC 8725 3.11
		s, _ := o.String("typ")
		if !slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(s, t) }) {
			return t, codegrant.Invalid("its typ is %.40q, want %s", typ, strings.Join(types, " or "))
		}
		t.typed = true
	}
	t.algorithm, _ = o.String("alg")
	if _, there := o["kid"]; there {
		var ok bool
		if t.keyID, ok = o.String("kid"); !ok || len(t.keyID) > maxKeyID {
			return t, codegrant.Invalid("its kid is no string of at most %d bytes", maxKeyID)
		}
	}
	return t, nil
}

var strictBase64 = base64.RawURLEncoding.Strict()

// decodeCanonical takes the one way to write bytes, of which there is one at least: RFC
// 7515 2.
func decodeCanonical(s string) (b []byte, ok bool) {
	if s == "" || strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := strictBase64.DecodeString(s)
	return b, err == nil
}
