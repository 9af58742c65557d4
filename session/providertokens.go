package session

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/sallyport/auth/internal/strictjson"
)

// ProviderTokens are what a provider gave at a sign-in, or at a refresh since. What is
// empty is not known, or not kept. Every way of printing, logging or marshalling them
// leaves them out.
type ProviderTokens struct {
	AccessToken  string    // RFC 6749 1.4
	RefreshToken string    // RFC 6749 1.5
	IDToken      string    // OpenID Connect Core 2
	TokenType    string    // of AccessToken: "Bearer"
	Scope        string    // of AccessToken, with spaces in between
	ExpiresAt    time.Time // of AccessToken; zero where nobody said
}

const hidden = "{[redacted]}"

// Format implements [fmt.Formatter], so that no verb reaches a token.
func (ProviderTokens) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue implements [slog.LogValuer].
func (ProviderTokens) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON implements [json.Marshaler]. There is no way back.
func (ProviderTokens) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }

// sealedTokens are ProviderTokens as they stand in what is sealed.
type sealedTokens struct {
	AccessToken  string `json:"access_token,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	TokenType    string `json:"token_type,omitempty"`
	Scope        string `json:"scope,omitempty"`
	ExpiresAt    int64  `json:"expires_at,omitempty"` // in seconds since 1970
}

// toSeal is t as it is sealed. t may be nil.
func (t *ProviderTokens) toSeal() *sealedTokens {
	if t == nil {
		return nil
	}
	s := &sealedTokens{t.AccessToken, t.RefreshToken, t.IDToken, t.TokenType, t.Scope, 0}
	if !t.ExpiresAt.IsZero() {
		s.ExpiresAt = t.ExpiresAt.Unix()
	}
	return s
}

// sealedTokensOf reads what toSeal has made, and no more than that.
func sealedTokensOf(raw string) (*ProviderTokens, bool) {
	t, ok := &ProviderTokens{}, false
	read := strictjson.Members(raw, func(name, raw string) bool {
		switch name {
		case "access_token":
			t.AccessToken, ok = text(raw)
		case "refresh_token":
			t.RefreshToken, ok = text(raw)
		case "id_token":
			t.IDToken, ok = text(raw)
		case "token_type":
			t.TokenType, ok = text(raw)
		case "scope":
			t.Scope, ok = text(raw)
		case "expires_at":
			t.ExpiresAt, ok = timeOf(raw)
		default:
			ok = false
		}
		return ok
	})
	return t, read && ok
}
