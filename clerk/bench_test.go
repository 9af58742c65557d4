package clerk_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"net/http"
	"testing"

	"github.com/sallyport/auth/clerk"
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

func benchmark(b *testing.B, backend *clerk.Backend, r *http.Request, forget string) {
	b.ReportAllocs()
	for b.Loop() {
		if forget != "" {
			clerk.Forget(backend, forget)
		}
		if s, err := backend.Decide(r, origin); err != nil || s.Claims == nil {
			b.Fatal(s, err)
		}
	}
}

func BenchmarkHeader(b *testing.B) {
	instance, backend, _ := setup(b, true, nil)
	token := instance.Token(nil)
	b.Run("first", func(b *testing.B) { benchmark(b, backend, bearer(token), token) })
	b.Run("again", func(b *testing.B) { benchmark(b, backend, bearer(token), "") })
}

func BenchmarkCookies(b *testing.B) {
	instance, backend, _ := setup(b, true, nil)
	token := instance.Token(nil)
	r := page("/", "Cookie", "__client_uat=1; __session="+token)
	b.Run("first", func(b *testing.B) { benchmark(b, backend, r, token) })
	b.Run("again", func(b *testing.B) { benchmark(b, backend, r, "") })
}
