package providertest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
)

// Sign makes a compact JWS with RS256, whatever header says: a library would
// refuse to make most of what a hostile provider sends.
func Sign(key *rsa.PrivateKey, header, claims map[string]any) string {
	input := Encode(header) + "." + Encode(claims)
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // only for keys too short to sign
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// signPSS is [Sign] with PS256.
func signPSS(key *rsa.PrivateKey, header, claims map[string]any) string {
	input := Encode(header) + "." + Encode(claims)
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	if err != nil {
		panic(err) // only for keys too short to sign
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// Encode is one part of a JWT: v's JSON in base64url.
func Encode(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // only for values that JSON has no form for
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}
