package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/clerk/clerktest"
	"github.com/sallyport/auth/internal/clerkvectors"
)

// TestClerkHas asks Clerk's has() and ours the same 3,000 questions, lets
// verifyWebhook and ours look at the same 200 deliveries, and has both send 300 people
// to sign in and up.
func TestClerkHas(t *testing.T) { // GHSA-w24r-5266-9c3c, CVE-2025-53548
	random := rand.New(rand.NewSource(2))
	i := newStandIn(t, true, time.Now().Truncate(time.Second))
	q := &clerkvectors.Questions{Now: i.now.Unix(), Instance: i.vector}
	for range 300 {
		q.Tokens = append(q.Tokens, makeAskedToken(random, i.Instance))
	}
	for range 200 {
		q.Webhooks = append(q.Webhooks, makeWebhook(random, i.now.Unix()))
	}
	development := newStandIn(t, false, i.now)
	for range 300 {
		q.Redirects = append(q.Redirects, makeRedirect(random, i, development))
	}
	var theirs struct {
		Has, Verified []bool
		Redirects     []struct{ SignIn, SignUp string }
	}
	askNode(t, "clerk/has.mjs", map[string]any{
		"options": map[string]any{"publishableKey": i.PublishableKey, "secretKey": i.SecretKey, "jwtKey": i.PEM()},
		"tokens":  q.Tokens, "webhooks": q.Webhooks, "redirects": q.Redirects,
	}, &theirs)
	n := 0
	for _, one := range q.Tokens {
		one.Has = theirs.Has[n : n+len(one.Asks)]
		n += len(one.Asks)
	}
	require.Len(t, theirs.Has, n)
	require.Len(t, theirs.Verified, len(q.Webhooks))
	for k, one := range q.Webhooks {
		one.Verified = theirs.Verified[k]
	}
	require.Len(t, theirs.Redirects, len(q.Redirects))
	for k, one := range q.Redirects {
		one.SignIn, one.SignUp = theirs.Redirects[k].SignIn, theirs.Redirects[k].SignUp
	}
	yes, accepted := q.Check(t)
	require.Greater(t, n, 2500)
	require.Greater(t, yes, 200, "not everything is denied")
	require.Greater(t, accepted, 20)
	t.Logf("%d questions, %d yes; %d deliveries, %d accepted", n, yes, len(q.Webhooks), accepted)
	if *updateVectors && !t.Failed() {
		require.NoError(t, clerkvectors.Write("../clerk/testdata/questions.json.gz", q))
	}
}

func makeAskedToken(random *rand.Rand, i *clerktest.Instance) *clerkvectors.Asked {
	pick := func(list ...string) string { return list[random.Intn(len(list))] }
	features := func() string {
		var list []string
		for range random.Intn(5) {
			list = append(list, pick("o", "u", "ou", "uo", "x")+":"+pick("dashboard", "reports", "teams", "pro", "plus"))
		}
		return strings.Join(list, pick(",", ", "))
	}
	t := &clerkvectors.Asked{Token: i.Token(func(_, claims map[string]any) {
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
		var ask clerkvectors.Ask
		if random.Intn(3) == 0 {
			ask.Role = pick("admin", "org:admin", "org:org:admin", "member", "owner")
		}
		if random.Intn(3) == 0 {
			ask.Permission = pick("org:", "") + pick("dashboard", "reports", "teams") + ":" + pick("read", "manage", "delete")
		}
		if random.Intn(3) == 0 {
			ask.Feature = pick("", "", "o:", "org:", "organization:", "u:", "user:", "team:") + pick("dashboard", "reports", "teams")
		}
		if random.Intn(4) == 0 {
			ask.Plan = pick("", "", "org:", "user:") + pick("pro", "plus")
		}
		switch random.Intn(4) {
		case 0:
			ask.Reverification = fmt.Appendf(nil, `{"level":%q,"afterMinutes":%d}`, pick("first_factor", "second_factor", "multi_factor", "third"), random.Intn(40))
		case 1:
			ask.Reverification = fmt.Appendf(nil, "%q", pick("strict_mfa", "strict", "moderate", "lax"))
		}
		t.Asks = append(t.Asks, ask)
	}
	return t
}

func makeWebhook(random *rand.Rand, now int64) *clerkvectors.Webhook {
	key := make([]byte, 24)
	random.Read(key)
	body := `{"type":"user.created","object":"event","data":{"id":"user_1"}}`
	id, stamp := "msg_1", strconv.FormatInt(now+[]int64{0, 0, 0, -290, 290, -310, 320}[random.Intn(7)], 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "." + body))
	signature := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	w := &clerkvectors.Webhook{
		Secret: "whsec_" + base64.StdEncoding.EncodeToString(key), Body: body,
		Headers: map[string]string{"svix-id": id, "svix-timestamp": stamp, "svix-signature": signature},
	}
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

// makeRedirect is somebody who asked for a page of a site, and is not signed in.
func makeRedirect(random *rand.Rand, instances ...*standIn) *clerkvectors.Redirect {
	pick := func(list ...string) string { return list[random.Intn(len(list))] }
	i := instances[random.Intn(len(instances))]
	site := pick("https://satellite.example.net", "http://localhost:3000", "https://primary.example.org:8443")
	r := &clerkvectors.Redirect{
		PublishableKey: i.PublishableKey, JWTKey: i.PEM(), CookieSuffix: i.CookieSuffix, BaseURL: site + "/x?y=z",
		SignInURL: pick("", "https://primary.example.org/sign-in", "https://primary.example.org:8443/in"), SignUpURL: pick("", "", "https://join.example.org/"),
		ReturnBackURL: site + "/page" + pick("", "?a=b", "?a=%20+&b=2;c=3&%zz", "?__clerk_synced=true&a=b", "?__clerk_synced=false") + pick("", "#part"),
		DevBrowser:    pick("", "dvb_1"),
	}
	switch random.Intn(3) {
	case 0:
		r.IsSatellite, r.SignInURL = true, "https://primary.example.org/sign-in"
	case 1:
		r.SignInURL = pick("/sign-in", "/sign-in?next=/x", "https://primary.example.org/sign-in?x=1")
	}
	if random.Intn(3) == 0 && r.DevBrowser != "" && !strings.Contains(r.SignInURL, "?") {
		r.SignUpURL = ""
		r.Pending = i.Token(func(_, claims map[string]any) { claims["sts"] = "pending" })
	}
	return r
}
