package e2e_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
	"github.com/sallyport/auth/internal/clerkvectors"
)

var updateVectors = flag.Bool("update", false, "write what @clerk/backend said to clerk/testdata")

const (
	clerkCases = 3000
	keptAlike  = 12 // vectors of each outcome
)

// standIn is an instance, the address of its API, and what the vectors hold of it.
type standIn struct {
	*clerktest.Instance
	now    time.Time
	api    string
	vector *clerkvectors.Instance
}

func newStandIn(t *testing.T, production bool, now time.Time) *standIn {
	i := clerktest.New(clerktest.Config{Production: production, Now: func() time.Time { return now }})
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	r := httptest.NewRequest("GET", "/v1/jwks", nil)
	r.Header.Set("Authorization", "Bearer "+i.SecretKey)
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code)
	return &standIn{i, now, server.URL, &clerkvectors.Instance{
		PublishableKey: i.PublishableKey, SecretKey: i.SecretKey, JWTKey: i.PEM(), Keys: w.Body.Bytes(), Answers: map[string]json.RawMessage{},
	}}
}

func (s *standIn) know(secret string, answer any) string {
	raw, err := json.Marshal(answer)
	if err != nil {
		panic(err) // nothing in it has no form in JSON
	}
	s.vector.Answers[secret] = raw
	return secret
}

func (s *standIn) nonce(directives []string) string {
	return s.know(s.Nonce(directives...), map[string]any{"directives": directives})
}

func (s *standIn) refresh(directives ...string) string {
	return s.know(s.RefreshToken(directives...), map[string]any{"object": "cookies", "cookies": directives})
}

func (s *standIn) opaque(prefix string) string {
	var answer map[string]any
	return s.know(s.Opaque(prefix, "user_9", func(a map[string]any) {
		a["name"], a["claims"] = "CI", map[string]any{"tier": 2}
		answer = a
	}), &answer)
}

// askNode has a script answer v, and reads the answer into answer.
func askNode(t *testing.T, script string, v, answer any) {
	input, err := json.Marshal(v)
	require.NoError(t, err)
	node := exec.Command("node", script)
	node.Stdin, node.Stderr = bytes.NewReader(input), os.Stderr
	output, err := node.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(output, answer))
}

// TestClerkDecides asks @clerk/backend and the Go backend about the same
// requests. Every difference has to be one of those in difference.
func TestClerkDecides(t *testing.T) { // CL-01, CL-03
	random := rand.New(rand.NewSource(1))
	now := time.Now().Truncate(time.Second)
	instances := []*standIn{newStandIn(t, true, now), newStandIn(t, false, now)}
	var cases []*clerkvectors.Case
	var input []map[string]any
	for range clerkCases {
		n := random.Intn(2)
		i := instances[n]
		c := makeClerkCase(random, i)
		c.Instance = n
		cases = append(cases, c)
		keys := map[string]any{"machineSecretKey": c.Options.MachineSecretKey, "publishableKey": i.PublishableKey, "secretKey": i.SecretKey, "apiUrl": i.api}
		if c.Options.Networkless {
			keys["jwtKey"] = i.PEM()
		}
		input = append(input, map[string]any{"url": c.URL, "method": c.Method, "headers": c.Headers, "keys": keys, "options": c.Options})
	}
	var theirs []clerkvectors.Answer
	askNode(t, "clerk/decide.mjs", input, &theirs)
	require.Len(t, theirs, len(cases))
	reasons, differences, alike := map[string]int{}, map[string]int{}, map[string]int{}
	kept := &clerkvectors.Decisions{Now: now.Unix(), Instances: []*clerkvectors.Instance{instances[0].vector, instances[1].vector}}
	for n, c := range cases {
		ours, err := c.Decide(instances[c.Instance].vector, instances[c.Instance].api, now)
		require.NoError(t, err)
		c.Theirs = theirs[n]
		outcome := ours.Status + " " + ours.Reason
		reasons[outcome]++
		if !ours.Same(c.Theirs) {
			c.Ours, c.Difference = &ours, difference(c, ours, c.Theirs)
			if c.Difference == "" {
				t.Errorf("case %d: %s", n, c)
			}
			differences[c.Difference]++
		}
		outcome = fmt.Sprint(c.Instance, outcome, c.Options.IsSatellite, c.Options.ProxyURL, c.Difference)
		if alike[outcome]++; alike[outcome] <= keptAlike {
			kept.Cases = append(kept.Cases, c)
		}
	}
	t.Logf("outcomes: %v", reasons)
	t.Logf("deliberate differences: %v", differences)
	require.Greater(t, len(reasons), 30, "the cases reach the branches of the tree")
	if *updateVectors && !t.Failed() {
		forgetUnasked(kept)
		t.Logf("%d vectors kept", len(kept.Cases))
		require.NoError(t, clerkvectors.Write("../clerk/testdata/decisions.json.gz", kept))
	}
}

