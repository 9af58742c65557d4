package auth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sallyport/auth"
)

// TestSecretsOfASignInShowNowhere: however a provider's author prints what it is
// given, and what it returns.
func TestSecretsOfASignInShowNowhere(t *testing.T) { // LG-01, I1
	tx := auth.Transaction{
		Provider: "github", State: "s3cret-state", Nonce: "s3cret-nonce", Verifier: "s3cret-verifier", RedirectURI: "https://app.example/cb",
		ReturnTo: "/s3cret", Params: url.Values{"login_hint": {"s3cret"}}, Expires: time.Now(),
	}
	id := auth.Identity{
		Issuer: "https://idp.example", Subject: "ada", Name: "Ada", Claims: map[string]any{"token": "s3cret-claim"},
		Token: (&oauth2.Token{AccessToken: "s3cret-access", RefreshToken: "s3cret-refresh"}).WithExtra(map[string]any{"id_token": "s3cret-id"}),
	}
	var b bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		log := slog.New(h)
		log.Info("x", "tx", tx, "txp", &tx, "id", id, "idp", &id)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		fmt.Fprintf(&b, verb+verb+verb+verb+verb, tx, &tx, id, &id, []any{tx, &tx, id, &id, struct{ T auth.Transaction }{tx}})
	}
	text, err := json.Marshal([]any{tx, &tx})
	require.NoError(t, err)
	b.Write(text)
	require.NotContains(t, b.String(), "s3cret")
	require.Contains(t, b.String(), "github")
	require.Contains(t, b.String(), "ada")

	text, err = json.Marshal(&id)
	require.NoError(t, err)
	require.Contains(t, string(text), `"Name":"Ada"`)
	for _, token := range []string{"s3cret-access", "s3cret-refresh", "s3cret-id"} {
		require.NotContains(t, string(text), token)
	}
	require.NotNil(t, id.Token, "the identity itself is left alone")
}
