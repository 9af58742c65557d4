package clerk_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
	"github.com/sallyport/auth/providers/providertest"
	"github.com/sallyport/auth/session"
)

var origin = &url.URL{Scheme: "https", Host: "www.example.com"}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time          { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// serve answers as the Backend API of instance, and returns its address.
func serve(t testing.TB, instance *clerktest.Instance) string {
	api := httptest.NewServer(instance)
	t.Cleanup(api.Close)
	return api.URL
}

// setup is an instance, its API, and a backend that verifies with fetched keys.
func setup(t testing.TB, production bool, change func(*clerk.Config)) (*clerktest.Instance, *clerk.Backend, *clock) {
	at := &clock{now: time.Now()}
	instance := clerktest.New(clerktest.Config{Production: production, Now: at.Now})
	c := clerk.Config{PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey), APIURL: serve(t, instance), Now: at.Now}
	if change != nil {
		change(&c)
	}
	b, err := clerk.New(c)
	require.NoError(t, err)
	return instance, b, at
}

func page(path string, headers ...string) *http.Request {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Sec-Fetch-Dest", "document")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func decide(t testing.TB, b *clerk.Backend, r *http.Request) string {
	t.Helper()
	s, err := b.Decide(r, origin)
	require.NoError(t, err)
	if s.Status == clerk.SignedIn {
		require.NotNil(t, s.Claims)
		return "signed-in " + s.Claims.UserID
	}
	require.Nil(t, s.Claims)
	return string(s.Status) + " " + s.Reason
}

func bearer(token string) *http.Request { return page("/", "Authorization", "Bearer "+token) }

