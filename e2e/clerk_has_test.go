package e2e_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/rand"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

type askedToken struct {
	Token string           `json:"token"`
	Asks  []map[string]any `json:"asks"`
	asks  []clerk.Ask
}

type sentWebhook struct {
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// TestClerkHas asks Clerk's has() and ours the same 3,000 questions, and lets
// verifyWebhook and ours look at the same 200 deliveries.
func TestClerkHas(t *testing.T) { // GHSA-w24r-5266-9c3c, CVE-2025-53548
	random := rand.New(rand.NewSource(2))
	i := clerktest.New(clerktest.Config{Production: true})
	var tokens []askedToken
	for range 300 {
		tokens = append(tokens, makeAskedToken(random, i))
	}
	var webhooks []sentWebhook
	for range 200 {
		webhooks = append(webhooks, makeWebhook(random))
	}
	input, err := json.Marshal(map[string]any{
		"options": map[string]any{"publishableKey": i.PublishableKey, "secretKey": i.SecretKey, "jwtKey": i.PEM()},
		"tokens":  tokens, "webhooks": webhooks,
	})
	require.NoError(t, err)
	node := exec.Command("node", "clerk/has.mjs")
	node.Stdin, node.Stderr = bytes.NewReader(input), os.Stderr
	output, err := node.Output()
	require.NoError(t, err)
	var theirs struct{ Has, Verified []bool }
	require.NoError(t, json.Unmarshal(output, &theirs))

	b, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), JWTKey: i.PEM()})
	require.NoError(t, err)
	n, yes := 0, 0
	for _, one := range tokens {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+one.Token)
		s, err := b.Decide(r, &url.URL{Scheme: "https", Host: "www.example.com"})
		require.NoError(t, err)
		for k, ask := range one.asks {
			ours := s.Claims.Has(ask)
			require.Equal(t, theirs.Has[n], ours, "%v of %s", one.Asks[k], claimsOf(one.Token))
			if n++; ours {
				yes++
			}
		}
	}
	require.Greater(t, n, 2500)
	require.Greater(t, yes, 200, "not everything is denied")
	accepted := 0
	for k, one := range webhooks {
		h, err := clerk.NewWebhook(clerk.WebhookConfig{Secrets: []auth.Secret{auth.NewSecret(one.Secret)}, Handle: func(context.Context, clerk.Event) error { return nil }})
		require.NoError(t, err)
		r := httptest.NewRequest("POST", "/", strings.NewReader(one.Body))
		for name, value := range one.Headers {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		ours := w.Code == 204
		require.Equal(t, theirs.Verified[k], ours, "%v", one)
		if ours {
			accepted++
		}
	}
	require.Greater(t, accepted, 20)
	t.Logf("%d questions, %d yes; %d deliveries, %d accepted", n, yes, len(webhooks), accepted)
}

func claimsOf(token string) string {
	raw, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	return string(raw)
}

func makeAskedToken(random *rand.Rand, i *clerktest.Instance) askedToken {
	pick := func(list ...string) string { return list[random.Intn(len(list))] }
	features := func() string {
		var list []string
		for range random.Intn(5) {
			list = append(list, pick("o", "u", "ou", "uo", "x")+":"+pick("dashboard", "reports", "teams", "pro", "plus"))
		}
		return strings.Join(list, pick(",", ", "))
	}
	t := askedToken{Token: i.Token(func(_, claims map[string]any) {
		if random.Intn(8) > 0 {
			claims["fva"] = []int{random.Intn(70) - 1, random.Intn(70) - 1}
		}
		if random.Intn(8) == 0 {
			claims["fva"] = []any{-1, pick("-1", "5")}
		}
		if f := features(); f != "" {
			claims["fea"] = f
		}
		if p := features(); p != "" {
			claims["pla"] = p
		}
		switch random.Intn(4) {
		case 0:
			delete(claims, "v")
			claims["org_id"], claims["org_role"] = "org_1", pick("org:admin", "admin", "org:member")
			claims["org_permissions"] = []string{"org:dashboard:read", "org:teams:manage"}
		case 1:
		default:
			o := map[string]any{"id": "org_1", "rol": pick("admin", "member", "org:admin"), "per": pick("read,manage,delete", "read, manage", "read")}
			var numbers []string
			for range random.Intn(5) {
				numbers = append(numbers, pick("0", "1", "2", "3", "5", "7", "007", "x", "-1", "1208925819614629174706175"))
			}
			o["fpm"] = strings.Join(numbers, ",")
			claims["o"] = o
		}
	})}
	for range 10 {
		ask, js := clerk.Ask{}, map[string]any{}
		if random.Intn(3) == 0 {
			ask.Role = pick("admin", "org:admin", "org:org:admin", "member", "owner")
			js["role"] = ask.Role
		}
		if random.Intn(3) == 0 {
			ask.Permission = pick("org:", "") + pick("dashboard", "reports", "teams") + ":" + pick("read", "manage", "delete")
			js["permission"] = ask.Permission
		}
		if random.Intn(3) == 0 {
			ask.Feature = pick("", "", "o:", "org:", "organization:", "u:", "user:", "team:") + pick("dashboard", "reports", "teams")
			js["feature"] = ask.Feature
		}
		if random.Intn(4) == 0 {
			ask.Plan = pick("", "", "org:", "user:") + pick("pro", "plus")
			js["plan"] = ask.Plan
		}
		switch random.Intn(4) {
		case 0:
			r := clerk.Reverification{Level: clerk.Level(pick("first_factor", "second_factor", "multi_factor", "third")), AfterMinutes: random.Intn(40)}
			ask.Reverification, js["reverification"] = &r, r
		case 1:
			name := pick("strict_mfa", "strict", "moderate", "lax")
			r := map[string]clerk.Reverification{"strict_mfa": clerk.StrictMFA, "strict": clerk.Strict, "moderate": clerk.Moderate, "lax": clerk.Lax}[name]
			ask.Reverification, js["reverification"] = &r, name
		}
		t.Asks, t.asks = append(t.Asks, js), append(t.asks, ask)
	}
	return t
}

func makeWebhook(random *rand.Rand) sentWebhook {
	key := make([]byte, 24)
	random.Read(key)
	body := `{"type":"user.created","object":"event","data":{"id":"user_1"}}`
	id, stamp := "msg_1", strconv.FormatInt(time.Now().Add(time.Duration([]int{0, 0, 0, -290, 290, -310, 310}[random.Intn(7)])*time.Second).Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "." + body))
	signature := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	w := sentWebhook{"whsec_" + base64.StdEncoding.EncodeToString(key), map[string]string{"svix-id": id, "svix-timestamp": stamp, "svix-signature": signature}, body}
	switch random.Intn(16) {
	case 0:
		w.Body += " "
	case 1:
		w.Headers["svix-id"] = "msg_2"
	case 2:
		w.Headers["svix-signature"] = "v1,AAAA " + signature
	case 3:
		w.Headers["svix-signature"] = signature[:20]
	case 4:
		w.Headers["svix-signature"] = "v2" + signature[2:]
	case 5:
		delete(w.Headers, "svix-timestamp")
	case 6:
		w.Headers = map[string]string{"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": signature}
	case 7:
		w.Headers["svix-signature"] = "v1, " + signature
	}
	return w
}
