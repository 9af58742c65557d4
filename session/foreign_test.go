package session_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

const v4Cookie = "__Secure-next-auth.session-token"

// v4Token is what next-auth v4 seals, cut into cookies as it does.
func (b *box) v4Token(claims string) {
	key, err := hkdf.Key(sha256.New, []byte(first.Reveal()), nil, "NextAuth.js Generated Encryption Key", 32)
	require.NoError(b.t, err)
	e, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: key}, nil)
	require.NoError(b.t, err)
	sealed, err := e.Encrypt([]byte(claims))
	require.NoError(b.t, err)
	text, err := sealed.CompactSerialize()
	require.NoError(b.t, err)
	if len(text) <= 3933 {
		b.cookies[v4Cookie] = text
		return
	}
	for i := 0; text != ""; i++ {
		n := min(3933, len(text))
		b.cookies[fmt.Sprint(v4Cookie, ".", i)], text = text[:n], text[n:]
	}
}

// sealGCM makes a token by the standard library alone.
func sealGCM(t *testing.T, key []byte, header, claims string) string {
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	e := base64.RawURLEncoding.EncodeToString
	iv, aad := make([]byte, gcm.NonceSize()), e([]byte(header))
	sealed := gcm.Seal(nil, iv, []byte(claims), []byte(aad))
	text, tag := sealed[:len(claims)], sealed[len(claims):]
	return aad + ".." + e(iv) + "." + e(text) + "." + e(tag)
}

func TestV4TokensOfAnotherForm(t *testing.T) { // JE-02, JE-03, JE-08, JE-14
	b := newBox(t, session.Config{})
	derive := func(info string) []byte {
		key, err := hkdf.Key(sha256.New, []byte(first.Reveal()), nil, info, 32)
		require.NoError(t, err)
		return key
	}
	key, cookie := derive("NextAuth.js Generated Encryption Key"), derive("NextAuth.js Generated Encryption Key (next-auth.state)")
	good := sealGCM(t, key, `{"alg":"dir","enc":"A256GCM"}`, b.claims(""))
	for _, one := range []struct {
		name, token string
		signedIn    bool
	}{
		{"v4's own", good, true},
		{"another order", sealGCM(t, key, `{"enc":"A256GCM","alg":"dir"}`, b.claims("")), true},
		{"another enc", sealGCM(t, key, `{"alg":"dir","enc":"A256CBC-HS512"}`, b.claims("")), false},
		{"no enc", sealGCM(t, key, `{"alg":"dir"}`, b.claims("")), false},
		{"another alg", sealGCM(t, key, `{"alg":"A256KW","enc":"A256GCM"}`, b.claims("")), false},
		{"a kid", sealGCM(t, key, `{"alg":"dir","enc":"A256GCM","kid":"1"}`, b.claims("")), false},
		{"zip", sealGCM(t, key, `{"alg":"dir","enc":"A256GCM","zip":"DEF"}`, b.claims("")), false},
		{"another key", sealGCM(t, bytes.Repeat([]byte{7}, 32), `{"alg":"dir","enc":"A256GCM"}`, b.claims("")), false},
		{"v4's state", sealGCM(t, cookie, `{"alg":"dir","enc":"A256GCM"}`, b.claims("")), false},
		{"a tag of 12 bytes", good[:len(good)-6], false},
		{"claims that are no object", sealGCM(t, key, `{"alg":"dir","enc":"A256GCM"}`, `[]`), false},
	} {
		b.cookies[v4Cookie] = one.token
		require.Equal(t, one.signedIn, b.load() != nil, one.name)
	}
}

func (b *box) claims(more string) string {
	return fmt.Sprintf(`{"sub":"ada","name":"Ada","roles":["admin"],"iat":%d,"exp":%d%s}`, b.now.Unix(), b.now.Add(30*24*time.Hour).Unix(), more)
}

func TestV4IsReadAndLeftAlone(t *testing.T) { // JE-14
	b := newBox(t, session.Config{})
	b.v4Token(b.claims(""))
	require.Equal(t, "ada", b.load().Subject)
	require.True(t, b.load().ReadOnly())
	b.now = b.now.Add(25 * time.Hour)
	s := b.load()
	require.False(t, b.Due(s))
	for _, write := range []func(http.ResponseWriter, *http.Request) error{
		func(w http.ResponseWriter, r *http.Request) error { return b.Renew(w, r, s, true) },
		func(w http.ResponseWriter, r *http.Request) error { return b.Rewrite(w, r, s, true) },
	} {
		require.NoError(t, b.answer(write))
		require.Empty(t, b.set)
	}
}