func set(name string, value any) func(_, claims map[string]any) {
	return func(_, claims map[string]any) {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
}

func setHeader(name string, value any) func(header, _ map[string]any) {
	return func(header, _ map[string]any) {
		if header[name] = value; value == nil {
			delete(header, name)
		}
	}
}

func TestTokens(t *testing.T) { // CL-01
	instance, b, at := setup(t, true, func(c *clerk.Config) { c.AuthorizedParties = []string{"https://www.example.com"} })
	now := at.Now().Unix()
	party := func(change func(header, claims map[string]any)) func(header, claims map[string]any) {
		return func(header, claims map[string]any) {
			claims["azp"] = "https://www.example.com"
			if change != nil {
				change(header, claims)
			}
		}
	}
	for name, test := range map[string]struct {
		change func(header, claims map[string]any)
		want   string
	}{
		"good":                           {nil, "signed-in user_1"},
		"no cat":                         {setHeader("cat", nil), "signed-in user_1"},
		"no typ":                         {setHeader("typ", nil), "signed-in user_1"},
		"the skew allows it":             {set("exp", now-4), "signed-in user_1"},
		"expired":                        {set("exp", now-5), "handshake session-token-expired-refresh-non-eligible-no-refresh-cookie"},
		"no exp":                         {set("exp", nil), "signed-out token-verification-failed"},
		"exp is text":                    {set("exp", "9999999999"), "signed-out token-verification-failed"},
		"not yet":                        {set("nbf", now+6), "handshake session-token-nbf"},
		"from the future":                {set("iat", now+6), "handshake session-token-iat-in-the-future"},
		"no subject":                     {set("sub", nil), "signed-out token-verification-failed"},
		"subject is a number":            {set("sub", 1), "signed-out token-verification-failed"},
		"a machine's":                    {set("sub", "mch_1"), "signed-out token-type-mismatch"},
		"from a template":                {setHeader("cat", "cl_B7d4PD222AAA"), "signed-out token-type-mismatch"},
		"cat is no text":                 {setHeader("cat", []string{"cl_B7d4PD111AAA"}), "signed-out token-type-mismatch"},
		"an OAuth access token":          {setHeader("typ", "at+jwt"), "signed-out token-type-mismatch"},
		"another typ":                    {setHeader("typ", "JOSE"), "signed-out token-invalid"},
		"alg none":                       {setHeader("alg", "none"), "signed-out token-invalid-algorithm"},
		"HS256":                          {setHeader("alg", "HS256"), "signed-out token-invalid-algorithm"},
		"RS512":                          {setHeader("alg", "RS512"), "signed-out token-invalid-algorithm"},
		"crit":                           {setHeader("crit", []string{"b64"}), "signed-out token-invalid"},
		"an unknown key":                 {setHeader("kid", "other"), "signed-out jwk-kid-mismatch"},
		"no party":                       {set("azp", nil), "signed-out token-invalid-authorized-parties"},
		"another party":                  {set("azp", "https://evil.example"), "signed-out token-invalid-authorized-parties"},
		"another instance's issuer":      {set("iss", "https://clerk.evil.com"), "signed-out token-invalid-issuer"},
		"an issuer of Clerk's own shape": {set("iss", "https://x.clerk.accounts.evil.dev"), "signed-out token-invalid-issuer"},
		"issuer with a slash":            {set("iss", "https://clerk.example.com/"), "signed-out token-invalid-issuer"},
		"too large":                      {set("pad", strings.Repeat("a", 13<<10)), "signed-out token-invalid"},
		"no issuer":                      {set("iss", nil), "signed-out token-invalid-issuer"},
	} {
		require.Equal(t, test.want, decide(t, b, bearer(instance.Token(party(test.change)))), name)
	}
	good := instance.Token(party(nil))
	parts := strings.Split(good, ".")
	foreign := clerktest.New(clerktest.Config{Production: true, Now: at.Now}).Token(func(header, claims map[string]any) {
		raw, _ := base64.RawURLEncoding.DecodeString(parts[0])
		header["kid"] = strings.Split(string(raw), `"kid":"`)[1][:30]
	})
	for name, token := range map[string]string{
		"another signature": good[:len(good)-4] + "AAAA", "another's claims": parts[0] + "." + providertest.Encode(map[string]any{"sub": "user_2"}) + "." + parts[2],
		"two parts": parts[0] + "." + parts[1], "no JSON": "a.b.c", "padding": good + "=", "a line break": good[:9] + "\n" + good[9:], "a line break at the end": good + "\n", "one in the signature": good[:len(good)-9] + "\r\n" + good[len(good)-9:],
		"another spelling of the signature": good[:len(good)-1] + string("BCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_A"[strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", good[len(good)-1])]), "huge": strings.Repeat("a", 17<<10),
		"another instance's key": foreign, "empty": "", "four parts": good + ".x",
	} {
		require.True(t, strings.HasPrefix(decide(t, b, bearer(token)), "signed-out "), name)
	}
}

func TestHeaderWins(t *testing.T) { // CL-03
	instance, b, _ := setup(t, true, nil)
	other := instance.Token(set("sub", "user_2"))
	cookies := "__session=" + other + "; __client_uat=1"
	require.Equal(t, "signed-in user_2", decide(t, b, page("/", "Cookie", cookies)))
	require.Equal(t, "signed-in user_1", decide(t, b, page("/", "Cookie", cookies, "Authorization", "Bearer "+instance.Token(nil))))
	require.Equal(t, "signed-out token-invalid", decide(t, b, page("/", "Cookie", cookies, "Authorization", "Bearer nonsense")), "never mixed")
	require.Equal(t, "signed-in user_2", decide(t, b, page("/", "Cookie", cookies, "Authorization", "Basic nonsense")))
}

func TestKeysAreReplacedAndLimited(t *testing.T) { // CL-02, JW-01, JW-02, JW-03
	instance, b, at := setup(t, true, nil)
	old := instance.Token(set("exp", at.Now().Unix()+3600))
	var wg sync.WaitGroup
	for range 50 {
		wg.Add(1)
		go func() { defer wg.Done(); _, _ = b.Decide(bearer(old), origin) }()
	}
	wg.Wait()
	require.Equal(t, 1, instance.Hits("/v1/jwks"), "one fetch is shared")
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(old)))
	for range 100 {
		require.Equal(t, "signed-out jwk-kid-mismatch", decide(t, b, bearer(instance.Token(setHeader("kid", "unknown")))))
	}
	require.Equal(t, 2, instance.Hits("/v1/jwks"), "unknown keys cause no flood")
	instance.RotateKeys()
	at.advance(31 * time.Second)
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(instance.Token(nil))), "a new key is found")
	require.Equal(t, 3, instance.Hits("/v1/jwks"))
	require.Equal(t, "signed-out jwk-kid-mismatch", decide(t, b, bearer(old)), "a removed key is gone")
	at.advance(5*time.Minute + time.Second)
	instance.SetDown(true)
	_, err := b.Decide(bearer(instance.Token(nil)), origin)
	require.Error(t, err, "expired keys and no API: nobody can tell")
	instance.SetDown(false)
	at.advance(3 * time.Second)
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(instance.Token(nil))))
}

