package certified_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/auth0/go-jwt-middleware/v2/jwks"
	"github.com/auth0/go-jwt-middleware/v2/validator"
	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/oidc"
	"github.com/sallyport/auth/providers/providertest"
)

// BenchmarkBearer verifies RS256 access tokens that each has seen for the first time; and
// with us, in a whole request, one that is remembered, beside a request without any.
func BenchmarkBearer(b *testing.B) {
	idp := providertest.NewServer(providertest.Config{Clients: []providertest.Client{{ID: "app", Secret: "s"}}})
	defer idp.Close()
	const audience = "https://api.example"
	ctx := context.Background()

	p, err := oidc.New(oidc.Config{Name: "idp", Issuer: idp.Issuer(), ClientID: "app", ClientSecret: auth.NewSecret("s"), APIAudiences: []string{audience}})
	require.NoError(b, err)
	discovered, err := gooidc.NewProvider(ctx, idp.Issuer())
	require.NoError(b, err)
	verifier := discovered.Verifier(&gooidc.Config{ClientID: audience})
	issuer, err := url.Parse(idp.Issuer())
	require.NoError(b, err)
	auth0, err := validator.New(jwks.NewCachingProvider(issuer, time.Hour).KeyFunc, validator.RS256, idp.Issuer(), []string{audience})
	require.NoError(b, err)
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(idp.Issuer()), jwt.WithAudience(audience), jwt.WithExpirationRequired())
	public := &idp.SigningKey().PublicKey

	var tokens []string
	for n := range 2000 {
		tokens = append(tokens, idp.AccessToken(nil, map[string]any{"jti": strconv.Itoa(n), "exp": time.Now().Unix() + 3600}))
	}
	for _, one := range []struct {
		name   string
		verify func(string) error
	}{
		{"sallyport", func(token string) error { _, err := p.VerifyToken(ctx, token); return err }},
		{"go-oidc", func(token string) error { _, err := verifier.Verify(ctx, token); return err }},
		{"golang-jwt", func(token string) error {
			_, err := parser.Parse(token, func(*jwt.Token) (any, error) { return public, nil })
			return err
		}},
		{"go-jwt-middleware", func(token string) error { _, err := auth0.ValidateToken(ctx, token); return err }},
	} {
		b.Run("first/"+one.name, func(b *testing.B) {
			require.NoError(b, one.verify(tokens[0]))
			require.Error(b, one.verify(tokens[0][:len(tokens[0])-8]+"AAAAAAAA"))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if err := one.verify(tokens[n%len(tokens)]); err != nil {
					b.Fatal(err)
				}
				n++
			}
		})
	}
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(strings.Repeat("0123456789abcdef", 2))}, URL: audience, Providers: []auth.Provider{p}})
	require.NoError(b, err)
	seen := 0
	h := a.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, ok := auth.FromContext(r.Context()); ok {
			seen++
		}
	}))
	for name, header := range map[string]http.Header{"remembered": {"Authorization": {"Bearer " + tokens[0]}}, "no token": {}} {
		b.Run("request/"+name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header = header
			w := &discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				h.ServeHTTP(w, r)
			}
		})
	}
	require.NotZero(b, seen)
}

// discard keeps nothing of an answer.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}