func TestV4IsUpgradedWhenAsked(t *testing.T) {
	b := newBox(t, session.Config{UpgradeV4: true})
	b.v4Token(b.claims(`,"fill":"` + strings.Repeat("x", 5000) + `"`))
	require.Len(t, b.cookies, 2)
	s := b.load()
	require.False(t, s.ReadOnly() || b.Due(s), "it is young")
	b.now = b.now.Add(25 * time.Hour)
	s = b.load()
	require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Renew(w, r, s, true) }))
	for name := range b.cookies {
		require.True(t, strings.HasPrefix(name, cookieName), name)
	}
	s = b.load()
	var roles []string
	_, err := s.Claim("roles", &roles)
	require.NoError(t, err)
	require.Equal(t, []string{"admin"}, roles, "claims of the other side survive")
	require.Equal(t, b.now.Add(-25*time.Hour).Unix(), s.AuthTime.Unix())
	b.now = b.now.Add(25 * time.Hour)
	s = b.load()
	require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Renew(w, r, s, true) }))
	require.NotContains(t, fmt.Sprint(b.set), "next-auth", "deleted once")
}

func TestClaimsThatSaidNothingGiveWay(t *testing.T) {
	b := newBox(t, session.Config{UpgradeV4: true})
	b.v4Token(b.claims(`,"email":null,"email_verified":false,"groups":[],"<&>":"<&>"`))
	s := b.load()
	s.Email, s.EmailVerified, s.Groups = "ada@example.com", true, []string{"a"}
	require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Rewrite(w, r, s, true) }))
	s = b.load()
	require.NotNil(t, s, "no name stands twice")
	require.Equal(t, "ada@example.com true [a]", fmt.Sprint(s.Email, " ", s.EmailVerified, " ", s.Groups))
	require.Equal(t, map[string]any{"roles": []any{"admin"}, "<&>": "<&>"}, s.Claims())
}

func TestBearer(t *testing.T) {
	b := newBox(t, session.Config{})
	require.NoError(t, b.start(ada()))
	token := b.cookies[cookieName]
	ask := func(secure bool, lines ...string) *session.Session {
		r := b.request()
		r.Header.Del("Cookie")
		r.Header["Authorization"] = lines
		s, err := b.Load(r, secure)
		require.NoError(t, err)
		return s
	}
	for _, line := range []string{"Bearer " + token, "bearer " + token} {
		s := ask(true, line)
		require.Equal(t, "ada", s.Subject)
		require.True(t, s.ReadOnly(), "no cookie is made of it")
	}
	for name, lines := range map[string][]string{
		"another scheme": {"Basic " + token}, "no scheme": {token}, "twice": {"Bearer " + token, "Bearer " + token},
		"tampered": {"Bearer " + token[:len(token)-4] + "AAAA"}, "empty": {"Bearer "}, "nothing": {""}, "short": {"Bear"}, "no space": {"Bearer"}, "a tab": {"Bearer\t" + token}, "none": {}, "spaces": {"Bearer  " + token},
	} {
		require.Nil(t, ask(true, lines...), name)
	}
	require.Nil(t, ask(false, "Bearer "+token), "JE-09: the other name's")
	b.now = b.now.Add(31 * 24 * time.Hour)
	require.Nil(t, ask(true, "Bearer "+token))

	stored := newBox(t, session.Config{Store: session.NewMemoryStore(0, nil)})
	r := stored.request()
	r.Header.Set("Authorization", "Bearer "+token)
	s, err := stored.Load(r, true)
	require.NoError(t, err)
	require.Nil(t, s, "a store's sessions are in the store")
}

func TestRewrite(t *testing.T) {
	for name, c := range map[string]session.Config{"cookie": {}, "store": {Store: session.NewMemoryStore(0, func() time.Time { return time.Unix(1790000000, 0) })}} {
		b := newBox(t, c)
		require.NoError(t, b.start(ada()))
		b.now = b.now.Add(time.Hour)
		s := b.load()
		s.Name = "Countess"
		require.NoError(t, s.SetClaim("theme", "dark"))
		require.NoError(t, b.answer(func(w http.ResponseWriter, r *http.Request) error { return b.Rewrite(w, r, s, true) }))
		s = b.load()
		require.Equal(t, "Countess", s.Name, name)
		require.Equal(t, map[string]any{"theme": "dark"}, s.Claims(), name)
		require.Equal(t, b.now.Unix(), s.IssuedAt.Unix())
		require.Equal(t, b.now.Add(-time.Hour).Unix(), s.AuthTime.Unix(), "the lifetime goes on")
	}
}