func TestClaimsAreOfOneRequest(t *testing.T) { // MW-11
	instance, b, _ := setup(t, true, nil)
	r := bearer(instance.Token(nil))
	for range 3 {
		s := mustDecide(t, b, r)
		require.Equal(t, "user_1", s.Claims.UserID)
		s.Claims.UserID, s.Claims.OrganizationID = "user_2", "org_2"
		copy(s.Claims.Raw("sub"), `"evil_1"`)
		require.Equal(t, `"user_1"`, string(s.Claims.Raw("sub")))
	}
}

func TestRotationRightAfterAFetch(t *testing.T) { // JW-02
	instance, b, at := setup(t, true, nil)
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(instance.Token(nil))))
	instance.RotateKeys()
	at.advance(time.Second)
	require.Equal(t, "signed-in user_1", decide(t, b, bearer(instance.Token(nil))))
}

// TestInstancesDoNotMix: clerk-sdk-go caches keys by their id alone, so that a
// token of one instance counts at another that has no such key.
func TestInstancesDoNotMix(t *testing.T) { // CL-01
	one, b1, _ := setup(t, true, nil)
	two, b2, _ := setup(t, true, nil)
	require.Equal(t, "signed-in user_1", decide(t, b1, bearer(one.Token(nil))))
	require.Equal(t, "signed-out jwk-kid-mismatch", decide(t, b2, bearer(one.Token(nil))))
	require.Equal(t, "signed-in user_1", decide(t, b2, bearer(two.Token(nil))))
}

func TestWithoutTheNetwork(t *testing.T) {
	signer := clerktest.New(clerktest.Config{Production: true})
	text := signer.PEM()
	bare := strings.ReplaceAll(strings.TrimSpace(strings.NewReplacer("-----BEGIN PUBLIC KEY-----", "", "-----END PUBLIC KEY-----", "").Replace(text)), "\n", "")
	for name, key := range map[string]string{"PEM": text, "CRLF": strings.ReplaceAll(text, "\n", "\r\n"), "escaped": strings.ReplaceAll(text, "\n", `\n`), "bare": bare} {
		b, err := clerk.New(clerk.Config{PublishableKey: signer.PublishableKey, SecretKey: auth.NewSecret(signer.SecretKey), JWTKey: key, APIURL: "http://127.0.0.1:1"})
		require.NoError(t, err, name)
		require.Equal(t, "signed-in user_1", decide(t, b, bearer(signer.Token(nil))), name)
		require.Equal(t, "signed-out token-invalid-signature", decide(t, b, bearer(clerktest.New(clerktest.Config{Production: true}).Token(nil))), name)
	}
}