// forgetUnasked drops the answers that no case asks for.
func forgetUnasked(kept *clerkvectors.Decisions) {
	var all strings.Builder
	for _, c := range kept.Cases {
		fmt.Fprint(&all, c.URL, c.Headers)
	}
	for _, i := range kept.Instances {
		maps.DeleteFunc(i.Answers, func(secret string, _ json.RawMessage) bool { return !strings.Contains(all.String(), secret) })
	}
}

// difference says why ours may differ from theirs: always on the stricter side.
func difference(c *clerkvectors.Case, ours, theirs clerkvectors.Answer) string {
	refresh := "session-token-expired-refresh-"
	switch {
	case theirs.Error != "" && ours.Error == "":
		return "a bad handshake is no error in development: the cookies count that are there"
	case c.Options.Audience != nil && theirs.Status == "signed-in" && ours.Status == "signed-out" && ours.Reason == "token-verification-failed":
		return "an audience is looked at wherever there is one, and one that is malformed counts for nobody"
	case theirs.Status == "signed-in" && ours.Reason == "primary-domain-cross-origin-sync" && strings.HasPrefix(c.Headers["Referer"], "http://"):
		return "a referrer is Clerk's by https only"
	case ours.Error == "a clock is wrong" && strings.Contains(fmt.Sprint(c.URL, c.Headers), "__clerk_"):
		return "after one handshake a wrong clock is told, in the place of more of them"
	case c.Headers["Authorization"] != "" && c.Headers["Cookie"] != "" && strings.HasPrefix(ours.Reason, refresh):
		return "a header's token is not refreshed into a cookie's session"
	case theirs.Status == "signed-in" && strings.Contains(fmt.Sprint(c.URL, c.Headers), "__clerk_handshake") && theirs.Cookies != nil:
		return "a handshake cannot bring a template's token"
	case ours.Reason == "token-invalid-issuer" && ours.Status == "signed-out":
		return "the issuer is pinned"
	case theirs.Reason == "token-invalid-authorized-parties" && ours.Status == "handshake" && ours.Reason == theirs.Reason:
		return "a navigation without azp hands over to a handshake"
	}
	return ""
}

// clerkTokens are made once: the vectors hold each of them once too.
var clerkTokens = map[string]string{}

