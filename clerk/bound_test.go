package clerk_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/clerk/clerktest"
	"github.com/sallyport/auth/session"
)

// from is r, of the client with that address.
func from(address string, r *http.Request) *http.Request {
	r.RemoteAddr = address + ":1"
	return r
}

// TestStrangersCostFewCalls: whatever it is that a stranger makes up, one client has so
// much of it asked about, and others have all of theirs.
func TestStrangersCostFewCalls(t *testing.T) { // RL-03, AC-02
	for name, kind := range map[string]struct {
		path     string
		made     func(i *clerktest.Instance, n int) *http.Request
		answered string // once it is bounded
		good     func(i *clerktest.Instance) *http.Request
	}{
		"handshakes": {"/v1/clients/handshake_payload", func(_ *clerktest.Instance, n int) *http.Request {
			return page(fmt.Sprintf("/?__clerk_handshake_nonce=made-up-%d", n))
		}, "signed-out session-token-and-uat-missing", func(i *clerktest.Instance) *http.Request {
			return page("/?__clerk_handshake_nonce=" + i.Nonce("__session="+i.Token(nil)))
		}},
		"handshakes in a cookie": {"/v1/clients/handshake_payload", func(_ *clerktest.Instance, n int) *http.Request {
			return page("/", "Cookie", fmt.Sprintf("__clerk_handshake_nonce=made-up-%d", n))
		}, "signed-out session-token-and-uat-missing", func(i *clerktest.Instance) *http.Request {
			return page("/", "Cookie", "__clerk_handshake_nonce="+i.Nonce("__session="+i.Token(nil)))
		}},
		"API keys": {"/api_keys/verify", func(_ *clerktest.Instance, n int) *http.Request {
			return bearer(fmt.Sprintf("ak_%d", n))
		}, "signed-out too-many-requests", func(i *clerktest.Instance) *http.Request { return bearer(i.Opaque("ak_", "user_1", nil)) }},
		"machines": {"/m2m_tokens/verify", func(_ *clerktest.Instance, n int) *http.Request {
			return bearer(fmt.Sprintf("mt_%d", n))
		}, "signed-out too-many-requests", func(i *clerktest.Instance) *http.Request { return bearer(i.Opaque("mt_", "user_1", nil)) }},
		"OAuth": {"/oauth_applications/access_tokens/verify", func(_ *clerktest.Instance, n int) *http.Request {
			return bearer(fmt.Sprintf("oat_%d", n))
		}, "signed-out too-many-requests", func(i *clerktest.Instance) *http.Request { return bearer(i.Opaque("oat_", "user_1", nil)) }},
		"refreshing": {"/v1/sessions/sess_1/refresh", func(i *clerktest.Instance, n int) *http.Request {
			return page("/", "Cookie", fmt.Sprintf("__client_uat=1; __session=%s; __refresh%s=%d", expiredToken(i, nil), i.CookieSuffix, n))
		}, "handshake session-token-expired-refresh-too-many-requests", func(i *clerktest.Instance) *http.Request {
			return page("/", "Cookie", "__client_uat=1; __session="+expiredToken(i, nil)+"; __refresh"+i.CookieSuffix+"="+i.RefreshToken("__session="+i.Token(nil)))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			instance, b, at := setup(t, true, func(c *clerk.Config) {
				c.AcceptTokens, c.Logger = everyToken, slog.New(slog.NewTextHandler(&out, nil))
			})
			lines := func() int { return strings.Count(out.String(), "than Clerk is asked about") }
			ask := func(address string, r *http.Request) string {
				s := mustDecide(t, b, from(address, r))
				switch {
				case s.Machine != nil:
					return string(s.Status) + " " + s.Machine.Subject
				case s.Claims != nil:
					return string(s.Status) + " " + s.Claims.UserID
				}
				return string(s.Status) + " " + s.Reason
			}
			last := ""
			for n := range 100 {
				last = ask("203.0.113.1", kind.made(instance, n))
			}
			require.Equal(t, 30, instance.Hits(kind.path))
			require.Equal(t, kind.answered, last)
			require.Equal(t, 1, lines(), "the log hears of it once")
			require.Contains(t, out.String(), "client=203.0.113.1")
			refused := out.Len()
			require.NotEqual(t, "signed-in user_1", ask("203.0.113.1", kind.good(instance)), "nor is that asked about")
			require.Equal(t, refused, out.Len(), "nor of each of them")
			require.Equal(t, 30, instance.Hits(kind.path))

			require.Equal(t, "signed-in user_1", ask("203.0.113.2", kind.good(instance)), "another client")
			require.Equal(t, "signed-in user_1", decide(t, b, from("203.0.113.1", bearer(instance.Token(nil)))), "a session needs no call")
			require.Equal(t, 31, instance.Hits(kind.path))

			at.advance(2*time.Second - 1)
			ask("203.0.113.1", kind.made(instance, 100))
			require.Equal(t, 31, instance.Hits(kind.path))
			at.advance(1)
			for n := range 3 {
				ask("203.0.113.1", kind.made(instance, 101+n))
			}
			require.Equal(t, 32, instance.Hits(kind.path), "one in two seconds")
			require.Equal(t, 1, lines())
			at.advance(58*time.Second - 1)
			for n := range 100 {
				ask("203.0.113.1", kind.made(instance, 200+n))
			}
			require.Equal(t, 1, lines())
			at.advance(1)
			for n := range 3 {
				ask("203.0.113.1", kind.made(instance, 300+n))
			}
			require.Equal(t, 2, lines(), "and again after a minute")
			at.advance(time.Minute)
			require.Equal(t, "signed-in user_1", ask("203.0.113.1", kind.good(instance)), "in the end")
			at.advance(-time.Hour)
			for n := range 40 {
				ask("203.0.113.3", kind.made(instance, 400+n))
			}
			require.Equal(t, 3, lines(), "a clock that is set back silences nothing")
		})
	}
}