func TestConfig(t *testing.T) { // LG-06
	i := clerktest.New(clerktest.Config{})
	key := func(text string) func(*clerk.Config) {
		return func(c *clerk.Config) { c.PublishableKey = "pk_test_" + base64.StdEncoding.EncodeToString([]byte(text)) }
	}
	for name, test := range map[string]struct {
		change func(*clerk.Config)
		want   string // in the error; none if empty
	}{
		"as it is":             {func(*clerk.Config) {}, ""},
		"no key":               {func(c *clerk.Config) { c.PublishableKey = "" }, "PublishableKey"},
		"a secret as key":      {func(c *clerk.Config) { c.PublishableKey = i.SecretKey }, "PublishableKey"},
		"of another kind":      {func(c *clerk.Config) { c.PublishableKey = strings.Replace(i.PublishableKey, "test", "prod", 1) }, "PublishableKey"},
		"four parts":           {func(c *clerk.Config) { c.PublishableKey += "_x" }, "PublishableKey"},
		"no base64":            {func(c *clerk.Config) { c.PublishableKey = "pk_test_!!!!" }, "PublishableKey"},
		"no padding":           {func(c *clerk.Config) { c.PublishableKey = strings.TrimRight(i.PublishableKey, "=") }, ""},
		"no dot":               {key("localhost$"), "PublishableKey"},
		"no dollar":            {key("clerk.example.com"), "PublishableKey"},
		"two dollars":          {key("clerk.example.com$$"), "PublishableKey"},
		"a path":               {key("clerk.example.com/x$"), "PublishableKey"},
		"a user":               {key("me@clerk.example.com$"), "PublishableKey"},
		"a port":               {key("clerk.example.com:8443$"), ""},
		"no host":              {key("$"), "PublishableKey"},
		"no secret":            {func(c *clerk.Config) { c.SecretKey = auth.Secret{} }, "SecretKey"},
		"a live secret":        {func(c *clerk.Config) { c.SecretKey = auth.NewSecret("sk_live_x") }, ""},
		"a bad PEM":            {func(c *clerk.Config) { c.JWTKey = "nonsense" }, "JWTKey"},
		"API by http":          {func(c *clerk.Config) { c.APIURL = "http://api.clerk.com" }, "APIURL"},
		"API with a query":     {func(c *clerk.Config) { c.APIURL = "https://api.clerk.com?x=1" }, "APIURL"},
		"API with a fragment":  {func(c *clerk.Config) { c.APIURL = "https://api.clerk.com#x" }, "APIURL"},
		"API on loopback":      {func(c *clerk.Config) { c.APIURL = "http://127.0.0.1:8080" }, ""},
		"a proxy by http":      {func(c *clerk.Config) { c.ProxyURL = "http://example.com/__clerk" }, "ProxyURL"},
		"a proxy's path":       {func(c *clerk.Config) { c.ProxyURL = "/__clerk" }, ""},
		"no path of a proxy":   {func(c *clerk.Config) { c.ProxyURL = "/" }, "ProxyURL"},
		"another host's proxy": {func(c *clerk.Config) { c.ProxyURL = "//evil.example/__clerk" }, "ProxyURL"},
		"a proxy's backslash":  {func(c *clerk.Config) { c.ProxyURL = "/\\evil.example/__clerk" }, "ProxyURL"},
		"a proxy with a query": {func(c *clerk.Config) { c.ProxyURL = "/__clerk?a=b" }, "ProxyURL"},
		"a proxy's name":       {func(c *clerk.Config) { c.ProxyURL = "__clerk" }, "ProxyURL"},
		"its own primary": {func(c *clerk.Config) {
			c.Satellite, c.Domain, c.SignInURL = true, "sat.example.net", "https://SAT.example.net:443/in"
		}, "on the satellite itself"},
		"its own primary, by its proxy": {func(c *clerk.Config) {
			c.Satellite, c.ProxyURL, c.SignInURL = true, "https://sat.example.net/__clerk", "https://sat.example.net/in"
		}, "on the satellite itself"},
		"a primary on another port": {func(c *clerk.Config) {
			c.Satellite, c.Domain, c.SignInURL = true, "localhost:3001", "http://localhost:3000/in"
		}, ""},
		"a primary above it": {func(c *clerk.Config) {
			c.Satellite, c.Domain, c.SignInURL = true, "sat.example.net", "https://example.net/in"
		}, ""},
		"a page of its own, no satellite": {func(c *clerk.Config) {
			c.Domain, c.SignInURL = "example.net", "https://example.net/in"
		}, ""},
		"a party with path":    {func(c *clerk.Config) { c.AuthorizedParties = []string{"https://example.com/"} }, "no origin"},
		"a party without host": {func(c *clerk.Config) { c.AuthorizedParties = []string{"https://"} }, "no origin"},
		"a host as party":      {func(c *clerk.Config) { c.AuthorizedParties = []string{"example.com"} }, "no origin"},
		"an app as party":      {func(c *clerk.Config) { c.AuthorizedParties = []string{"app://example"} }, ""},
		"no party":             {func(c *clerk.Config) { c.AuthorizedParties = []string{} }, "AuthorizedParties"},
		"nowhere to go":        {func(c *clerk.Config) { c.RedirectOrigins = []string{} }, "RedirectOrigins"},
		"a way to an app":      {func(c *clerk.Config) { c.RedirectOrigins = []string{"app://example.com"} }, "RedirectOrigins"},
		"ways to websites":     {func(c *clerk.Config) { c.RedirectOrigins = []string{"https://example.com", "http://localhost:3000"} }, ""},
		"a page's path":        {func(c *clerk.Config) { c.SignInURL, c.SignUpURL = "/sign-in", "/sign-up?x=1" }, ""},
		"another host's path":  {func(c *clerk.Config) { c.SignInURL = "//evil.example/sign-in" }, "SignInURL"},
		"a backslash":          {func(c *clerk.Config) { c.SignInURL = "/\\evil.example/sign-in" }, "SignInURL"},
		"a tab":                {func(c *clerk.Config) { c.SignUpURL = "/\t/evil.example/sign-in" }, "SignUpURL"},
		"a page without slash": {func(c *clerk.Config) { c.SignUpURL = "sign-up" }, "SignUpURL"},
		"a page that is none":  {func(c *clerk.Config) { c.SignInURL = "https://%zz/" }, "SignInURL"},
		"a page of no host":    {func(c *clerk.Config) { c.SignUpURL = "https:/sign-up" }, "SignUpURL"},
		"a script as page":     {func(c *clerk.Config) { c.SignUpURL = "javascript://example.com/%0aalert(1)" }, "SignUpURL"},
		"pages by http":        {func(c *clerk.Config) { c.SignInURL, c.SignUpURL = "http://localhost/in", "http://localhost/up" }, ""},
		"satellite of nobody":  {func(c *clerk.Config) { c.Satellite, c.SignInURL = true, "https://example.com/in" }, "Domain or ProxyURL"},
		"no sign-in page":      {func(c *clerk.Config) { c.Satellite, c.Domain = true, "sat.example" }, "SignInURL, the address of the primary"},
		"a satellite's own":    {func(c *clerk.Config) { c.Satellite, c.Domain, c.SignInURL = true, "sat.example", "/sign-in" }, "SignInURL, the address of the primary"},
		"a live one's own": {func(c *clerk.Config) {
			c.Satellite, c.Domain, c.SignInURL, c.PublishableKey = true, "sat.example", "/sign-in", live
		}, "SignInURL, the address of the primary"},
		"a live satellite": {func(c *clerk.Config) { c.Satellite, c.Domain, c.PublishableKey = true, "sat.example", live }, ""},
		"a proxied satellite": {func(c *clerk.Config) {
			c.Satellite, c.ProxyURL, c.PublishableKey = true, "https://sat.example/__clerk", live
		}, ""},
		"a domain with a path":   {func(c *clerk.Config) { c.Domain = "sat.example/x" }, "Domain"},
		"a domain with a user":   {func(c *clerk.Config) { c.Domain = "me@sat.example" }, "Domain"},
		"a domain that is none":  {func(c *clerk.Config) { c.Domain = "%zz" }, "Domain"},
		"no kind of token":       {func(c *clerk.Config) { c.AcceptTokens = []clerk.TokenType{} }, "AcceptTokens is empty"},
		"an unknown kind":        {func(c *clerk.Config) { c.AcceptTokens = []clerk.TokenType{clerk.APIKey, "password"} }, "\"password\" is no kind"},
		"every kind":             {func(c *clerk.Config) { c.AcceptTokens = everyToken }, ""},
		"no audience":            {func(c *clerk.Config) { c.Audiences = []string{} }, "Audiences"},
		"an empty audience":      {func(c *clerk.Config) { c.Audiences = []string{"https://example.com", ""} }, "Audiences"},
		"time runs backwards":    {func(c *clerk.Config) { c.ClockSkew = -time.Nanosecond }, "ClockSkew"},
		"more than a minute":     {func(c *clerk.Config) { c.ClockSkew = time.Minute + 1 }, "ClockSkew"},
		"a minute":               {func(c *clerk.Config) { c.ClockSkew = time.Minute }, ""},
		"personal with a name":   {func(c *clerk.Config) { c.PersonalPaths = []string{"/me/{slug}"} }, "want one such as"},
		"an organization's none": {func(c *clerk.Config) { c.OrganizationPaths = []string{"/me"} }, "want one such as"},
	} {
		c := clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey)}
		test.change(&c)
		b, err := clerk.New(c)
		if test.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, test.want, name)
		require.Nil(t, b, name)
		require.NotContains(t, err.Error(), i.SecretKey, name)
		require.Equal(t, 1, strings.Count(err.Error(), "clerk: "), "%s: nothing else: %v", name, err)
	}
	_, err := clerk.New(clerk.Config{ClockSkew: time.Hour, Domain: "/"})
	for _, field := range []string{"PublishableKey", "SecretKey", "ClockSkew", "Domain"} {
		require.ErrorContains(t, err, field, "all at once")
	}
}

