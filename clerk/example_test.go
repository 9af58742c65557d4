package clerk_test

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
	"github.com/sallyport/auth/session"
)

// A server whose pages are for people who are signed in at Clerk. The stand-in for
// Clerk makes the example run; with keys of the dashboard, leave APIURL out.
func Example() {
	instance := clerktest.New(clerktest.Config{Production: true})
	api := httptest.NewServer(instance)
	defer api.Close()

	c, err := clerk.New(clerk.Config{
		PublishableKey:    instance.PublishableKey,
		SecretKey:         auth.NewSecret(instance.SecretKey),
		AuthorizedParties: []string{"https://www.example.com"},
		APIURL:            api.URL,
	})
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{
		Secrets: []auth.Secret{auth.NewSecret("aVerySecretValueOfThirtyTwoBytes!")},
		URL:     "https://www.example.com/api/auth",
		Backend: c,
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /account", func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "You are %s.", who.Subject)
	})
	handler := a.Require(mux) // http.ListenAndServe(":3000", handler)

	get := func(token string) {
		r := httptest.NewRequest("GET", "https://www.example.com/account", nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			fmt.Println(w.Code, w.Header().Get("X-Clerk-Auth-Reason"))
			return
		}
		fmt.Println(w.Code, w.Body)
	}
	from := func(origin string) string {
		return instance.Token(func(_, claims map[string]any) { claims["azp"] = origin })
	}
	get("")
	get(from("https://elsewhere.example"))
	get(from("https://www.example.com"))
	// Output:
	// 401 session-token-and-uat-missing
	// 401 token-invalid-authorized-parties
	// 200 You are user_1.
}

// The variables of a Clerk application, which a program reads without naming them.
func ExampleFromEnv() {
	cfg, err := auth.ConfigFromEnv(os.Getenv, auth.Parts{Backend: clerk.FromEnv})
	if err != nil {
		log.Fatal(err) // every variable that is wrong, and what to do
	}
	a, err := auth.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(":3000", a.Require(http.FileServer(http.Dir("site")))))
}

// A handler for those who may create invoices in the active organization and have
// just proved who they are. It stands behind Require.
func ExampleClaims_Has() {
	create := func(w http.ResponseWriter, r *http.Request) {
		state, ok := clerk.FromContext(r.Context())
		if !ok || !state.Claims.Has(clerk.Ask{Permission: "org:invoices:create"}) {
			http.Error(w, "You may not create invoices.", http.StatusForbidden)
			return
		}
		if !state.Claims.Has(clerk.Ask{Reverification: &clerk.Strict}) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write(clerk.ReverificationError(clerk.Strict))
			return
		}
		fmt.Fprintf(w, "An invoice of %s.", state.Claims.OrganizationSlug)
	}

	instance, handler := behindClerk(http.HandlerFunc(create), clerk.Config{})
	member := func(role string, minutesAgo int) string {
		return instance.Token(func(_, claims map[string]any) {
			bits := map[string]string{"reader": "1", "writer": "3"}[role]
			claims["fea"], claims["fva"] = "o:invoices", []int{minutesAgo, -1}
			claims["o"] = map[string]any{"id": "org_1", "slg": "acme", "rol": role, "per": "read,create", "fpm": bits}
		})
	}
	for _, token := range []string{member("reader", 1), member("writer", 45), member("writer", 1)} {
		r := httptest.NewRequest("POST", "/invoices", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	}
	// Output:
	// 403 You may not create invoices.
	// 403 {"clerk_error":{"type":"forbidden","reason":"reverification-error","metadata":{"reverification":{"level":"second_factor","afterMinutes":10}}}}
	// 200 An invoice of acme.
}

// behindClerk is what the other examples begin with: h, behind Require of a backend of
// an instance that runs in the process.
func behindClerk(h http.Handler, c clerk.Config) (*clerktest.Instance, http.Handler) {
	instance := clerktest.New(clerktest.Config{Production: true})
	c.PublishableKey, c.SecretKey, c.JWTKey = instance.PublishableKey, auth.NewSecret(instance.SecretKey), instance.PEM()
	c.HTTPClient = &http.Client{Transport: inProcess{instance}}
	backend, err := clerk.New(c)
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret("aVerySecretValueOfThirtyTwoBytes!")}, Backend: backend})
	if err != nil {
		log.Fatal(err)
	}
	return instance, a.Require(h)
}

