package clerkvectors

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/clerk"
)

// Decisions are the vectors of [Case].
type Decisions struct {
	Now       int64       `json:"now"`
	Instances []*Instance `json:"instances"`
	Cases     []*Case     `json:"cases"`
}

// Questions are those that has(), verifyWebhook(), redirectToSignIn() and
// redirectToSignUp() answered.
type Questions struct {
	Now       int64       `json:"now"`
	Instance  *Instance   `json:"instance"`
	Tokens    []*Asked    `json:"tokens"`
	Webhooks  []*Webhook  `json:"webhooks"`
	Redirects []*Redirect `json:"redirects"`
}

// Check asks package clerk the same, and counts what is affirmed.
func (q *Questions) Check(t *testing.T) (yes, accepted int) {
	t.Helper()
	now := time.Unix(q.Now, 0)
	b, err := clerk.New(clerk.Config{
		PublishableKey: q.Instance.PublishableKey, SecretKey: auth.NewSecret(q.Instance.SecretKey), JWTKey: q.Instance.JWTKey,
		Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	for _, one := range q.Tokens {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+one.Token)
		s, err := b.Decide(r, &url.URL{Scheme: "https", Host: "www.example.com"})
		require.NoError(t, err)
		require.NotNil(t, s.Claims)
		for k, ask := range one.Asks {
			has, err := ask.Has(s.Claims)
			require.NoError(t, err)
			require.Equal(t, one.Has[k], has, "%+v of %s", ask, claimsOf(one.Token))
			if has {
				yes++
			}
		}
	}
	for _, one := range q.Webhooks {
		verified, err := one.Verify(now)
		require.NoError(t, err)
		require.Equal(t, one.Verified, verified, "%+v", one)
		if verified {
			accepted++
		}
	}
	for _, one := range q.Redirects {
		signIn, signUp, err := one.Ask(now)
		require.NoError(t, err)
		require.True(t, sameURL(one.SignIn, signIn), "%+v: %s", one, signIn)
		require.True(t, sameURL(one.SignUp, signUp), "%+v: %s", one, signUp)
	}
	return yes, accepted
}

func claimsOf(token string) string {
	raw, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	return string(raw)
}

// Asked is one token, what was asked of it, and what has() said.
type Asked struct {
	Token string `json:"token"`
	Asks  []Ask  `json:"asks"`
	Has   []bool `json:"has"`
}

// Ask is what has() takes.
type Ask struct {
	Role           string          `json:"role,omitempty"`
	Permission     string          `json:"permission,omitempty"`
	Feature        string          `json:"feature,omitempty"`
	Plan           string          `json:"plan,omitempty"`
	Reverification json.RawMessage `json:"reverification,omitempty"` // a name, or level and afterMinutes
}

var named = map[string]clerk.Reverification{`"strict_mfa"`: clerk.StrictMFA, `"strict"`: clerk.Strict, `"moderate"`: clerk.Moderate, `"lax"`: clerk.Lax}

// Has asks package clerk.
func (a Ask) Has(c *clerk.Claims) (bool, error) {
	ask := clerk.Ask{Role: a.Role, Permission: a.Permission, Feature: a.Feature, Plan: a.Plan}
	if a.Reverification != nil {
		r, ok := named[string(a.Reverification)]
		if !ok {
			if err := json.Unmarshal(a.Reverification, &r); err != nil {
				return false, err
			}
		}
		ask.Reverification = &r
	}
	return c.Has(ask), nil
}

// Webhook is a delivery, and whether verifyWebhook() took it.
type Webhook struct {
	Secret   string            `json:"secret"`
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body"`
	Verified bool              `json:"verified"`
}

// Verify delivers it to package clerk, and says whether it is taken.
func (w *Webhook) Verify(now time.Time) (bool, error) {
	h, err := clerk.NewWebhook(clerk.WebhookConfig{
		Secrets: []auth.Secret{auth.NewSecret(w.Secret)}, Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
		Handle: func(context.Context, clerk.Event) error { return nil },
	})
	if err != nil {
		return false, err
	}
	r := httptest.NewRequest("POST", "/", strings.NewReader(w.Body))
	for name, value := range w.Headers {
		r.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, r)
	return recorder.Code == http.StatusNoContent, nil
}

// Redirect is somebody who is sent to sign in, and where to.
type Redirect struct {
	PublishableKey string `json:"publishableKey"`
	JWTKey         string `json:"jwtKey"`
	SignInURL      string `json:"signInUrl,omitempty"`
	SignUpURL      string `json:"signUpUrl,omitempty"`
	IsSatellite    bool   `json:"isSatellite"`
	BaseURL        string `json:"baseUrl"` // what was asked for
	ReturnBackURL  string `json:"returnBackUrl"`
	DevBrowser     string `json:"devBrowserToken,omitempty"`
	CookieSuffix   string `json:"cookieSuffix"`
	Pending        string `json:"pending,omitempty"` // the token of a session with a task left

	SignIn, SignUp string // what was answered
}

// Ask asks package clerk.
func (r *Redirect) Ask(now time.Time) (signIn, signUp string, err error) {
	c := clerk.Config{
		PublishableKey: r.PublishableKey, SecretKey: auth.NewSecret("sk_test_unused"), JWTKey: r.JWTKey,
		SignInURL: r.SignInURL, SignUpURL: r.SignUpURL, Satellite: r.IsSatellite,
		Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
	}
	if r.IsSatellite {
		c.Domain = "satellite.example.net"
	}
	b, err := clerk.New(c)
	if err != nil {
		return "", "", err
	}
	base, err := url.Parse(r.BaseURL)
	if err != nil {
		return "", "", err
	}
	request := httptest.NewRequest("GET", base.RequestURI(), nil)
	request.Header.Set("Cookie", "__clerk_db_jwt="+r.DevBrowser)
	if r.Pending != "" {
		request.Header.Set("Cookie", strings.ReplaceAll("__clerk_db_jwt~="+r.DevBrowser+"; __client_uat~=1; __session~="+r.Pending, "~", r.CookieSuffix))
	}
	d, err := b.Authenticate(request, &url.URL{Scheme: base.Scheme, Host: base.Host})
	if err != nil {
		return "", "", err
	}
	return b.SignInURL(d, r.ReturnBackURL), b.SignUpURL(d, r.ReturnBackURL), nil
}