// live is the publishable key of a production instance.
const live = "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k"

func TestHandshakeStaysOnTheHost(t *testing.T) {
	i := clerktest.New(clerktest.Config{})
	b, err := clerk.New(clerk.Config{PublishableKey: i.PublishableKey, SecretKey: auth.NewSecret(i.SecretKey), JWTKey: i.PEM(), APIURL: "http://127.0.0.1:1"})
	require.NoError(t, err)
	for _, path := range []string{"//evil.test/a", "/\\evil.test", "/%2f%2fevil.test", "/@evil.test", "/.evil.test"} {
		r := page("/")
		r.URL = &url.URL{Path: path}
		r.Header.Set("X-Forwarded-Host", "evil.test")
		r.Header.Set("X-Forwarded-Proto", "javascript")
		s, err := b.Decide(r, origin)
		require.NoError(t, err)
		to, err := url.Parse(s.Header.Get("Location"))
		require.NoError(t, err)
		require.Equal(t, i.FrontendAPI, to.Host)
		back, err := url.Parse(to.Query().Get("redirect_url"))
		require.NoError(t, err)
		require.Equal(t, "www.example.com", back.Host, path)
		r.URL.RawQuery = "__clerk_handshake=" + i.HandshakeToken("__session="+i.Token(nil)+"; Path=/")
		s, err = b.Decide(r, origin)
		require.NoError(t, err)
		back, err = url.Parse(s.Header.Get("Location"))
		require.NoError(t, err)
		require.Equal(t, "www.example.com", back.Host, path)
	}
	r := page("/?__clerk_redirect_url=https%3A%2F%2Fevil.test%2F", "Cookie", "__clerk_db_jwt=dvb_secret")
	require.NotContains(t, mustDecide(t, b, r).Header.Get("Location"), "https://evil.test", "the development browser goes to known satellites only")
}

