package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/accesscode"
	"github.com/sallyport/auth/providers"
	"github.com/sallyport/auth/session"
)

const (
	// LobeChat's public address, and Go there in front of it.
	chat = "9030"

	// The application of e2e/lobechat, with its own Next Auth and without.
	chatNext    = "9039"
	chatNextOff = "9040"

	// examples/gateway in its three settings: in front of the former with the
	// session handed on and without, and in front of the latter.
	chatKeeps     = "9041"
	chatKeepsNone = "9042"
	chatOff       = "9043"
)

// chatEnv is a .env of LobeChat's.
var chatEnv = map[string]string{
	"NEXT_AUTH_SECRET": sharedSecret, "ACCESS_CODE": accessCode, "NEXTAUTH_URL": local(chat) + "/api/auth",
	"NEXT_PUBLIC_ENABLE_NEXT_AUTH": "1", "NEXT_AUTH_SSO_PROVIDERS": "zitadel，github",
	"ZITADEL_CLIENT_ID": "nextjs", "ZITADEL_CLIENT_SECRET": "nextjs", "ZITADEL_ISSUER": local(clientsIDP),
	"GITHUB_CLIENT_ID": "nextjs", "GITHUB_CLIENT_SECRET": "nextjs", "AUTH_GITHUB_BASE_URL": local(clientsIDP),
}

func startChat(ctx context.Context, dir string, _ map[string]string) error {
	environment := []string{"NEXT_TELEMETRY_DISABLED=1"}
	for name, value := range chatEnv {
		environment = append(environment, name+"="+value)
	}
	for port, more := range map[string]string{chatNext: "NEXT_AUTH_OFF=", chatNextOff: "NEXT_AUTH_OFF=1"} {
		err := start(ctx, "", "http://127.0.0.1:"+port+"/welcome", append(slices.Clip(environment), more),
			"node", "node_modules/next/dist/bin/next", "start", "lobechat", "-H", "127.0.0.1", "-p", port)
		if err != nil {
			return err
		}
	}
	binary := filepath.Join(dir, "gateway")
	build := exec.CommandContext(ctx, "go", "build", "-C", "../examples/gateway", "-o", binary, ".")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	for _, gateway := range []struct{ port, next, keep string }{{chatKeeps, chatNext, "1"}, {chatKeepsNone, chatNext, "0"}, {chatOff, chatNextOff, "0"}} {
		err := start(ctx, dir, local(gateway.port)+"/healthz", append(slices.Clip(environment), "PORT="+gateway.port,
			"UPSTREAM_URL=http://127.0.0.1:"+gateway.next, "GATEWAY_KEEP_SESSION="+gateway.keep), binary)
		if err != nil {
			return err
		}
	}
	config, err := chatConfig("AUTH_USER_ID=subject", "AUTH_ALLOWED_EMAILS=*@example.com")
	if err != nil {
		return err
	}
	front, err := chatFront(config)
	if err != nil {
		return err
	}
	return listen(ctx, chat, front)
}

// chatConfig is what Go makes of the .env, and of more of its lines.
func chatConfig(more ...string) (auth.Config, error) {
	env := maps.Clone(chatEnv)
	for _, line := range more {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	config, err := auth.ConfigFromEnv(func(name string) string { return env[name] }, auth.Parts{Providers: providers.All(), AccessCode: accesscode.FromEnv})
	config.SignInURL, config.ErrorURL = "/next-auth/signin", "/next-auth/error"
	return config, err
}

// chatFront is Go in front of LobeChat: the routes are Go's, unless config only reads,
// and pages are for LobeChat's middleware to protect.
func chatFront(config auth.Config) (http.Handler, error) {
	a, err := auth.New(config)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "127.0.0.1:" + chatNext}))
	mux.Handle("/go/", a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprint(w, a.UserID(who))
	})))
	if !config.ReadOnly {
		mux.Handle("/api/auth/", a)
	}
	return mux, nil
}

// TestChat is a person's way through LobeChat's pages with Go's routes.
func TestChat(t *testing.T) { // LG-06
	browse(t, "browser/chat.mjs", local(chat), sharedSecret, accessCode)
}

