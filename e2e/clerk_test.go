package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

// clerkCase is one request to an application of one kind of instance.
type clerkCase struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Options map[string]any    `json:"options"`

	config clerk.Config
}

type clerkAnswer struct {
	Status, Reason, User, Location, Cache, Error string
	Cookies                                      []string
}

const clerkCases = 1500

var jwtText = regexp.MustCompile(`eyJ[A-Za-z0-9_.-]+`)

// TestClerkDecides asks @clerk/backend and the Go backend about the same
// requests. Every difference has to be one of those in difference.
func TestClerkDecides(t *testing.T) { // CL-01, CL-03
	random := rand.New(rand.NewSource(1))
	production, development := clerktest.New(clerktest.Config{Production: true}), clerktest.New(clerktest.Config{})
	var cases []clerkCase
	for range clerkCases {
		i, live := production, true
		if random.Intn(2) == 0 {
			i, live = development, false
		}
		cases = append(cases, makeClerkCase(t, random, i, live))
	}
	input, err := json.Marshal(cases)
	require.NoError(t, err)
	node := exec.Command("node", "clerk/decide.mjs")
	node.Stdin, node.Stderr = bytes.NewReader(input), os.Stderr
	output, err := node.Output()
	require.NoError(t, err)
	var theirs []clerkAnswer
	require.NoError(t, json.Unmarshal(output, &theirs))
	require.Len(t, theirs, len(cases))
	reasons, differences := map[string]int{}, map[string]int{}
	for n, c := range cases {
		ours := decideHere(t, c)
		reasons[ours.Status+" "+ours.Reason]++
		if same(ours, theirs[n]) {
			continue
		}
		why := difference(c, ours, theirs[n])
		if why == "" {
			text := fmt.Sprintf("case %d\n%s %s\n%v\nours   %+v\ntheirs %+v", n, c.Method, c.URL, c.Headers, ours, theirs[n])
			t.Error(jwtText.ReplaceAllString(text, "<token>"))
		}
		differences[why]++
	}
	t.Logf("outcomes: %v", reasons)
	t.Logf("deliberate differences: %v", differences)
	require.Greater(t, len(reasons), 20, "the cases reach the branches of the tree")
}

