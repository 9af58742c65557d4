package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	sdk "github.com/clerk/clerk-sdk-go/v2"
	sdkhttp "github.com/clerk/clerk-sdk-go/v2/http"
	"github.com/clerk/clerk-sdk-go/v2/jwks"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

// BenchmarkClerkHeader sends one header token through clerk-sdk-go's middleware
// and through ours: one that was seen before, and a new one each time.
func BenchmarkClerkHeader(b *testing.B) {
	i := clerktest.New(clerktest.Config{Production: true})
	api := httptest.NewServer(i)
	defer api.Close()
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	config := &sdk.ClientConfig{BackendConfig: sdk.BackendConfig{URL: sdk.String(api.URL + "/v1"), Key: sdk.String(i.SecretKey)}}
	theirs := sdkhttp.RequireHeaderAuthorization(sdkhttp.JWKSClient(jwks.NewClient(config)))(next)
	backend, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), APIURL: api.URL})
	if err != nil {
		b.Fatal(err)
	}
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: "https://www.example.com", Backend: backend})
	if err != nil {
		b.Fatal(err)
	}
	ours := a.Require(next)
	request := func(token string) *http.Request {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		return r
	}
	again := []*http.Request{request(i.Token(nil))}
	var fresh []*http.Request // more than are remembered
	for n := range 5000 {
		fresh = append(fresh, request(i.Token(func(_, claims map[string]any) { claims["jti"] = n; claims["exp"] = claims["iat"].(int64) + 3600 })))
	}
	for _, one := range []struct {
		name     string
		handler  http.Handler
		requests []*http.Request
	}{{"clerk-sdk-go", theirs, again}, {"sallyport first", ours, fresh}, {"sallyport again", ours, again}} {
		b.Run(one.name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				w := httptest.NewRecorder()
				one.handler.ServeHTTP(w, one.requests[n%len(one.requests)])
				if w.Code != 200 {
					b.Fatal(w.Code)
				}
				n++
			}
		})
	}
}