// chatter is a person for whom LobeChat's public address is front.
func chatter(t *testing.T, front string) *person {
	p := newPerson(t)
	p.client.Transport = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "localhost:"+chat {
			address = front
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	return p
}

// newChat is a front of its own, with a clock that can be put forward.
func newChat(t *testing.T, config auth.Config) (front string, forward *atomic.Int64) {
	forward = new(atomic.Int64)
	config.Now = func() time.Time { return time.Now().Add(time.Duration(forward.Load())) }
	handler, err := chatFront(config)
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), forward
}

// bySSO signs in as next-auth's client does, whichever side answers.
func (p *person) bySSO(subject string) page {
	p.t.Helper()
	ask := p.begin("zitadel")
	require.Contains(p.t, ask.text, "Ada Lovelace")
	return p.send("GET", ask.at.String()+"&login_hint="+subject, nil)
}

// begin goes to a provider.
func (p *person) begin(provider string) page {
	p.t.Helper()
	var c struct{ CsrfToken string }
	require.NoError(p.t, json.Unmarshal([]byte(p.send("GET", local(chat)+"/api/auth/csrf", nil).text), &c))
	return p.send("POST", local(chat)+"/api/auth/signin/"+provider, url.Values{"csrfToken": {c.CsrfToken}, "callbackUrl": {local(chat) + "/chat"}})
}

// byCode signs in at the form for an access code.
func (p *person) byCode(code string) page {
	p.t.Helper()
	to, fields := p.send("GET", local(chat)+"/api/auth/signin/access-code?callbackUrl=/chat", nil).form(`name="code"`)
	fields.Set("code", code)
	return p.send("POST", to, fields)
}

// whoami is the user's id as LobeChat's server, the gateway's header and Go's GET
// /session have it.
func (p *person) whoami() (server, header, shown string) {
	p.t.Helper()
	var next struct{ Session, Header string }
	require.NoError(p.t, json.Unmarshal([]byte(p.send("GET", local(chat)+"/api/whoami", nil).text), &next))
	var s struct{ User struct{ ID string } }
	require.NoError(p.t, json.Unmarshal([]byte(p.send("GET", local(chat)+"/api/auth/session", nil).text), &s))
	return next.Session, next.Header, s.User.ID
}

func (p *person) sessionCookie() string {
	p.t.Helper()
	for _, c := range p.client.Jar.Cookies(&url.URL{Scheme: "http", Host: "localhost:" + chat, Path: "/"}) {
		if c.Name == cookieNameOf(false, false) {
			return c.Value
		}
	}
	require.Fail(p.t, "no session cookie")
	return ""
}

func TestChatAndGoAgreeOnWhoSomebodyIs(t *testing.T) {
	config, err := chatConfig()
	require.NoError(t, err)
	front, _ := newChat(t, config)
	for way, test := range map[string]struct {
		signIn func(*person) page
		id     string
	}{
		"SSO":         {func(p *person) page { return p.bySSO("ada") }, `^zitadel\|ada$`},
		"access code": {func(p *person) page { return p.byCode(accessCode) }, `^access-code\|.+$`},
	} {
		t.Run(way, func(t *testing.T) {
			p := chatter(t, front)
			require.Equal(t, "/next-auth/signin", p.send("GET", local(chat)+"/chat", nil).at.Path, "nobody is signed in")
			g := test.signIn(p)
			require.Equal(t, local(chat)+"/chat", g.at.String(), g.text)
			server, header, shown := p.whoami()
			require.Regexp(t, test.id, shown)
			require.Equal(t, shown, server)
			require.Empty(t, header)
			require.Equal(t, shown, p.send("GET", local(chat)+"/go/", nil).text)
			require.Contains(t, g.text, `<p id="server">`+shown+`</p>`)

			resp, err := p.client.Get(local(chat) + "/chat")
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, "true", resp.Header.Get("X-Oauth-Authorized"))
		})
	}
}

// writtenAnew is what LobeChat's middleware makes of a session's token.
func writtenAnew(t *testing.T, token string) string {
	t.Helper()
	req, err := http.NewRequest("GET", "http://127.0.0.1:"+chatNext+"/chat", nil)
	require.NoError(t, err)
	name := cookieNameOf(false, false)
	req.AddCookie(&http.Cookie{Name: name, Value: token})
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode, "LobeChat lets the token in")
	for _, c := range resp.Cookies() {
		if c.Name == name {
			require.WithinDuration(t, time.Now().Add(30*24*time.Hour), timeIn(t, c.Value, "exp"), time.Minute, "for 30 days, whatever it was before")
			return c.Value
		}
	}
	require.Fail(t, "LobeChat did not write the cookie anew")
	return ""
}