// TestBoundedHandshakesLeaveTheCookies: who is signed in stays so, whatever is in the
// address.
func TestBoundedHandshakesLeaveTheCookies(t *testing.T) {
	instance, b, _ := setup(t, true, nil)
	for n := range 40 {
		want := "signed-in user_1"
		require.Equal(t, want, decide(t, b, page(fmt.Sprintf("/?__clerk_handshake_nonce=%d", n), "Cookie", "__client_uat=1; __session="+instance.Token(nil))))
	}
	require.Equal(t, 30, instance.Hits("/v1/clients/handshake_payload"))
}

// TestACompanyIsOneClient: what counts is no failure, however much of it there is; nor
// is what Clerk says of us.
func TestACompanyIsOneClient(t *testing.T) {
	instance, b, at := setup(t, true, func(c *clerk.Config) { c.AcceptTokens = everyToken })
	for range 100 {
		require.Equal(t, "signed-in user_1", decide(t, b, page("/?__clerk_handshake_nonce="+instance.Nonce("__session="+instance.Token(nil)))))
		require.Equal(t, "signed-out session-token-missing", decide(t, b, page("/?__clerk_handshake_nonce="+instance.Nonce("__client_uat=0"))))
		require.Equal(t, clerk.SignedIn, mustDecide(t, b, bearer(instance.Opaque("ak_", "user_1", nil))).Status)
	}
	at.advance(time.Minute)
	instance.SetDown(true)
	for range 40 {
		_, err := b.Decide(page("/?__clerk_handshake_nonce=x"), origin)
		require.ErrorContains(t, err, "status 503")
		_, err = b.Decide(bearer("ak_x"), origin)
		require.ErrorContains(t, err, "status 503")
		require.Contains(t, decide(t, b, page("/", "Cookie", "__client_uat=1; __session="+expiredToken(instance, nil)+"; __refresh"+instance.CookieSuffix+"=x")), "refresh-service_unavailable")
	}
	instance.SetDown(false)
	require.Equal(t, "signed-in user_1", decide(t, b, page("/?__clerk_handshake_nonce="+instance.Nonce("__session="+instance.Token(nil)))), "an outage is nobody's failure")
	i, b, api := withScript(t, 0, "{}")
	for _, status := range []int{401, 429} {
		api.status, api.sent = status, nil
		for n := range 40 {
			decide(t, b, page(fmt.Sprintf("/?__clerk_handshake_nonce=%d", n)))
			decide(t, b, page("/", "Cookie", "__client_uat=1; __session="+expiredToken(i, nil)+"; __refresh"+i.CookieSuffix+"=x"))
		}
		require.Len(t, api.sent, 80, "nor is %d", status)
	}
}