// makeClerkCase puts a request together of everything that the tree looks at.
func makeClerkCase(random *rand.Rand, i *standIn) *clerkvectors.Case {
	pick := func(weighted ...string) string { return weighted[random.Intn(len(weighted))] }
	c := &clerkvectors.Case{Method: pick("GET", "GET", "GET", "GET", "POST", "HEAD"), Headers: map[string]string{}}
	o := &c.Options
	o.Networkless = random.Intn(4) > 0
	issuer := "https://" + i.FrontendAPI
	switch pick("", "", "", "", "satellite", "auto", "proxy") {
	case "auto":
		o.SatelliteAutoSync = true
		fallthrough
	case "satellite":
		o.IsSatellite, o.Domain, o.SignInURL = true, "sat.example.net", "https://primary.example.org/sign-in"
	case "proxy":
		issuer = "https://www.example.com/__clerk"
		o.ProxyURL = pick(issuer, "/__clerk")
	}
	if random.Intn(4) == 0 {
		o.Audience = []string{"https://api.example.com", "https://admin.example.com"}
	}
	if random.Intn(4) == 0 {
		o.MachineSecretKey = clerkvectors.MachineSecretKey
	}
	if random.Intn(5) == 0 {
		o.AuthorizedParties = []string{"https://www.example.com"}
	}
	if random.Intn(4) == 0 {
		o.AcceptsToken = []clerk.TokenType{clerk.SessionToken, clerk.APIKey, clerk.M2MToken, clerk.OAuthToken}[random.Intn(2):]
	}
	if random.Intn(4) == 0 {
		o.Organizations = clerkvectors.BySlug()
	}
	now := i.now.Unix()
	user := 0
	token := func(kind string) string {
		user++
		name := fmt.Sprint(i.FrontendAPI, " ", issuer, " ", kind, " ", user)
		if clerkTokens[name] != "" {
			return clerkTokens[name]
		}
		clerkTokens[name] = i.Token(func(header, claims map[string]any) {
			claims["iss"], claims["sub"] = issuer, fmt.Sprint("user_", user)
			claims["azp"] = "https://www.example.com"
			switch kind {
			case "old":
				claims["iat"] = now - 30
			case "expired":
				claims["iat"], claims["nbf"], claims["exp"] = now-100, now-100, now-40
			case "no sid":
				claims["iat"], claims["exp"] = now-100, now-40
				delete(claims, "sid")
			case "early":
				claims["nbf"] = now + 600
			case "future":
				claims["iat"] = now + 600
			case "foreign":
				claims["iss"] = "https://clerk.other.example"
			case "template":
				header["cat"] = "cl_B7d4PD222AAA"
			case "machine":
				claims["sub"] = "mch_1"
			case "oauth":
				header["typ"] = "at+jwt"
			case "typ":
				header["typ"] = "JOSE"
			case "alg":
				header["alg"] = "HS256"
			case "unknown key":
				header["kid"] = "ins_unknown"
			case "no exp":
				delete(claims, "exp")
			case "no sub":
				delete(claims, "sub")
			case "no azp":
				delete(claims, "azp")
			case "azp":
				claims["azp"] = "https://evil.example"
			case "pending":
				claims["sts"] = "pending"
			case "no issuer":
				delete(claims, "iss")
			case "organization":
				claims["o"] = map[string]any{"id": "org_1", "slg": "acme", "rol": "admin"}
			case "no audience":
				claims["aud"] = pick("", "null", "[]")
				if claims["aud"] != "" {
					claims["aud"] = json.RawMessage(claims["aud"].(string))
				}
			case "audience":
				claims["aud"] = []string{"https://api.example.com", "https://other.example"}
			case "another audience":
				claims["aud"] = "https://other.example"
			case "odd audience":
				claims["aud"] = []any{"https://api.example.com", 1}
			case "machine's claims":
				header["cat"], claims["sub"], claims["tier"], claims["scopes"] = "cl_B7d4PD333AAA", "mch_1", 2, "a b"
				delete(claims, "sid")
			case "machine's audience":
				header["cat"], claims["sub"], claims["aud"] = "cl_B7d4PD333AAA", "mch_1", []string{"https://api.example.com"}
			case "machine's other audience":
				header["cat"], claims["sub"], claims["aud"] = "cl_B7d4PD333AAA", "mch_1", []string{"https://other.example"}
			case "machine's typ":
				header["cat"], header["typ"], claims["sub"] = "cl_B7d4PD333AAA", "at+jwt", "mch_1"
			case "oauth's scopes":
				header["typ"], claims["scope"], claims["aud"] = "at+jwt", "read write", "https://api.example.com"
				delete(header, "cat")
			case "machine's own":
				header["cat"], claims["sub"] = "cl_B7d4PD333AAA", "mch_1"
				delete(claims, "sid")
			case "machine's old":
				header["cat"], claims["sub"], claims["exp"] = "cl_B7d4PD333AAA", "mch_1", now-40
			case "oauth's own":
				header["typ"] = "at+jwt"
				delete(header, "cat")
			}
		})
		return clerkTokens[name]
	}
	kinds := []string{"", "", "", "", "old", "expired", "expired", "no sid", "early", "future", "foreign", "template", "machine", "oauth", "typ", "alg", "no exp", "no sub", "no azp", "no azp", "azp", "pending", "no issuer", "unknown key", "organization", "organization", "machine's own", "machine's old", "oauth's own",
		"no audience", "audience", "another audience", "odd audience", "machine's claims", "machine's audience", "machine's other audience", "machine's typ", "oauth's scopes"}
	tokenOf := func() string {
		switch n := random.Intn(len(kinds) + 4); {
		case n == len(kinds)+2:
			return i.opaque(pick("ak_", "mt_", "oat_"))
		case n == len(kinds)+3:
			return pick("ak_", "mt_", "oat_") + "unknown"
		case n < len(kinds):
			return token(kinds[n])
		case n == len(kinds):
			return "nonsense"
		default:
			good := token("")
			return good[:len(good)-8] + "AAAAAAAA"
		}
	}
	var cookies []string
	add := func(name, value string) { cookies = append(cookies, name+"="+value) }
	suffix := i.CookieSuffix
	uats := []string{"0", "1", fmt.Sprint(now - 20), fmt.Sprint(now + 20), "nonsense"}
	if random.Intn(4) > 0 {
		add("__session", tokenOf())
	}
	if random.Intn(4) > 0 {
		add("__client_uat", uats[random.Intn(len(uats))])
	}
	if random.Intn(3) == 0 {
		add("__session"+suffix, tokenOf())
	}
	if random.Intn(3) == 0 {
		add("__client_uat"+suffix, uats[random.Intn(len(uats))])
	}
	if random.Intn(2) == 0 {
		add("__clerk_db_jwt", "dvb_1")
	}
	if random.Intn(3) == 0 {
		add("__clerk_db_jwt"+suffix, "dvb_2")
	}
	switch random.Intn(6) {
	case 0:
		add("__refresh"+suffix, i.refresh("__session="+token("")+"; Path=/; Secure", "__client_uat=5; Path=/"))
	case 1:
		add("__refresh"+suffix, "unknown")
	case 2:
		add("__refresh"+suffix, i.refresh("__session="+token("expired")+"; Path=/"))
	}
	if random.Intn(6) == 0 {
		add("__clerk_redirect_count", pick("1", "2", "3"))
	}
	query := url.Values{"q": {"a b"}}
	odd := pick("", "", "", "&b=2;c=3&%zz&d")
	directives := func() []string {
		kind := pick("", "", "expired", "future", "template")
		return []string{"__client_uat=7; Path=/", "__session=" + token(kind) + "; Path=/; Secure", "__session" + suffix + "=" + token(kind) + "; Path=/; Secure"}
	}
	switch random.Intn(12) {
	case 0:
		query.Set("__clerk_handshake", i.HandshakeToken(directives()...))
	case 1:
		query.Set("__clerk_handshake", i.HandshakeToken("__client_uat=0; Path=/"))
	case 2:
		add("__clerk_handshake", i.HandshakeToken(directives()...))
	case 3:
		query.Set("__clerk_handshake_nonce", i.nonce(directives()))
	case 4:
		query.Set("__clerk_handshake", pick("nonsense", i.HandshakeToken("__session=x")+"x"))
	}
	if random.Intn(8) == 0 {
		query.Set("__clerk_db_jwt", "dvb_3")
	}
	if random.Intn(8) == 0 {
		query.Set("__clerk_synced", pick("true", "false"))
	}
	if random.Intn(12) == 0 {
		query.Set("__clerk_redirect_url", "https://sat.example.net/back?x=1"+pick("", "&b=2;c=3&%zz", "&__clerk_synced=false"))
	}
	if len(cookies) > 0 {
		c.Headers["Cookie"] = strings.Join(cookies, "; ")
	}
	if random.Intn(5) == 0 {
		c.Headers["Authorization"] = pick("Bearer ", "Bearer ", "Bearer ", "bearer ", "") + tokenOf()
	}
	if dest := pick("document", "document", "document", "iframe", "empty", ""); dest != "" {
		c.Headers["Sec-Fetch-Dest"] = dest
	}
	c.Headers["Accept"] = pick("text/html,*/*", "text/html", "*/*", "application/json, text/html")
	if from := pick("", "", "https://www.example.com/x", "https://elsewhere.example/", issuer+"/", "https://accounts.example.com/", "https://example.accounts.dev/",
		"https://"+i.FrontendAPI+"/", "http://"+i.FrontendAPI+"/", "https://accounts.example.com:8443/", "https://x.clerk.accounts.dev/", "https://accounts.x.lcl.dev/", "http://accounts.x.lcl.dev/", "https://x.lcl.dev/"); from != "" {
		c.Headers["Referer"] = from
	}
	c.URL = "https://www.example.com" + pick("/page", "/page", "/orgs/acme", "/orgs/other/x", "/me") + "?" + query.Encode() + odd
	return c
}
