// Package signing makes the JWTs that a client signs itself: assertions (RFC 7523),
// request objects (RFC 9101) and proofs (RFC 9449).
package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// Key is a private key of a client's, of which the public half is all that is read: it may
// be in a module that only signs. The zero value is none.
type Key struct {
	Signer crypto.Signer
	ID     string // its "kid", if it is not empty

	// Algorithms are those that whoever gets the JWT takes, as far as it says so. A key
	// that has none of them signs with what it is known for.
	Algorithms []string
}

// Check says what is wrong with a key: of the wrong kind, or short.
func (k Key) Check() error {
	_, err := k.Algorithm()
	return err
}

// Algorithm is what the key signs with: RS256 or PS256, ES256 or EdDSA.
func (k Key) Algorithm() (jose.SignatureAlgorithm, error) {
	var own []jose.SignatureAlgorithm
	switch public := k.Signer.Public().(type) {
	case *rsa.PublicKey:
		if public.N.BitLen() >= 2048 {
			own = []jose.SignatureAlgorithm{jose.RS256, jose.PS256}
		}
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			own = []jose.SignatureAlgorithm{jose.ES256}
		}
	case ed25519.PublicKey:
		own = []jose.SignatureAlgorithm{jose.EdDSA}
	}
	for _, a := range own {
		if slices.Contains(k.Algorithms, string(a)) {
			return a, nil
		}
	}
	if own == nil {
		return "", errors.New("want RSA of 2048 bits or more, ECDSA P-256 or Ed25519")
	}
	return own[0], nil
}

// Sign is the compact JWS of claims, whose header says what it is. With embed, the public
// key stands in the header, and no "kid".
func (k Key) Sign(kind string, claims map[string]any, embed bool) (string, error) {
	algorithm, err := k.Algorithm()
	if err != nil {
		return "", err
	}
	options := (&jose.SignerOptions{EmbedJWK: embed}).WithType(jose.ContentType(kind))
	if k.ID != "" && !embed {
		options = options.WithHeader("kid", k.ID)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: cryptosigner.Opaque(salted{k.Signer})}, options)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// Thumbprint is the SHA-256 thumbprint of the public key: RFC 7638.
func (k Key) Thumbprint() ([]byte, error) {
	return (&jose.JSONWebKey{Key: k.Signer.Public()}).Thumbprint(crypto.SHA256)
}

// salted signs with a salt as long as the hash, which RFC 7518 3.5 wants of PS256.
// cryptosigner asks for the longest that there is room for, and some servers refuse that.
type salted struct{ crypto.Signer }

// Sign implements [crypto.Signer].
func (s salted) Sign(random io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	if pss, ok := options.(*rsa.PSSOptions); ok {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: pss.Hash}
	}
	return s.Signer.Sign(random, digest, options)
}
