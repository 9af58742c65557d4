package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/session"
)

// TestGroupsThatAreLeftOutAreInTheLog: once, whichever answer it is that has no room for
// them. A node whose proxies pass more began the session.
func TestGroupsThatAreLeftOutAreInTheLog(t *testing.T) { // CK-12
	var groups []string
	for i := range 45 {
		groups = append(groups, fmt.Sprintf("SG-Department-%03d-Application-Owners-ReadWrite", i))
	}
	stub := &stubProvider{name: "stub", identity: func(string) (*auth.Identity, error) {
		return &auth.Identity{Issuer: "https://idp.example", Subject: "ada", Groups: groups}, nil
	}}
	now := time.Now()
	log := &safeBuffer{}
	node := func(bytes int) *auth.Authenticator {
		return newAuth(t, func(c *auth.Config) {
			c.Providers, c.Session.MaxSetCookieBytes = []auth.Provider{stub}, bytes
			c.Logger = slog.New(slog.NewTextHandler(log, nil))
			c.Now = func() time.Time { return now }
			c.Update = func(context.Context, *session.Session, json.RawMessage) error { return nil }
		})
	}
	cookie := sealedCookie(t, node(14000), stub)
	require.NotContains(t, log.String(), "level=WARN")
	kept := 0
	h := node(0).Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		kept = len(who.Groups)
	}))
	serve(h, "GET", "https://app.example/x", "", "Cookie", cookieHeader(cookie))
	require.Equal(t, 45, kept)

	now = now.Add(25 * time.Hour)
	renewed := serve(h, "GET", "https://app.example/x", "", "Cookie", cookieHeader(cookie))
	require.Less(t, kept, 45)
	require.Equal(t, 1, strings.Count(log.String(), fmt.Sprintf("kept=%d dropped=%d", kept, 45-kept)))
	serve(h, "GET", "https://app.example/x", "", "Cookie", cookieHeader(renewed.Result().Cookies()...))
	require.Equal(t, 1, strings.Count(log.String(), "level=WARN"))

	csrf := serve(h, "GET", "https://app.example/api/auth/csrf", "").Result().Cookies()[0]
	token, _, _ := strings.Cut(csrf.Value, "%7C")
	now = now.Add(-time.Hour) // it is not due
	serve(h, "POST", "https://app.example/api/auth/session", `{"csrfToken":"`+token+`","data":{}}`, "Content-Type", "application/json", "Cookie", cookieHeader(csrf, cookie))
	require.Equal(t, 2, strings.Count(log.String(), "level=WARN"))
}
