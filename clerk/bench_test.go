package clerk_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"
)

// BenchmarkFloor is one RSA verification, which no token can do without.
func BenchmarkFloor(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	sum := sha256.Sum256([]byte("token"))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
			b.Fatal()
		}
	}
}

func BenchmarkHeader(b *testing.B) {
	instance, backend, _ := setup(b, true, nil)
	r := bearer(instance.Token(nil))
	b.ReportAllocs()
	for b.Loop() {
		if s, err := backend.Decide(r, origin); err != nil || s.Claims == nil {
			b.Fatal(s, err)
		}
	}
}

func BenchmarkCookies(b *testing.B) {
	instance, backend, _ := setup(b, true, nil)
	r := page("/", "Cookie", "__client_uat=1; __session="+instance.Token(nil))
	b.ReportAllocs()
	for b.Loop() {
		if s, err := backend.Decide(r, origin); err != nil || s.Claims == nil {
			b.Fatal(s, err)
		}
	}
}
