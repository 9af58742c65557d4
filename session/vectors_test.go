package session_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// vector is a session as @auth/core or next-auth v4 wrote it, in the cookies that
// it wrote it to.
type vector struct {
	Name, Kind, Secret, Cookie string
	Secure                     bool
	Claims                     map[string]any
}

func (v vector) request() *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", v.Cookie)
	return r
}

func (v vector) load(t *testing.T, r *http.Request, secrets ...session.Secret) (*session.Manager, *session.Session) {
	m, err := session.NewManager(session.Config{UpdateAge: time.Nanosecond}, secrets, time.Now)
	require.NoError(t, err)
	s, err := m.Load(r, v.Secure)
	require.NoError(t, err)
	return m, s
}

// requireClaims requires v's claims in s and, but for what a sign-in adds, no
// more.
func (v vector) requireClaims(t *testing.T, s *session.Session) {
	t.Helper()
	require.NotNil(t, s)
	got := s.Claims()
	for name, field := range map[string]string{"sub": s.Subject, "name": s.Name, "email": s.Email, "picture": s.Picture} {
		if field != "" {
			got[name] = field
		} else if claim, there := v.Claims[name]; there && claim == nil {
			got[name] = nil
		}
	}
	require.Equal(t, v.Claims, got)
	require.NotEmpty(t, s.ID)
}

func readVectors(t testing.TB) (list []vector) {
	raw, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &list))
	return list
}

// TestVectors reads what the npm packages wrote, with the secret alone and after
// a rotation, and renews it.
func TestVectors(t *testing.T) { // JE-08, JE-10, JE-14, CK-06
	kinds := map[string]int{}
	for _, v := range readVectors(t) {
		t.Run(fmt.Sprint(v.Kind, v.Name, v.Secure), func(t *testing.T) {
			kinds[v.Kind]++
			other := second
			if v.Secret == other.Reveal() {
				other = first
			}
			_, s := v.load(t, v.request(), session.NewSecret(v.Secret))
			v.requireClaims(t, s)
			_, s = v.load(t, v.request(), other)
			require.Nil(t, s)
			m, s := v.load(t, v.request(), other, session.NewSecret(v.Secret))
			v.requireClaims(t, s)

			w := httptest.NewRecorder()
			if err := m.Renew(w, v.request(), s, v.Secure); v.Name == "long" {
				require.ErrorIs(t, err, session.ErrTooLarge)
				return
			}
			if v.Kind == "v4" {
				require.Empty(t, w.Result().Cookies())
				return
			}
			_, s = v.load(t, answered(w), other)
			v.requireClaims(t, s)
			if v.Name == "surrogates" {
				var half json.RawMessage
				_, err := s.Claim("half", &half)
				require.NoError(t, err)
				require.Equal(t, `"\ud83d"`, string(half))
			}
		})
	}
	require.Len(t, kinds, 3)
	for kind, n := range kinds {
		require.Greater(t, n, 30, kind)
	}
}

// answered is the request that follows w.
func answered(w *httptest.ResponseRecorder) *http.Request {
	var pairs []string
	for _, c := range w.Result().Cookies() {
		if c.MaxAge >= 0 {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", strings.Join(pairs, "; "))
	return r
}

// TestClaimsThatSayNothingSurvive renews claims that no field can hold.
func TestClaimsThatSayNothingSurvive(t *testing.T) { // JE-14
	codec := session.NewCodec(cookieName, []session.Secret{first})
	for name, raw := range map[string]string{
		"name": `null`, "email": `""`, "picture": `null`, "sub": `""`, "preferred_username": `null`, "email_verified": `false`,
		"groups": `["a",5]`, "provider_issuer": `""`,
	} {
		for _, raw := range []string{raw, `null`, `[]`, `["a",null]`} {
			now := time.Now().Unix()
			payload := fmt.Sprintf(`{"jti":"1","iat":%d,"exp":%d,"%s":%s}`, now, now+3600, name, raw)
			v := vector{Secure: true, Cookie: cookieName + "=" + codec.Seal([]byte(payload))}
			m, s := v.load(t, v.request(), first)
			require.NotNil(t, s, payload)
			require.Empty(t, s.Groups, payload)
			w := httptest.NewRecorder()
			require.NoError(t, m.Renew(w, v.request(), s, true))
			renewed, err := codec.Open(w.Result().Cookies()[0].Value)
			require.NoError(t, err)
			var claims map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(renewed, &claims))
			require.Equal(t, raw, string(claims[name]), payload)
		}
	}
}
