package providertest

import "time"

// LogoutToken is one for client about the session sid of subject, either of which may be
// empty (OpenID Connect Back-Channel Logout 1.0, 2.4). change, if not nil, changes its header
// and its claims before it is signed.
func (p *IdP) LogoutToken(client, subject, sid string, change func(header, claims map[string]any)) string {
	now := p.now()
	claims := map[string]any{
		"iss": p.config.Issuer, "aud": client, "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": randomText(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	if subject != "" {
		claims["sub"] = subject
	}
	if sid != "" {
		claims["sid"] = sid
	}
	p.mu.Lock()
	key, keyID := p.key, p.keyID
	p.mu.Unlock()
	header := map[string]any{"alg": "RS256", "typ": "logout+jwt", "kid": keyID}
	if change != nil {
		change(header, claims)
	}
	return Sign(key, header, claims)
}