// TestProgramsOutlastAStranger: a token for which Clerk has vouched is asked about, from
// whatever network; not any more when it was revoked.
func TestProgramsOutlastAStranger(t *testing.T) {
	instance, b, _ := setup(t, true, func(c *clerk.Config) { c.AcceptTokens = everyToken })
	revoked := false
	known := instance.Opaque("ak_", "user_1", nil)
	ends := instance.Opaque("ak_", "user_2", func(answer map[string]any) { answer["revoked"] = &revoked })
	for _, token := range []string{known, ends} {
		require.Equal(t, clerk.SignedIn, mustDecide(t, b, bearer(token)).Status)
	}
	for n := range 40 {
		decide(t, b, bearer(fmt.Sprintf("ak_%d", n)))
	}
	require.Equal(t, 32, instance.Hits("/api_keys/verify"))
	for range 400 {
		require.Equal(t, clerk.SignedIn, mustDecide(t, b, bearer(known)).Status)
	}
	require.Equal(t, clerk.SignedIn, mustDecide(t, b, bearer(ends)).Status)
	require.Equal(t, 433, instance.Hits("/api_keys/verify"), "each time: it may have been revoked")
	revoked = true
	require.Equal(t, "signed-out token-invalid", decide(t, b, bearer(ends)))
	for range 40 {
		require.Equal(t, "signed-out too-many-requests", decide(t, b, bearer(ends)), "it is one like any other")
	}
	require.Equal(t, 434, instance.Hits("/api_keys/verify"))
}

// TestAnOutageVouchesForNobody: what Clerk could not be asked about is as new as
// before.
func TestAnOutageVouchesForNobody(t *testing.T) {
	instance, b, _ := setup(t, true, func(c *clerk.Config) { c.AcceptTokens = everyToken })
	instance.SetDown(true)
	_, err := b.Decide(bearer("ak_made_up"), origin)
	require.Error(t, err)
	instance.SetDown(false)
	for n := range 40 {
		decide(t, b, bearer(fmt.Sprintf("ak_%d", n)))
	}
	require.Equal(t, "signed-out too-many-requests", decide(t, b, bearer("ak_made_up")))
}

// TestVouchedTokensAreBounded: those that are used stay, the others go, and one that
// counts no more goes at once.
func TestVouchedTokensAreBounded(t *testing.T) { // ST-14
	has, add, remove, size := clerk.NewVouched()
	add("used")
	add("unused")
	add("revoked")
	for n := range 3 * 4096 {
		if n == 4096 {
			require.True(t, has("revoked"), "in the older half")
			remove("revoked")
			require.False(t, has("revoked"))
		}
		add(fmt.Sprint(n))
		if n%1000 == 0 {
			require.True(t, has("used"))
		}
	}
	require.False(t, has("unused"))
	require.LessOrEqual(t, size(), 2*4096)
}

// TestCallsUnderWayAreBounded: whether it sends all at once or does not wait for the
// answer, a client has so many calls, and then ten in a second.
func TestCallsUnderWayAreBounded(t *testing.T) { // RL-03
	for _, hangsUp := range []bool{false, true} {
		var calls atomic.Int64
		release := make(chan struct{})
		at := &clock{now: time.Now()}
		instance := clerktest.New(clerktest.Config{Production: true, Now: at.Now})
		b, err := clerk.New(clerk.Config{PublishableKey: instance.PublishableKey, SecretKey: auth.NewSecret(instance.SecretKey), JWTKey: instance.PEM(),
			Logger: slog.New(slog.DiscardHandler), Now: at.Now, HTTPClient: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				calls.Add(1)
				select {
				case <-release:
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
				return inProcess{instance}.RoundTrip(r)
			})}})
		require.NoError(t, err)
		var group sync.WaitGroup
		for n := range 500 {
			group.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if hangsUp {
					cancel()
				}
				_, _ = b.Decide(page(fmt.Sprintf("/?__clerk_handshake_nonce=%d", n)).WithContext(ctx), origin)
			})
		}
		if !hangsUp {
			require.Eventually(t, func() bool { return calls.Load() >= 300 }, 10*time.Second, time.Millisecond)
			close(release)
		}
		group.Wait()
		require.LessOrEqual(t, calls.Load(), int64(300), "hangs up: %v", hangsUp)
	}
}

