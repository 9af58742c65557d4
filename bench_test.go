package auth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
)

func benchAuthenticator(b *testing.B) (http.Handler, *http.Cookie) {
	stub := &stubProvider{name: "stub"}
	a, err := auth.New(newConfig(stub))
	require.NoError(b, err)
	return a.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})), sealedCookie(b, a, stub)
}

type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header       { return n.h }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}

func BenchmarkRequire(b *testing.B) {
	h, cookie := benchAuthenticator(b)
	r := httptest.NewRequest("GET", "https://app.example/page", nil)
	r.AddCookie(cookie)
	w := nowhere{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.h)
		h.ServeHTTP(w, r)
	}
}

func BenchmarkRefuse(b *testing.B) {
	h, _ := benchAuthenticator(b)
	r := httptest.NewRequest("GET", "https://app.example/page", nil)
	w := nowhere{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.h)
		h.ServeHTTP(w, r)
	}
}
