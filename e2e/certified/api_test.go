package certified_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
)

// accessToken has the provider give the client a token of its own for resource (RFC 8707),
// or for none.
func accessToken(t *testing.T, issuer, resource, scope string) string {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	if resource != "" {
		form.Set("resource", resource)
	}
	req, err := http.NewRequest("POST", issuer+"/token", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("app", clientSecret)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var got struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal(text, &got))
	require.NotEmpty(t, got.AccessToken, string(text))
	return got.AccessToken
}

// TestAccessTokens: JWTs, and opaque ones about which the provider is asked.
func TestAccessTokens(t *testing.T) {
	issuer := startOP(t, "https://api.example/api/auth/callback/op")
	p, err := oidc.New(oidc.Config{Name: "op", Issuer: issuer, ClientID: "app", ClientSecret: auth.NewSecret(clientSecret), APIAudiences: []string{"urn:jwt:api", "urn:opaque:api"}, Introspect: true})
	require.NoError(t, err)
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret("kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE=")}, URL: "https://api.example", Providers: []auth.Provider{p}})
	require.NoError(t, err)
	h := a.RequireRule(auth.RequireScope("read"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromContext(r.Context())
		fmt.Fprintf(w, "%s %v %v", who.Subject, who.Machine, who.Claims()["scope"])
	}))
	for resource, dots := range map[string]int{"urn:jwt:": 2, "urn:opaque:": 0} {
		for name, test := range map[string]struct {
			resource, scope string
			status          int
			problem         string
		}{
			"for this API":    {resource + "api", "read write", 200, ""},
			"for less":        {resource + "api", "write", 403, "insufficient_scope"},
			"for another API": {resource + "other", "read", 401, "invalid_token"},
		} {
			t.Run(resource+" "+name, func(t *testing.T) {
				token := accessToken(t, issuer, test.resource, test.scope)
				require.Equal(t, dots, strings.Count(token, "."))
				r := httptest.NewRequest("GET", "https://api.example/", nil)
				r.Header.Set("Authorization", "Bearer "+token)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				require.Equal(t, test.status, w.Code, w.Body)
				if test.problem == "" {
					require.Equal(t, "app true read write", w.Body.String())
					return
				}
				require.Contains(t, w.Header().Get("WWW-Authenticate"), `error="`+test.problem+`"`)
			})
		}
	}
}