// difference says why ours may differ from theirs: always on the stricter side.
func difference(c clerkCase, ours, theirs clerkAnswer) string {
	refresh := "session-token-expired-refresh-"
	switch {
	case theirs.Error != "":
		return "a bad handshake is no error in development: the cookies count that are there"
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

func same(a, b clerkAnswer) bool {
	return a.Status == b.Status && a.Reason == b.Reason && a.User == b.User && a.Error == b.Error && a.Cache == b.Cache &&
		slices.Equal(a.Cookies, b.Cookies) && sameURL(a.Location, b.Location)
}

// sameURL compares what a URL says, not how its query is spelt. A redirect_url
// without the handshake that just failed is the stricter one.
func sameURL(a, b string) bool {
	u, err := url.Parse(a)
	v, err2 := url.Parse(b)
	if err != nil || err2 != nil {
		return false
	}
	p, q := u.Query(), v.Query()
	for _, query := range []url.Values{p, q} {
		if back, err := url.Parse(query.Get("redirect_url")); err == nil && query.Has("redirect_url") {
			inner := back.Query()
			inner.Del("__clerk_handshake")
			inner.Del("__clerk_handshake_nonce")
			back.RawQuery = inner.Encode()
			query.Set("redirect_url", back.String())
		}
	}
	return u.Scheme == v.Scheme && u.Host == v.Host && u.Path == v.Path && p.Encode() == q.Encode()
}

func decideHere(t *testing.T, c clerkCase) clerkAnswer {
	b, err := clerk.New(c.config)
	require.NoError(t, err)
	u, err := url.Parse(c.URL)
	require.NoError(t, err)
	r := httptest.NewRequest(c.Method, u.RequestURI(), nil)
	for name, value := range c.Headers {
		r.Header.Set(name, value)
	}
	s, err := b.Decide(r, &url.URL{Scheme: u.Scheme, Host: u.Host})
	require.NoError(t, err)
	a := clerkAnswer{Status: string(s.Status), Reason: s.Reason, Location: s.Header.Get("Location"), Cookies: s.Header.Values("Set-Cookie"), Cache: s.Header.Get("Cache-Control")}
	if s.Claims != nil {
		a.User = s.Claims.UserID
	}
	if s.Machine != nil {
		a.User = s.Machine.Subject
	}
	return a
}

// clerkTokens are made once: the vectors hold each of them once too.
var clerkTokens = map[string]string{}

var clerkNow = time.Now().Unix()

var clerkAPI = map[*clerktest.Instance]*httptest.Server{}

func apiOf(t *testing.T, i *clerktest.Instance) string {
	if clerkAPI[i] == nil {
		clerkAPI[i] = httptest.NewServer(http.Handler(i))
		t.Cleanup(clerkAPI[i].Close)
	}
	return clerkAPI[i].URL
}

// makeClerkCase puts a request together of everything that the tree looks at.
func makeClerkCase(t *testing.T, random *rand.Rand, i *clerktest.Instance, live bool) clerkCase {
	pick := func(weighted ...string) string { return weighted[random.Intn(len(weighted))] }
	c := clerkCase{Method: pick("GET", "GET", "GET", "GET", "POST", "HEAD"), Headers: map[string]string{}, Options: map[string]any{}}
	c.config = clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), JWTKey: i.PEM(), APIURL: apiOf(t, i)}
	c.Options["publishableKey"], c.Options["secretKey"], c.Options["jwtKey"], c.Options["apiUrl"] = i.PublishableKey, i.SecretKey, i.PEM(), apiOf(t, i)
	issuer := "https://" + i.FrontendAPI
	c.Options["isSatellite"] = false
	switch pick("", "", "", "", "satellite", "auto", "proxy") {
	case "auto":
		c.Options["satelliteAutoSync"], c.config.SatelliteAutoSync = true, true
		fallthrough
	case "satellite":
		c.config.Satellite, c.config.Domain, c.config.SignInURL = true, "sat.example.net", "https://primary.example.org/sign-in"
		c.Options["isSatellite"], c.Options["domain"], c.Options["signInUrl"] = true, "sat.example.net", c.config.SignInURL
	case "proxy":
		c.config.ProxyURL = "https://www.example.com/__clerk"
		c.Options["proxyUrl"] = c.config.ProxyURL
		issuer = c.config.ProxyURL
	}
	if random.Intn(5) == 0 {
		c.config.AuthorizedParties = []string{"https://www.example.com"}
		c.Options["authorizedParties"] = c.config.AuthorizedParties
	}
	if random.Intn(4) == 0 {
		c.config.AcceptTokens = []clerk.TokenType{clerk.SessionToken, clerk.APIKey, clerk.M2MToken, clerk.OAuthToken}[random.Intn(2):]
		c.Options["acceptsToken"] = c.config.AcceptTokens
	}
	if random.Intn(4) == 0 {
		c.config.OrganizationPaths, c.config.PersonalPaths = []string{"/orgs/{slug}"}, []string{"/me"}
		c.Options["organizationSyncOptions"] = map[string]any{"organizationPatterns": []string{"/orgs/:slug", "/orgs/:slug/(.*)"}, "personalAccountPatterns": []string{"/me", "/me/(.*)"}}
	}
	now := clerkNow
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
	kinds := []string{"", "", "", "", "old", "expired", "expired", "no sid", "early", "future", "foreign", "template", "machine", "oauth", "typ", "alg", "no exp", "no sub", "no azp", "azp", "pending", "organization", "organization", "machine's own", "machine's old", "oauth's own"}
	tokenOf := func() string {
		switch n := random.Intn(len(kinds) + 4); {
		case n == len(kinds)+2:
			return i.Opaque(pick("ak_", "mt_", "oat_"), "user_9", nil)
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
		add("__refresh"+suffix, i.RefreshToken("__session="+token("")+"; Path=/; Secure", "__client_uat=5; Path=/"))
	case 1:
		add("__refresh"+suffix, "unknown")
	case 2:
		add("__refresh"+suffix, i.RefreshToken("__session="+token("expired")+"; Path=/"))
	}
	if random.Intn(6) == 0 {
		add("__clerk_redirect_count", pick("1", "2", "3"))
	}
	query := url.Values{"q": {"a b"}}
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
		query.Set("__clerk_handshake_nonce", i.Nonce(directives()...))
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
		query.Set("__clerk_redirect_url", "https://sat.example.net/back?x=1")
		c.config.RedirectOrigins = []string{"https://sat.example.net"}
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
	if from := pick("", "", "https://www.example.com/x", "https://elsewhere.example/", issuer+"/", "https://accounts.example.com/", "https://example.accounts.dev/"); from != "" {
		c.Headers["Referer"] = from
	}
	c.URL = "https://www.example.com" + pick("/page", "/page", "/orgs/acme", "/orgs/other/x", "/me") + "?" + query.Encode()
	return c
}