func timeIn(t *testing.T, token, claim string) time.Time {
	t.Helper()
	payload, err := session.NewCodec(cookieNameOf(false, false), secretsOf([]string{sharedSecret})).Open(token)
	require.NoError(t, err)
	var seconds float64
	require.NoError(t, json.Unmarshal(decoded(t, payload)[claim], &seconds))
	return time.Unix(int64(seconds), 0)
}

// tolerated is how far the clocks of two nodes may differ. Both write "iat"; only one
// wrote "auth_time".
const tolerated = 15 * time.Second

// goLetsIn asks Go, at the time at, whether it takes token.
func goLetsIn(t *testing.T, front string, forward *atomic.Int64, at time.Time, token string) bool {
	t.Helper()
	forward.Store(int64(time.Until(at)))
	req, err := http.NewRequest("GET", "http://"+front+"/go/", nil)
	require.NoError(t, err)
	req.AddCookie(&http.Cookie{Name: cookieNameOf(false, false), Value: token})
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	resp.Body.Close()
	if resp.StatusCode != 200 {
		require.Equal(t, 401, resp.StatusCode)
	}
	return resp.StatusCode == 200
}

// TestChatSessionsEndAsGoSays: the 30 days that LobeChat's middleware gives to each
// session count for nothing where Go decides.
func TestChatSessionsEndAsGoSays(t *testing.T) { // SE-03
	config, err := chatConfig()
	require.NoError(t, err)
	begin := func(t *testing.T, ago time.Duration) (token string) {
		m, err := session.NewManager(config.Session, config.Secrets, func() time.Time { return time.Now().Add(-ago) })
		require.NoError(t, err)
		w := httptest.NewRecorder()
		require.NoError(t, m.Start(w, requestWith(""), &session.Session{Provider: "zitadel", Subject: "ada"}, false))
		return joined(sent(w))
	}
	t.Run("MaxAge after it was written", func(t *testing.T) {
		config.Session = session.Config{MaxAge: time.Minute, UpdateAge: 10 * time.Second}
		front, forward := newChat(t, config)
		token := writtenAnew(t, begin(t, 0))
		end := timeIn(t, token, "iat").Add(time.Minute + tolerated)
		require.True(t, goLetsIn(t, front, forward, end.Add(-2*time.Second), token))
		require.False(t, goLetsIn(t, front, forward, end, token))
	})
	t.Run("Lifetime after the sign-in", func(t *testing.T) {
		config.Session = session.Config{MaxAge: 150 * time.Minute, UpdateAge: time.Minute, Lifetime: 3 * time.Hour}
		front, forward := newChat(t, config)
		token := writtenAnew(t, begin(t, time.Hour))
		end := timeIn(t, token, "auth_time").Add(3 * time.Hour)
		require.True(t, goLetsIn(t, front, forward, end.Add(-2*time.Second), token))
		require.False(t, goLetsIn(t, front, forward, end, token))
	})
}

func TestChatSignOutEndsWhatTheMiddlewareWrote(t *testing.T) { // SE-08
	config, err := chatConfig()
	require.NoError(t, err)
	front, forward := newChat(t, config)
	p := chatter(t, front)
	require.Equal(t, 200, p.byCode(accessCode).code)
	first := p.sessionCookie()
	copies := []string{first, writtenAnew(t, first), writtenAnew(t, writtenAnew(t, first))}
	for _, token := range copies {
		require.True(t, goLetsIn(t, front, forward, time.Now(), token))
	}
	require.Len(t, map[string]bool{copies[0]: true, copies[1]: true, copies[2]: true}, 3, "tokens of their own")

	to, fields := p.send("GET", local(chat)+"/api/auth/signout", nil).form("/signout")
	p.send("POST", to, fields)
	for i, token := range copies {
		require.False(t, goLetsIn(t, front, forward, time.Now(), token), "copy %d", i)
	}

	// LobeChat's middleware goes by the cookie until a page of it asks for the session.
	jar := &url.URL{Scheme: "http", Host: "localhost:" + chat, Path: "/"}
	p.client.Jar.SetCookies(jar, []*http.Cookie{{Name: cookieNameOf(false, false), Value: copies[2]}})
	require.Equal(t, "/chat", p.send("GET", local(chat)+"/chat", nil).at.Path)
	require.Equal(t, "null", strings.TrimSpace(p.send("GET", local(chat)+"/api/auth/session", nil).text))
	require.Equal(t, "/next-auth/signin", p.send("GET", local(chat)+"/chat", nil).at.Path)
}

