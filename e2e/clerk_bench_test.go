package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	sdk "github.com/clerk/clerk-sdk-go/v2"
	sdkhttp "github.com/clerk/clerk-sdk-go/v2/http"
	"github.com/clerk/clerk-sdk-go/v2/jwks"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

// BenchmarkClerk sends a header token through clerk-sdk-go's middleware and through
// ours, and a cookie, which the SDK does not read, through ours: one that was seen
// before, and a new one each time.
func BenchmarkClerk(b *testing.B) {
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
	request := func(name, value string) *http.Request {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set(name, value)
		return r
	}
	var header, cookies []*http.Request // more than are remembered
	for n := range 5000 {
		token := i.Token(func(_, claims map[string]any) {
			claims["jti"], claims["exp"] = strconv.Itoa(n), claims["iat"].(int64)+3600
		})
		header = append(header, request("Authorization", "Bearer "+token))
		cookies = append(cookies, request("Cookie", "__client_uat=1; __session="+token))
	}
	for _, one := range []struct {
		name     string
		handler  http.Handler
		requests []*http.Request
	}{
		{"clerk-sdk-go header first", theirs, header}, {"clerk-sdk-go header again", theirs, header[:1]},
		{"sallyport header first", ours, header}, {"sallyport header again", ours, header[:1]},
		{"sallyport cookies first", ours, cookies}, {"sallyport cookies again", ours, cookies[:1]},
	} {
		b.Run(one.name, func(b *testing.B) {
			b.ReportAllocs()
			w := &headerOnly{header: http.Header{}}
			n := 0
			for b.Loop() {
				clear(w.header)
				one.handler.ServeHTTP(w, one.requests[n%len(one.requests)])
				if w.status != 0 {
					b.Fatal(w.status)
				}
				n++
			}
		})
	}
}

// headerOnly costs nothing by itself.
type headerOnly struct {
	header http.Header
	status int
}

func (w *headerOnly) Header() http.Header         { return w.header }
func (w *headerOnly) Write(p []byte) (int, error) { return len(p), nil }
func (w *headerOnly) WriteHeader(status int)      { w.status = status }
