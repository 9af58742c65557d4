package clerk_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/clerk"
	"github.com/sallyport/auth/session"
)

func TestSessionOfAToken(t *testing.T) {
	instance, b, at := setup(t, true, func(c *clerk.Config) { c.AcceptTokens = everyToken })
	now := at.Now().Unix()
	d, err := b.Authenticate(bearer(instance.Token(func(_, claims map[string]any) {
		claims["o"] = map[string]any{"id": "org_1", "slg": "acme", "rol": "admin"}
	})), origin)
	require.NoError(t, err)
	s := d.Session
	require.Equal(t, "sess_1 user_1 https://clerk.example.com clerk", s.ID+" "+s.Subject+" "+s.Issuer+" "+s.Provider)
	require.Equal(t, []time.Time{time.Unix(now, 0), time.Unix(now+60, 0)}, []time.Time{s.IssuedAt, s.ExpiresAt})
	for name, want := range map[string]string{"org_id": "org_1", "org_slug": "acme", "org_role": "org:admin"} {
		var value string
		_, err := s.Claim(name, &value)
		require.NoError(t, err)
		require.Equal(t, want, value, name)
	}
	require.Empty(t, d.Location)
	require.Empty(t, d.Header)

	d, err = b.Authenticate(bearer(machineJWT(instance, clerk.M2MToken, nil)), origin)
	require.NoError(t, err)
	s = d.Session
	require.Equal(t, "mt_1 mch_1 https://clerk.example.com clerk-machine", s.ID+" "+s.Subject+" "+s.Issuer+" "+s.Provider)
	require.Equal(t, []time.Time{at.Now(), time.Unix(now+60, 0)}, []time.Time{s.IssuedAt, s.ExpiresAt})
}

func TestWhoIsSignedOutIsToldWhy(t *testing.T) {
	instance, b, _ := setup(t, true, nil)
	for name, test := range map[string]struct {
		request                         *http.Request
		status, reason, message, travel string
	}{
		"nobody":     {page("/"), "signed-out", "session-token-and-uat-missing", "", ""},
		"malformed":  {bearer("x"), "signed-out", "token-invalid", "The token is malformed, unknown or revoked.", ""},
		"a pending":  {bearer(instance.Token(set("sts", "pending"))), "signed-in", "", "", ""},
		"on its way": {page("/", "Cookie", "__client_uat=1"), "handshake", "client-uat-but-no-session-token", "", "https://clerk.example.com/"},
	} {
		d, err := b.Authenticate(test.request, origin)
		require.NoError(t, err)
		require.Nil(t, d.Session, name)
		require.Equal(t, test.status, d.Header.Get("X-Clerk-Auth-Status"), name)
		require.Equal(t, test.reason, d.Header.Get("X-Clerk-Auth-Reason"), name)
		require.Equal(t, test.message, d.Header.Get("X-Clerk-Auth-Message"), name)
		require.Empty(t, d.Header.Get("Location"), "the middleware's own")
		require.Equal(t, test.travel != "", d.Location != "", name)
		require.Contains(t, d.Location, test.travel)
	}
	_, pending, _ := setup(t, true, func(c *clerk.Config) { c.AcceptPending, c.JWTKey = true, instance.PEM() })
	d, err := pending.Authenticate(bearer(instance.Token(set("sts", "pending"))), origin)
	require.NoError(t, err)
	require.Equal(t, "user_1", d.Session.Subject)
}

// TestSignOutThatClerkDoesNotHearOf: the cookies stay until Clerk knows, so that
// signing out can be tried again.
func TestSignOutThatClerkDoesNotHearOf(t *testing.T) {
	_, b, api := withScript(t, 200, "{}")
	for status, want := range map[int]bool{200: true, 404: true, 422: true, 401: false, 429: false, 500: false, 503: false} {
		api.status, api.sent = status, nil
		w := httptest.NewRecorder()
		id := fmt.Sprintf("sess_%d/x", status)
		err := b.SignOut(w, page("/"), &session.Session{ID: id, Provider: clerk.Name}, true)
		require.Equal(t, "/v1/sessions/"+url.PathEscape(id)+"/revoke", api.sent[0].URL.EscapedPath())
		if !want {
			require.Error(t, err, status)
			require.Empty(t, w.Header().Values("Set-Cookie"))
			continue
		}
		require.NoError(t, err, status)
		var names []string
		for _, c := range w.Result().Cookies() {
			require.True(t, c.MaxAge < 0 && c.Secure && c.Path == "/" && c.Value == "", c.Name)
			names = append(names, c.Name)
		}
		require.Len(t, names, 6)
	}
	api.status, api.sent = 500, nil
	for _, s := range []session.Session{{Provider: clerk.Name}, {ID: "mt_1", Provider: clerk.MachineName}} {
		require.NoError(t, b.SignOut(httptest.NewRecorder(), page("/"), &s, false))
	}
	require.Empty(t, api.sent, "nothing to revoke")
}

func TestNoBackendNoState(t *testing.T) {
	s, ok := clerk.FromContext(t.Context())
	require.Nil(t, s)
	require.False(t, ok)
}
