package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

const (
	briefAddress = "127.0.0.1:9013"
	briefLife    = 2 * time.Second // of session tokens there
)

// startBriefClerk runs an application whose session tokens end while one looks,
// and where POST /elsewhere signs everybody out at Clerk as another device does.
func startBriefClerk(ctx context.Context, _ string, _ map[string]string) error {
	const origin = "http://" + briefAddress
	instance := clerktest.New(clerktest.Config{Production: true, Issuer: origin + "/__clerk", TokenLife: briefLife,
		People: []clerktest.Person{{ID: "user_ada", Name: "Ada Lovelace"}}})
	api := httptest.NewServer(instance)
	backend, err := clerk.New(clerk.Config{
		PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey), APIURL: api.URL,
		ProxyURL: origin + "/__clerk", SignInURL: origin + "/__clerk/sign-in", ClockSkew: time.Nanosecond,
	})
	if err != nil {
		return err
	}
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, Backend: backend})
	if err != nil {
		return err
	}
	session := make(chan string, 1)
	mux := http.NewServeMux()
	mux.Handle("/__clerk/", instance.Frontend())
	mux.HandleFunc("POST /elsewhere", func(w http.ResponseWriter, r *http.Request) {
		revoke := httptest.NewRequest("POST", "/v1/sessions/"+<-session+"/revoke", nil)
		revoke.Header.Set("Authorization", "Bearer "+instance.SecretKey)
		instance.ServeHTTP(w, revoke)
	})
	mux.Handle("/", a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		select {
		case session <- who.ID:
		default:
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>App</title><main><h1>App</h1><p id="who">%s</p></main></html>`, who.Subject)
	})))
	listener, err := net.Listen("tcp", briefAddress)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(listener) }()
	go func() { <-ctx.Done(); server.Close(); api.Close() }()
	return nil
}