// inProcess answers calls without a network.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// A service for programs. A token counts that was made for it, and is then good for
// what its scopes say.
func ExampleMachine() {
	list := func(w http.ResponseWriter, r *http.Request) {
		state, ok := clerk.FromContext(r.Context())
		if !ok || state.Machine == nil || !slices.Contains(state.Machine.Scopes, "invoices:read") {
			http.Error(w, "The token is not for invoices.", http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, "Invoices of %s.", state.Machine.Subject)
	}

	instance, handler := behindClerk(http.HandlerFunc(list), clerk.Config{
		AcceptTokens: []clerk.TokenType{clerk.OAuthToken},
		Audiences:    []string{"https://api.example.com"},
	})
	token := func(audience, scope string) string {
		return instance.Opaque("oat_", "user_1", func(answer map[string]any) {
			answer["aud"], answer["scopes"] = []string{audience}, []string{scope}
		})
	}
	for _, t := range []string{
		token("https://other.example", "invoices:read"),
		token("https://api.example.com", "profile"),
		token("https://api.example.com", "invoices:read"),
	} {
		r := httptest.NewRequest("GET", "/invoices", nil)
		r.Header.Set("Authorization", "Bearer "+t)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, cmp.Or(w.Header().Get("X-Clerk-Auth-Reason"), strings.TrimSpace(w.Body.String())))
	}
	// Output:
	// 401 token-verification-failed
	// 403 The token is not for invoices.
	// 200 Invoices of user_1.
}

// An endpoint that forgets people who delete their account. It is mounted outside of
// Require.
func ExampleNewWebhook() {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // os.Getenv("CLERK_WEBHOOK_SECRET")
	hook, err := clerk.NewWebhook(clerk.WebhookConfig{
		Secrets: []auth.Secret{auth.NewSecret(secret)},
		Store:   session.NewMemoryStore(0, nil),
		Handle: func(_ context.Context, e clerk.Event) error {
			v, err := e.Value()
			if err != nil {
				return err
			}
			if gone, ok := v.(*clerk.Deleted); ok && e.Type == "user.deleted" {
				fmt.Println("forget", gone.ID)
			}
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /webhooks/clerk", hook)

	// What Clerk sends, twice, and then somebody else.
	const body = `{"type":"user.deleted","data":{"id":"user_1","deleted":true}}`
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		log.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, "msg_1."+stamp+"."+body)
	signature := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, s := range []string{signature, signature, "v1,bm9uc2Vuc2U="} {
		r := httptest.NewRequest("POST", "/webhooks/clerk", strings.NewReader(body))
		r.Header.Set("Svix-Id", "msg_1")
		r.Header.Set("Svix-Timestamp", stamp)
		r.Header.Set("Svix-Signature", s)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// forget user_1
	// 204
	// 204
	// 400
}

// A test of an application, with a clock of its own: a session's minute, an outage,
// and a key that is not the instance's.
func Example_testing() {
	now := time.Now()
	clock := func() time.Time { return now }
	instance := clerktest.New(clerktest.Config{Production: true, Now: clock})
	api := httptest.NewServer(instance)
	defer api.Close()
	c, err := clerk.New(clerk.Config{
		PublishableKey: instance.PublishableKey,
		SecretKey:      auth.NewSecret(instance.SecretKey),
		APIURL:         api.URL,
		Now:            clock,
	})
	if err != nil {
		log.Fatal(err)
	}
	www, err := http.NewRequest("GET", "https://www.example.com/", nil)
	if err != nil {
		log.Fatal(err)
	}
	decide := func(token string) {
		www.Header.Set("Authorization", "Bearer "+token)
		state, err := c.Decide(www, www.URL)
		if err != nil {
			fmt.Println("nobody can tell")
			return
		}
		fmt.Println(cmp.Or(state.Reason, string(state.Status)))
	}

	token := instance.Token(nil)
	decide(token)
	now = now.Add(2 * time.Minute)
	decide(token)
	other := clerktest.New(clerktest.Config{Production: true, Now: clock})
	decide(other.Token(nil))
	now = now.Add(5 * time.Minute)
	instance.SetDown(true)
	decide(instance.Token(nil))
	// Output:
	// signed-in
	// session-token-expired-refresh-non-eligible-no-refresh-cookie
	// jwk-kid-mismatch
	// nobody can tell
}
