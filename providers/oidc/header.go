package oidc

import (
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/auth/providers/internal/codegrant"
)

// parsedHeader is what go-jose makes of a token's header. That takes it longer than all
// else beside the key's arithmetic, and an issuer writes the same header to the letter
// from one token to the next; so the last one is kept. It decides nothing by itself:
// what is verified is the header as it stands, with the payload and the signature of the
// token at hand.
//
// It is not changed, and may be used concurrently.
type parsedHeader struct {
	encoded string
	parsed  jose.Signature
}

func parseHeader(token compactJWS) (*parsedHeader, error) {
	signed, err := jose.ParseDetached(token.header+"..", token.payload, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(token.algorithm)})
	if err != nil || len(signed.Signatures) != 1 {
		return nil, codegrant.Invalid("it is malformed")
	}
	return &parsedHeader{strings.Clone(token.header), signed.Signatures[0]}, nil
}

// over is the header with a signature, for a payload that go-jose is given besides.
func (h *parsedHeader) over(signature []byte) jose.JSONWebSignature {
	s := h.parsed
	s.Signature = signature
	return jose.JSONWebSignature{Signatures: []jose.Signature{s}}
}
