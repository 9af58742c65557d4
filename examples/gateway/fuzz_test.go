package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/auth/session"
)

// FuzzIdentityHeaders: whatever a session says, and whatever a client sends, each
// identity header that goes out is one value, as it stands in the session.
func FuzzIdentityHeaders(f *testing.F) {
	f.Add("ada", "ada@example.com", "ada", "staff", "X-Forwarded-User")
	f.Add("ad\r\nX-Forwarded-Groups: admins", " ada@example.com", "\x00", "a,b", "x_forwarded-USER")
	f.Add("\u00a0admin\u2028", "", "工程", "工程", "X-Forwarded-User\x00")
	f.Fuzz(func(t *testing.T, user, email, username, group, sent string) {
		h := http.Header{sent: {"mallory"}}
		removeHeaders(h, identityHeaders)
		for name := range h {
			if isOneOf(name, identityHeaders) {
				t.Fatalf("%q is still there", name)
			}
		}
		setIdentity(h, &session.Session{Subject: "x", Email: email, EmailVerified: true, Username: username, Provider: "stub", Groups: []string{group, "staff"}}, user)
		for name, want := range map[string]string{userHeader: user, emailHeader: email, usernameHeader: username} {
			if got := h[name]; got != nil && (len(got) != 1 || got[0] != want || !isFieldValue(got[0])) {
				t.Fatalf("%s is %q, of %q", name, got, want)
			}
		}
		groups := strings.Split(h.Get(groupsHeader), ",")
		if !slices.Contains(groups, "staff") || len(groups) > 2 || len(groups) == 2 && groups[0] != group {
			t.Fatalf("groups are %q, of %q and staff", groups, group)
		}
		for name, values := range h {
			for _, v := range values {
				if name != sent && strings.ContainsAny(v, "\r\n\x00") {
					t.Fatalf("%s is %q", name, v)
				}
			}
		}
	})
}
