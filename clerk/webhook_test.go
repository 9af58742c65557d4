package clerk_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/session"
)

const webhookKey = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func sign(key, id, stamp, body string) string {
	raw, _ := base64.StdEncoding.DecodeString(key)
	mac := hmac.New(sha256.New, raw)
	mac.Write([]byte(id + "." + stamp + "." + body))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestWebhook(t *testing.T) { // CVE-2025-53548
	const body = `{"type":"user.created","timestamp":1,"data":{"id":"user_1","email_addresses":[{"id":"e","email_address":"ada@example.com"}]}}`
	large := body + strings.Repeat(" ", 1<<20-len(body))
	now := time.Unix(time.Now().Unix(), 0)
	stamp := strconv.FormatInt(now.Unix(), 10)
	shift := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	good := sign(webhookKey, "msg_1", stamp, body)
	other := base64.StdEncoding.EncodeToString([]byte("another key, 16 bytes or more"))
	for name, test := range map[string]struct {
		method, body, id, stamp, signature string
		want                               int
	}{
		"good":                       {"", body, "msg_1", stamp, good, 204},
		"the second of two":          {"", body, "msg_1", stamp, "v1,AAAA " + good, 204},
		"a rotated key":              {"", body, "msg_1", stamp, sign(other, "msg_1", stamp, body), 204},
		"of another version":         {"", body, "msg_1", stamp, strings.Replace(good, "v1,", "v2,", 1), 400},
		"cut short":                  {"", body, "msg_1", stamp, good[:20], 400},
		"empty signature":            {"", body, "msg_1", stamp, "v1,", 400},
		"no signature":               {"", body, "msg_1", stamp, "", 400},
		"another body":               {"", strings.Replace(body, "user_1", "user_2", 1), "msg_1", stamp, good, 400},
		"another id":                 {"", body, "msg_2", stamp, good, 400},
		"another time":               {"", body, "msg_1", shift(time.Second), good, 400},
		"two ids":                    {"", body, "msg_1", stamp, good, 400},
		"just in time":               {"", body, "msg_1", shift(-299 * time.Second), sign(webhookKey, "msg_1", shift(-299*time.Second), body), 204},
		"too old":                    {"", body, "msg_1", shift(-302 * time.Second), sign(webhookKey, "msg_1", shift(-302*time.Second), body), 400},
		"five minutes":               {"", body, "msg_1", shift(-300 * time.Second), sign(webhookKey, "msg_1", shift(-300*time.Second), body), 204},
		"five minutes ahead":         {"", body, "msg_1", shift(300 * time.Second), sign(webhookKey, "msg_1", shift(300*time.Second), body), 204},
		"five minutes, a second":     {"", body, "msg_1", shift(-301 * time.Second), sign(webhookKey, "msg_1", shift(-301*time.Second), body), 400},
		"a second more ahead":        {"", body, "msg_1", shift(301 * time.Second), sign(webhookKey, "msg_1", shift(301*time.Second), body), 400},
		"an empty id":                {"", body, "", stamp, sign(webhookKey, "", stamp, body), 400},
		"a long id":                  {"", body, strings.Repeat("m", 256), stamp, sign(webhookKey, strings.Repeat("m", 256), stamp, body), 204},
		"too long an id":             {"", body, strings.Repeat("m", 257), stamp, sign(webhookKey, strings.Repeat("m", 257), stamp, body), 400},
		"the sixteenth":              {"", body, "msg_1", stamp, strings.Repeat("v1,AAAA ", 15) + good, 204},
		"the seventeenth":            {"", body, "msg_1", stamp, strings.Repeat("v1,AAAA ", 16) + good, 400},
		"a megabyte":                 {"", large, "msg_1", stamp, sign(webhookKey, "msg_1", stamp, large), 204},
		"a megabyte and one":         {"", large + " ", "msg_1", stamp, sign(webhookKey, "msg_1", stamp, large+" "), 413},
		"two events":                 {"", body + body, "msg_1", stamp, sign(webhookKey, "msg_1", stamp, body+body), 400},
		"from the future":            {"", body, "msg_1", shift(302 * time.Second), sign(webhookKey, "msg_1", shift(302*time.Second), body), 400},
		"a time that is no number":   {"", body, "msg_1", "soon", sign(webhookKey, "msg_1", "soon", body), 400},
		"a time in another spelling": {"", body, "msg_1", "+" + stamp, sign(webhookKey, "msg_1", "+"+stamp, body), 400},
		"no JSON":                    {"", "x", "msg_1", stamp, sign(webhookKey, "msg_1", stamp, "x"), 400},
		"no type":                    {"", "{}", "msg_1", stamp, sign(webhookKey, "msg_1", stamp, "{}"), 400},
		"GET":                        {"GET", body, "msg_1", stamp, good, 405},
		"too large":                  {"", strings.Repeat("x", 2<<20), "msg_1", stamp, good, 413},
	} {
		t.Run(name, func(t *testing.T) {
			var got []clerk.Event
			h, err := clerk.NewWebhook(clerk.WebhookConfig{
				Secrets: []auth.Secret{auth.NewSecret("whsec_" + webhookKey), auth.NewSecret("whsec_" + other)},
				Handle:  func(_ context.Context, e clerk.Event) error { got = append(got, e); return nil },
				Now:     func() time.Time { return now },
			})
			require.NoError(t, err)
			method := test.method
			if method == "" {
				method = "POST"
			}
			r := httptest.NewRequest(method, "/hook", strings.NewReader(test.body))
			r.Header.Set("Svix-Id", test.id)
			r.Header.Set("Svix-Timestamp", test.stamp)
			r.Header.Set("Svix-Signature", test.signature)
			if name == "two ids" {
				r.Header.Add("Svix-Id", "msg_2")
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, test.want, w.Code)
			require.Equal(t, test.want == 204, len(got) == 1)
			if len(got) == 1 {
				var u clerk.User
				require.NoError(t, json.Unmarshal(got[0].Data, &u))
				require.Equal(t, "ada@example.com", u.EmailAddresses[0].EmailAddress)
				require.Equal(t, test.id, got[0].ID)
			}
		})
	}
}

func TestWebhookOnce(t *testing.T) {
	const body = `{"type":"user.deleted","data":{"id":"user_1","deleted":true}}`
	handled, fail, again := 0, true, 0
	var send func() int
	var log bytes.Buffer
	h, err := clerk.NewWebhook(clerk.WebhookConfig{
		Secrets: []auth.Secret{auth.NewSecret("whsec_" + webhookKey)}, Store: session.NewMemoryStore(0, nil),
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Handle: func(context.Context, clerk.Event) error {
			if fail {
				return errors.New("database is down")
			}
			handled++
			again = send()
			return nil
		},
	})
	require.NoError(t, err)
	logged := func() string { defer log.Reset(); return log.String() }
	send = func() int {
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		r := httptest.NewRequest("POST", "/hook", strings.NewReader(body))
		r.Header.Set("Svix-Id", "msg_1")
		r.Header.Set("Svix-Timestamp", stamp)
		r.Header.Set("Svix-Signature", sign(webhookKey, "msg_1", stamp, body))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.NotContains(t, w.Body.String(), "database")
		return w.Code
	}
	require.Equal(t, 500, send(), "Clerk sends it again")
	for _, told := range []string{"level=ERROR", "event=msg_1", "type=user.deleted", "database is down"} {
		require.Contains(t, log.String(), told)
	}
	require.NotContains(t, logged(), "user_1", "nothing of the event's data")
	fail = false
	require.Equal(t, 204, send())
	require.Equal(t, 204, send())
	require.Equal(t, 1, handled)
	require.Equal(t, 500, again, "while it is handled, Clerk has to come back")
	require.Contains(t, logged(), "being handled")
	for size, ok := range map[int]bool{0: false, 15: false, 16: true, 64: true} {
		secret := "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, size))
		_, err := clerk.NewWebhook(clerk.WebhookConfig{Handle: func(context.Context, clerk.Event) error { return nil }, Secrets: []auth.Secret{auth.NewSecret("whsec_" + webhookKey), auth.NewSecret(secret)}})
		require.Equal(t, ok, err == nil, "a secret of %d bytes", size)
	}
	for _, bad := range []clerk.WebhookConfig{{}, {Handle: func(context.Context, clerk.Event) error { return nil }, Secrets: []auth.Secret{auth.NewSecret(webhookKey)}}} {
		_, err := clerk.NewWebhook(bad)
		require.Error(t, err)
		require.NotContains(t, err.Error(), webhookKey)
	}
}