// TestBoundsGoByTheAuthenticatorsClients: behind a proxy, clients are told apart as the
// application says.
func TestBoundsGoByTheAuthenticatorsClients(t *testing.T) { // AC-02
	instance, b, at := setup(t, true, func(c *clerk.Config) { c.Logger = slog.New(slog.DiscardHandler) })
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(sealing)}, URL: origin.String(), Backend: b, Now: at.Now, TrustedProxies: []string{"198.51.100.7"}})
	require.NoError(t, err)
	site := a.Require(http.NotFoundHandler())
	for _, client := range []string{"203.0.113.1", "203.0.113.2"} {
		for n := range 40 {
			r := from("198.51.100.7", page(fmt.Sprintf("/?__clerk_handshake_nonce=%d", n), "X-Forwarded-For", client))
			site.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	require.Equal(t, 60, instance.Hits("/v1/clients/handshake_payload"))
	b.UseClient(func(*http.Request) netip.Addr { return netip.Addr{} })
	for n := range 40 {
		decide(t, b, from(fmt.Sprintf("192.0.2.%d", n), page(fmt.Sprintf("/?__clerk_handshake_nonce=%d", n))))
	}
	require.Equal(t, 90, instance.Hits("/v1/clients/handshake_payload"), "those of whom nobody knows the address are one")
}

// TestASessionIsRevokedOnce: a copy of its token counts for a while, and may sign out
// again and again.
func TestASessionIsRevokedOnce(t *testing.T) {
	instance, b, _ := setup(t, true, nil)
	out := func(id string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		require.NoError(t, b.SignOut(w, page("/"), &session.Session{ID: id, Provider: clerk.Name}, true))
		return w
	}
	for range 3 {
		require.Len(t, out("sess_1").Result().Cookies(), 6)
	}
	out("sess_2")
	require.Equal(t, []string{"sess_1", "sess_2"}, instance.Revoked())
	instance.SetDown(true)
	require.Error(t, b.SignOut(httptest.NewRecorder(), page("/"), &session.Session{ID: "sess_3", Provider: clerk.Name}, true))
	instance.SetDown(false)
	out("sess_3")
	require.Equal(t, []string{"sess_1", "sess_2", "sess_3"}, instance.Revoked(), "unless Clerk has not heard of it")
}

// TestStrangersHandshakeIsShort: one that this browser did not begin counts, for Clerk
// sends such ones; a minute later Clerk is asked, which knows the browser.
func TestStrangersHandshakeIsShort(t *testing.T) {
	instance, b, at := setup(t, true, nil)
	token := instance.Token(set("sub", "user_eve"))
	require.Equal(t, "signed-in user_eve", decide(t, b, page("/?__clerk_handshake_nonce="+instance.Nonce("__client_uat=1", "__session="+token))))
	theirs := page("/", "Cookie", "__client_uat=1; __session="+token)
	at.advance(time.Minute + 4*time.Second)
	require.Equal(t, "signed-in user_eve", decide(t, b, theirs))
	at.advance(time.Second)
	require.Equal(t, "handshake session-token-expired-refresh-non-eligible-no-refresh-cookie", decide(t, b, theirs))
	require.NotEqual(t, clerk.SignedIn, mustDecide(t, b, page("/?__clerk_handshake="+instance.HandshakeToken("__session="+token))).Status, "nor does it count for longer in a token that has no end")
}