func mustDecide(t testing.TB, b *clerk.Backend, r *http.Request) *clerk.State {
	s, err := b.Decide(r, origin)
	require.NoError(t, err)
	return s
}

func TestInTheAuthenticator(t *testing.T) {
	instance, b, at := setup(t, true, nil)
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: origin.String(), Backend: b, Now: at.Now})
	require.NoError(t, err)
	site := a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		state, ok := clerk.FromContext(r.Context())
		require.True(t, ok)
		require.Equal(t, who.Subject, state.Claims.UserID)
		_, _ = w.Write([]byte("hello " + who.Subject))
	}))
	send := func(r *http.Request) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		return w
	}
	anonymous := send(page("/report?x=1", "Sec-Fetch-Mode", "navigate"))
	require.Equal(t, 303, anonymous.Code)
	require.Equal(t, "https://accounts.example.com/sign-in?redirect_url=https%3A%2F%2Fwww.example.com%2Freport%3Fx%3D1", anonymous.Header().Get("Location"))
	require.Equal(t, "signed-out", anonymous.Header().Get("X-Clerk-Auth-Status"))
	api := httptest.NewRequest("GET", "/report", nil)
	require.Equal(t, 401, send(api).Code)
	token := instance.Token(nil)
	cookies := "__client_uat=1; __session=" + token
	require.Equal(t, "hello user_1", send(page("/", "Cookie", cookies)).Body.String())
	lost := send(page("/x", "Cookie", "__client_uat=1"))
	require.Equal(t, 307, lost.Code)
	require.True(t, strings.HasPrefix(lost.Header().Get("Location"), "https://clerk.example.com/v1/client/handshake?"))
	require.Equal(t, "no-store", lost.Header().Get("Cache-Control"))
	pending := instance.Token(set("sts", "pending"))
	require.Equal(t, 303, send(page("/", "Sec-Fetch-Mode", "navigate", "Cookie", "__client_uat=1; __session="+pending)).Code)
	require.Contains(t, send(page("/api/auth/session", "Cookie", cookies)).Body.String(), `"id":"user_1"`)
	require.Equal(t, 303, send(page("/api/auth/signin?callbackUrl=/x", "Sec-Fetch-Mode", "navigate")).Code)

	form := send(page("/api/auth/csrf", "Cookie", cookies))
	csrf := strings.Split(form.Body.String(), `"`)[3]
	out := httptest.NewRequest("POST", "/api/auth/signout", strings.NewReader(url.Values{"csrfToken": {csrf}}.Encode()))
	out.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	out.Header.Set("Cookie", cookies+"; "+strings.Split(form.Header().Get("Set-Cookie"), ";")[0])
	ended := send(out)
	require.Equal(t, 303, ended.Code, ended.Body)
	require.Equal(t, []string{"sess_1"}, instance.Revoked())
	require.NoError(t, b.SignOut(httptest.NewRecorder(), api, &session.Session{ID: "sess_2", Provider: "github"}, true))
	require.Len(t, instance.Revoked(), 1, "another's session is none of Clerk's")
	require.Contains(t, strings.Join(ended.Header().Values("Set-Cookie"), "\n"), "__session=; Path=/; Max-Age=0")

	at.advance(6 * time.Minute)
	instance.SetDown(true)
	down := send(page("/", "Sec-Fetch-Mode", "navigate", "Cookie", "__client_uat=1; __session="+instance.Token(nil)))
	require.Equal(t, 503, down.Code, "nothing can be decided")
	require.NotEmpty(t, down.Header().Get("Retry-After"))
}