// TestChatSignsInItself: LobeChat's own Next Auth answers the routes, and Go reads.
func TestChatSignsInItself(t *testing.T) {
	front, _ := newChat(t, auth.Config{
		Secrets: []auth.Secret{auth.NewSecret(sharedSecret)}, ReadOnly: true, UserIDClaim: "userId", SignInURL: "/next-auth/signin",
	})
	p := chatter(t, front)
	require.Equal(t, "/next-auth/signin", p.send("GET", local(chat)+"/go/", nil).at.Path)
	require.Equal(t, local(chat)+"/chat", p.bySSO("ada").at.String())
	server, _, shown := p.whoami()
	require.NotEmpty(t, server)
	require.Equal(t, server, shown, "GET /session of Next Auth")
	require.Equal(t, server, p.send("GET", local(chat)+"/go/", nil).text, "Go")
}

func TestChatBehindTheGateway(t *testing.T) { // LG-06
	for name, test := range map[string]struct{ port, server string }{
		"its own Next Auth, and the session handed on": {chatKeeps, "zitadel|ada"},
		"no Next Auth of its own":                      {chatOff, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := chatter(t, "127.0.0.1:"+test.port)
			require.Equal(t, "/api/auth/signin", p.send("GET", local(chat)+"/chat", nil).at.Path)
			g := p.bySSO("ada")
			require.Equal(t, local(chat)+"/chat", g.at.String())
			require.Equal(t, 200, g.code)
			require.Contains(t, g.text, "<h1>Chat</h1>")
			server, header, shown := p.whoami()
			require.Equal(t, []string{test.server, "zitadel|ada", "zitadel|ada"}, []string{server, header, shown})
			require.Contains(t, p.send("GET", local(chat)+"/chat", nil).text, "<h1>Chat</h1>", "with the cookie as LobeChat has written it")
		})
	}
	t.Run("its own Next Auth, without the session", func(t *testing.T) {
		p := chatter(t, "127.0.0.1:"+chatKeepsNone)
		g := p.byCode(accessCode)
		require.Equal(t, local(chat)+"/next-auth/signin?callbackUrl="+url.QueryEscape(local(chat)+"/chat"), g.at.String(),
			"signed in at the gateway, and sent to sign in again")
	})
}

// TestChatKeepsItsIDsOfMicrosoft: what LobeChat called people who signed in with
// Microsoft is within reach of Enrich, as docs/from-lobechat.md has it.
func TestChatKeepsItsIDsOfMicrosoft(t *testing.T) {
	config, err := chatConfig("NEXT_AUTH_SSO_PROVIDERS=microsoft-entra-id", "AUTH_USER_ID=subject", "AUTH_MICROSOFT_ENTRA_ID_ID=ms-id",
		"AUTH_MICROSOFT_ENTRA_ID_SECRET=ms-secret", "AUTH_MICROSOFT_ENTRA_ID_ISSUER=http://localhost:4101/"+consumers+"/v2.0")
	require.NoError(t, err)
	var ours, theirs string
	config.Enrich = func(_ context.Context, s *session.Session, id *auth.Identity) error {
		raw, _ := id.Token.Extra("id_token").(string)
		token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			return err
		}
		var claims jwt.Claims
		err = token.UnsafeClaimsWithoutVerification(&claims)
		ours, theirs = id.Subject, claims.Subject
		s.Subject = claims.Subject
		return err
	}
	front, _ := newChat(t, config)
	p := chatter(t, front)
	to, fields := p.begin("microsoft-entra-id").form("<button")
	require.Equal(t, local(chat)+"/chat", p.send("POST", to, fields).at.String())
	server, _, shown := p.whoami()
	require.NotEmpty(t, theirs)
	require.NotEqual(t, ours, theirs)
	require.Equal(t, []string{theirs, theirs}, []string{server, shown})
}
