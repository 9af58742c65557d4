package clerk_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

func FuzzPublishableKey(f *testing.F) {
	for _, seed := range []string{"", "pk_test_", clerktest.New(clerktest.Config{}).PublishableKey, "pk_live_JA==", "pk_test_Li4k"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		b, err := clerk.New(clerk.Config{PublishableKey: key, SecretKey: auth.NewSecret("sk_test_x")})
		if err != nil {
			return
		}
		u, err := url.Parse(b.SignInURL(nil, "https://example.com/"))
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			t.Fatalf("%q leads to %v", key, u)
		}
	})
}

// FuzzRequest: whatever a browser sends is signed out or a handshake at Clerk's
// own host, and comes back to ours.
func FuzzRequest(f *testing.F) {
	i := clerktest.New(clerktest.Config{})
	api := httptest.NewServer(i)
	f.Cleanup(api.Close)
	b, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), JWTKey: i.PEM(), APIURL: api.URL})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("/", "", "__session=a.b.c; __client_uat=1", "")
	f.Add("//evil.test/", "__clerk_handshake=a.b.c", "__clerk_db_jwt=x", "Bearer a.b.c")
	f.Add("/y", "__clerk_handshake_nonce=x", "", "")
	f.Add("/x", "__clerk_redirect_url=https://evil.test&__clerk_db_jwt=%00", "__clerk_redirect_count=9", "a")
	f.Fuzz(func(t *testing.T, path, query, cookies, authorization string) {
		if strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }) {
			return // net/http lets none of these through
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = &url.URL{Path: path, RawQuery: query}
		r.Header = http.Header{"Cookie": {cookies}, "Sec-Fetch-Dest": {"document"}}
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		s, err := b.Decide(r, origin)
		if err != nil {
			t.Fatal(err)
		}
		if s.Status == clerk.SignedIn {
			t.Fatal("signed in without a token of the instance's")
		}
		location := s.Header.Get("Location")
		if location == "" {
			return
		}
		u, err := url.Parse(location)
		if err != nil || u.Host != i.FrontendAPI {
			t.Fatalf("sent to %q", location)
		}
		back, err := url.Parse(u.Query().Get("redirect_url"))
		if err != nil || back.Host != origin.Host || back.Scheme != origin.Scheme {
			t.Fatalf("comes back to %q", u.Query().Get("redirect_url"))
		}
	})
}

// FuzzClaims: whatever features, plans and permissions say, nothing panics, and
// what is asked for without a name is denied.
func FuzzClaims(f *testing.F) {
	i := clerktest.New(clerktest.Config{Production: true})
	b, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), JWTKey: i.PEM()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("o:a,u:b", "read,manage", "3,1", "a:read")
	f.Add("a", ",,", "-1,999999999999999999999", ":")
	f.Fuzz(func(t *testing.T, fea, per, fpm, ask string) {
		s, err := b.Decide(bearer(i.Token(func(_, claims map[string]any) {
			claims["fea"], claims["pla"], claims["o"] = fea, fea, map[string]any{"id": "org_1", "per": per, "fpm": fpm}
		})), origin)
		if err != nil || s.Claims == nil {
			return // more than a token may hold
		}
		for _, a := range []clerk.Ask{{Permission: ask}, {Feature: ask}, {Plan: ask}, {Role: ask}} {
			if s.Claims.Has(a) && (ask == "" || a.Role != "") {
				t.Fatalf("%+v is granted", a)
			}
		}
	})
}

// FuzzWebhook: nothing unsigned is handled.
func FuzzWebhook(f *testing.F) {
	h, err := clerk.NewWebhook(clerk.WebhookConfig{
		Secrets: []auth.Secret{auth.NewSecret("whsec_" + webhookKey)},
		Handle:  func(context.Context, clerk.Event) error { f.Error("handled"); return nil },
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("msg_1", "1700000000", "v1,AAAA v1,", `{"type":"user.created"}`)
	f.Fuzz(func(t *testing.T, id, stamp, signature, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header["Svix-Id"], r.Header["Svix-Timestamp"], r.Header["Svix-Signature"] = []string{id}, []string{stamp}, []string{signature}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest {
			t.Fatal(w.Code)
		}
	})
}

// FuzzToken: whatever a token that the instance signed says, it signs in only who
// is named, by whom and until when it has to be.
func FuzzToken(f *testing.F) {
	i := clerktest.New(clerktest.Config{Production: true})
	b, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), JWTKey: i.PEM()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"cat":"cl_B7d4PD111AAA"}`, `{"sub":"user_1","exp":9999999999,"v":2,"o":{"id":"org_1","rol":"admin"}}`)
	f.Add(`{}`, `{"exp":9999999E99}`)
	f.Add(`{"typ":"at+jwt","crit":[]}`, `{"sub":null,"exp":"1","iss":[],"o":5,"sts":"pending"}`)
	f.Fuzz(func(t *testing.T, headerText, claimsText string) {
		var said map[string]any
		token := i.Token(func(header, claims map[string]any) {
			_, _ = json.Unmarshal([]byte(headerText), &header), json.Unmarshal([]byte(claimsText), &claims)
			said = claims
		})
		s, err := b.Decide(bearer(token), origin)
		if err != nil {
			t.Fatal(err)
		}
		if s.Status != clerk.SignedIn {
			return
		}
		exp, _ := said["exp"].(float64)
		fresh, _ := said["exp"].(int64) // as clerktest made it
		if said["sub"] != s.Claims.UserID || s.Claims.UserID == "" || said["iss"] != "https://"+i.FrontendAPI || max(exp, float64(fresh)) < float64(time.Now().Unix()-6) {
			t.Fatalf("%s signs in %q", claimsText, s.Claims.UserID)
		}
	})
}

// FuzzHandshake: whatever a payload brings, the cookies are few, of one line each,
// and nobody is signed in without a session of the instance's.
func FuzzHandshake(f *testing.F) {
	i := clerktest.New(clerktest.Config{})
	b, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), JWTKey: i.PEM(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`["__client_uat=1; Path=/","__session=a.b.c"]`)
	f.Add(`["x\r\ny=1",""]`)
	f.Add(`[null,{"a":"__session=x"},["__session=y"]]`)
	f.Fuzz(func(t *testing.T, directives string) {
		token := i.Token(func(_, claims map[string]any) {
			clear(claims)
			_ = json.Unmarshal([]byte(`{"handshake":`+directives+`}`), &claims)
		})
		s, err := b.Decide(page("/?__clerk_handshake="+token), origin)
		if err != nil {
			t.Fatal(err)
		}
		cookies := s.Header.Values("Set-Cookie")
		if s.Status == clerk.SignedIn || len(cookies) > 32 || strings.ContainsAny(strings.Join(cookies, ""), "\r\n\x00") {
			t.Fatalf("%q brings %s with %q", directives, s.Status, cookies)
		}
	})
}