func TestFromEnv(t *testing.T) { // LG-06
	i := clerktest.New(clerktest.Config{})
	env := map[string]string{"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": i.PublishableKey, "CLERK_SECRET_KEY": i.SecretKey, "CLERK_JWT_KEY": i.PEM(), "CLERK_AUTHORIZED_PARTIES": "https://example.com, https://www.example.com"}
	config, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, auth.Parts{Backend: clerk.FromEnv})
	require.NoError(t, err)
	require.NotNil(t, config.Backend)
	require.Empty(t, config.Providers)
	_, err = auth.New(config)
	require.NoError(t, err)
	_, err = auth.ConfigFromEnv(func(name string) string { return env[name] }, auth.Parts{})
	require.ErrorContains(t, err, "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY turns on Clerk")
	env["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"], env["CLERK_SECRET_KEY"], env["CLERK_JWT_KEY"] = "pk_test_x", "", "nonsense"
	_, err = auth.ConfigFromEnv(func(name string) string { return env[name] }, auth.Parts{Backend: clerk.FromEnv})
	for _, name := range []string{"NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY", "CLERK_JWT_KEY"} {
		require.ErrorContains(t, err, name)
	}
	env["CLERK_SECRET_KEY"], env["CLERK_AUTHORIZED_PARTIES"] = "pk_secret", "example.com"
	_, err = auth.ConfigFromEnv(func(name string) string { return env[name] }, auth.Parts{Backend: clerk.FromEnv})
	require.ErrorContains(t, err, "CLERK_SECRET_KEY is no secret key")
	require.ErrorContains(t, err, "CLERK_AUTHORIZED_PARTIES is not a list of origins")
	require.NotContains(t, err.Error(), "pk_secret")
}
