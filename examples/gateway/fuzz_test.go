package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/auth/session"
)

// FuzzIdentityHeaders: whatever a session says, and whatever a client sends, each
// identity header that goes out is one value, as it stands in the session.
func FuzzIdentityHeaders(f *testing.F) {
	f.Add("ada", "ada@example.com", "ada", "staff", "X-Forwarded-User")
	f.Add("ad\r\nX-Forwarded-Groups: admins", " ada@example.com", "\x00", "a,b", "x_forwarded-USER")
	f.Add("\u00a0admin\u2028", "", "工程", "工程", "X-Forwarded-User\x00")
	f.Fuzz(func(t *testing.T, user, email, username, group, sent string) {
		h := options{}.passedOn(http.Header{sent: {"mallory"}}, true)
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

// FuzzRequestLine: a line says what slog's handler says of the same.
func FuzzRequestLine(f *testing.F) {
	f.Add("GET", "/x", "203.0.113.9", "ada", "edge-1", 200, int64(12345678))
	f.Add("PROPFIND", "/a\"b\\c\n\x00\x7f", "", "林晓 <i>\u2028", "\xff", 0, int64(0))
	f.Add("GET", "/a\nb", "", "a\x1bb", "", 200, int64(1))
	f.Add("", "/\",\"user\":\"root", "fe80::1%eth0", "\"", "", 599, int64(9e15))
	f.Fuzz(func(t *testing.T, method, path, client, user, id string, code int, took int64) {
		took &= 1<<62 - 1
		now := time.Unix(1700000000, 123456789)
		r := &http.Request{Method: method, URL: &url.URL{Path: path}}
		got := appendLine([]byte("before"), now, r, &line{client: client, user: user, request: id}, code, time.Duration(took))

		var want bytes.Buffer
		record := slog.NewRecord(now, slog.LevelInfo, "gateway: request", 0)
		record.Add("method", method, "path", path, "status", code, "client", client, "user", user, "duration_ms", float64(time.Duration(took).Microseconds())/1000, "request", id)
		if err := slog.NewJSONHandler(&want, nil).Handle(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		text, ok := bytes.CutPrefix(got, []byte("before"))
		if !ok || bytes.IndexByte(text, '\n') != len(text)-1 {
			t.Fatalf("not a line: %q", got)
		}
		var ours, theirs map[string]any
		if err := json.Unmarshal(text, &ours); err != nil {
			t.Fatalf("%v: %q", err, text)
		}
		if err := json.Unmarshal(want.Bytes(), &theirs); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(ours, theirs) {
			t.Fatalf("%s, and slog %s", text, want.Bytes())
		}
	})
}
