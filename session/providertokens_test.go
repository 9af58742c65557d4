package session_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

func TestProviderTokensAreKept(t *testing.T) { // RF-01
	for name, c := range map[string]session.Config{"cookie": {}, "store": {Store: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, c)
			for _, tokens := range []*session.ProviderTokens{
				{AccessToken: "at-4711", RefreshToken: "rt-4711", IDToken: "id-4711", TokenType: "Bearer", Scope: "openid email", ExpiresAt: time.Unix(1790003600, 0)},
				{AccessToken: "at-4711"},
				nil,
			} {
				s := ada()
				s.ProviderTokens = tokens
				require.NoError(t, b.start(s))
				require.Equal(t, tokens, b.load().ProviderTokens)
				s = b.load()
				s.Name = "Countess"
				require.NoError(t, b.rewrite(s))
				require.Equal(t, tokens, b.load().ProviderTokens)
				require.Empty(t, b.load().Claims())
				for _, shown := range []string{fmt.Sprintf("%v %+v %#v", *s, s, s), string(must(json.Marshal(s)))} {
					require.NotContains(t, shown, "4711")
				}
			}
		})
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// What somebody else has put into the claim is theirs, and no token of a provider.
func TestAClaimThatIsNoProviderTokens(t *testing.T) {
	for _, raw := range []string{`"x"`, `{}`, `null`, `{"access_token":1}`, `{"access_token":"a","more":"b"}`, `{"access_token":""}`, `[]`} {
		s, ok := session.Decode([]byte(`{"sub":"ada","iat":1,"exp":2,"provider_tokens":` + raw + `}`))
		require.True(t, ok, raw)
		require.Nil(t, s.ProviderTokens, raw)
		require.Contains(t, s.Claims(), "provider_tokens", raw)
	}
}
