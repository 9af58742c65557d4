package clerk_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
)

// skewed is an instance whose clock is right, and the Config of a backend whose clock
// is off by that much.
func skewed(production bool, off time.Duration) (*clerktest.Instance, clerk.Config) {
	at := time.Now().Truncate(time.Second)
	instance := clerktest.New(clerktest.Config{Production: production, Now: func() time.Time { return at }})
	return instance, clerk.Config{
		PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey), JWTKey: instance.PEM(),
		Now: func() time.Time { return at.Add(off) },
	}
}

// TestWrongClockEndsTheCircle: whoever is signed in at Clerk is sent straight back by
// its sign-in page and by its handshake, each time with a token of that moment.
func TestWrongClockEndsTheCircle(t *testing.T) {
	for off, want := range map[time.Duration]string{
		-4 * time.Second:  "hello",
		-8 * time.Second:  "8s behind",
		-30 * time.Second: "30s behind",
		-70 * time.Second: "1m10s behind",
		0:                 "hello",
		30 * time.Second:  "hello",
		64 * time.Second:  "hello",
		70 * time.Second:  "1m10s ahead of",
	} {
		for _, production := range []bool{true, false} {
			name := off.String() + map[bool]string{true: ", production"}[production]
			var log bytes.Buffer
			instance, config := skewed(production, off)
			now := instance.Token
			session := func() string { return "__session=" + now(nil) + "; Path=/" }
			uat := "__client_uat=" + strconv.FormatInt(time.Now().Unix()-9, 10) + "; Path=/"
			clerks := roundTrip(func(r *http.Request) (*http.Response, error) {
				if strings.HasPrefix(r.URL.Path, "/v1/clients/") {
					return inProcess{instance}.RoundTrip(r)
				}
				to, err := url.Parse(r.URL.Query().Get("redirect_url"))
				require.NoError(t, err)
				if r.URL.Path == "/v1/client/handshake" {
					q := to.Query()
					q.Set("__clerk_handshake_nonce", instance.Nonce(session(), uat, "__clerk_db_jwt=dvb_1; Path=/"))
					to.RawQuery = q.Encode()
				}
				return &http.Response{StatusCode: 307, Header: http.Header{"Location": {to.String()}}, Body: http.NoBody, Request: r}, nil
			})
			config.HTTPClient = &http.Client{Transport: clerks}
			b, err := clerk.New(config)
			require.NoError(t, err)
			a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(sealing)}, Backend: b, Now: config.Now, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			require.NoError(t, err)
			site := httptest.NewServer(a.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })))
			jar, err := cookiejar.New(nil)
			require.NoError(t, err)
			at, err := url.Parse(site.URL)
			require.NoError(t, err)
			jar.SetCookies(at, []*http.Cookie{{Name: "__clerk_db_jwt", Value: "dvb_1"}, {Name: "__session", Value: now(nil)}, {Name: "__client_uat", Value: "1"}})
			hops := 0
			browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
				if hops++; hops > 9 {
					return http.ErrUseLastResponse
				}
				return nil
			}, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.URL.Host != at.Host {
					return clerks(r)
				}
				r.Header.Set("Sec-Fetch-Dest", "document")
				r.Header.Set("Sec-Fetch-Mode", "navigate")
				return http.DefaultTransport.RoundTrip(r)
			})}
			resp, err := browser.Get(site.URL + "/x")
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			site.Close()
			if want == "hello" {
				require.Equal(t, "hello", string(body), name)
				require.NotContains(t, log.String(), "clock", name)
				continue
			}
			require.LessOrEqual(t, hops, 4, name)
			require.Equal(t, 400, resp.StatusCode, name)
			require.Contains(t, string(body), "A clock is wrong", name)
			require.Contains(t, log.String(), "the clock here is about "+want+" Clerk's", name)
			require.Contains(t, log.String(), "CLERK_CLOCK_SKEW", name)
			require.NotContains(t, log.String(), "eyJ", name)
		}
	}
}

// TestWrongClockIsToldAfterOneHandshake, and to nobody whose token may be old for other
// reasons.
func TestWrongClockIsToldAfterOneHandshake(t *testing.T) {
	const once = "; __clerk_redirect_count=1"
	for _, production := range []bool{true, false} {
		instance, config := skewed(production, 0)
		config.APIURL = serve(t, instance)
		b, err := clerk.New(config)
		require.NoError(t, err)
		now := config.Now().Unix()
		signed := func(claim string, at int64) string {
			return instance.Token(func(_, claims map[string]any) { delete(claims, "nbf"); claims[claim] = at })
		}
		future, early, expired := signed("iat", now+6), signed("nbf", now+6), signed("exp", now-60)
		cookies := "__clerk_db_jwt=dvb_1; __client_uat=1; __session="
		brought := func(token string) string {
			return "/?__clerk_handshake=" + instance.HandshakeToken("__session="+token+"; Path=/")
		}
		post := page("/", "Cookie", cookies+future+once)
		post.Method = "POST"
		script := page("/", "Cookie", cookies+future+once)
		script.Header.Set("Sec-Fetch-Dest", "empty")
		const clock = "a clock is wrong"
		for name, test := range map[string]struct {
			request *http.Request
			want    string
		}{
			"from the future":                {page("/", "Cookie", cookies+future), "handshake session-token-iat-in-the-future"},
			"from the future, once more":     {page("/", "Cookie", cookies+future+once), clock},
			"not yet":                        {page("/", "Cookie", cookies+early), "handshake session-token-nbf"},
			"not yet, once more":             {page("/", "Cookie", cookies+early+once), clock},
			"an application's call":          {script, "signed-out session-token-iat-in-the-future"},
			"a form":                         {post, "signed-out session-token-iat-in-the-future"},
			"expired, once more":             {page("/", "Cookie", cookies+expired+once), "handshake session-token-expired-refresh-non-eligible-no-refresh-cookie"},
			"brought from the future":        {page(brought(future)), clock},
			"brought early":                  {page(brought(early)), clock},
			"brought, and expired since":     {page(brought(expired), "Cookie", cookies+instance.Token(nil)), "signed-in user_1"},
			"brought expired just now":       {page(brought(expired), "Cookie", cookies+instance.Token(nil)+once), clock},
			"a stranger's from the future":   {page(brought(clerktest.New(clerktest.Config{Production: production}).Token(set("iat", now+6))), "Cookie", cookies+instance.Token(nil)), "signed-in user_1"},
			"another issuer's, and too soon": {page(brought(instance.Token(func(_, claims map[string]any) { claims["iat"], claims["iss"] = now+6, "https://clerk.other.example" })), "Cookie", cookies+instance.Token(nil)), "signed-in user_1"},
		} {
			s, err := b.Decide(test.request, origin)
			if test.want == clock {
				require.ErrorIs(t, err, auth.ErrClock, name)
				require.Nil(t, s, name)
				continue
			}
			require.NoError(t, err, name)
			got := string(s.Status) + " " + s.Reason
			if s.Status == clerk.SignedIn {
				got += s.Claims.UserID
			}
			require.Equal(t, test.want, got, name)
		}
	}
}
