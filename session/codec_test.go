package session_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

const codecSalt = "authjs.session-token"
const codecSecret = "kY3nC0p9V1xJm5Q8sT2wZ7bL4hF6gD0aR3eU9iOqXyE="

var codecPayload = []byte(`{"sub":"ada"}`)

// codecKey derives the key as Auth.js documents it: what follows must not
// depend on our own derivation.
func codecKey(t *testing.T, size int) []byte {
	k, err := hkdf.Key(sha256.New, []byte(codecSecret), []byte(codecSalt), "Auth.js Generated Encryption Key ("+codecSalt+")", size)
	require.NoError(t, err)
	return k
}

func sealWith(t *testing.T, alg jose.KeyAlgorithm, enc jose.ContentEncryption, key any, o *jose.EncrypterOptions) string {
	t.Helper()
	e, err := jose.NewEncrypter(enc, jose.Recipient{Algorithm: alg, Key: key, PBES2Count: 1000, PBES2Salt: []byte("salt-salt")}, o)
	require.NoError(t, err)
	jwe, err := e.Encrypt(codecPayload)
	require.NoError(t, err)
	token, err := jwe.CompactSerialize()
	require.NoError(t, err)
	return token
}

// sealUnder makes a token that is right in everything but its header: only the
// header can be why it does not open.
func sealUnder(t *testing.T, header string) string {
	long := codecKey(t, 64)
	block, err := aes.NewCipher(long[32:])
	require.NoError(t, err)
	pad := aes.BlockSize - len(codecPayload)%aes.BlockSize
	text := append(bytes.Clone(codecPayload), bytes.Repeat([]byte{byte(pad)}, pad)...)
	iv := make([]byte, aes.BlockSize)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
	aad := base64.RawURLEncoding.EncodeToString([]byte(header))
	mac := hmac.New(sha512.New, long[:32])
	mac.Write([]byte(aad))
	mac.Write(iv)
	mac.Write(text)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(aad))*8))
	e := base64.RawURLEncoding.EncodeToString
	return aad + ".." + e(iv) + "." + e(text) + "." + e(mac.Sum(nil)[:32])
}

func TestTokensOfAnotherLibraryOpen(t *testing.T) { // JE-08, JE-14
	c := session.NewCodec(codecSalt, []session.Secret{session.NewSecret(codecSecret)})
	for _, token := range []string{
		sealWith(t, jose.DIRECT, jose.A256CBC_HS512, codecKey(t, 64), nil),
		sealWith(t, jose.DIRECT, jose.A256GCM, codecKey(t, 32), nil),
		sealWith(t, jose.DIRECT, jose.A256CBC_HS512, codecKey(t, 64), (&jose.EncrypterOptions{}).WithType("JWT").WithContentType("JWT")),
	} {
		got, err := c.Open(token)
		require.NoError(t, err)
		require.Equal(t, codecPayload, got)
	}
}

func TestOtherAlgorithmsDoNotOpen(t *testing.T) { // JE-03, JE-04, JE-05, JE-07, JE-08
	c := session.NewCodec(codecSalt, []session.Secret{session.NewSecret(codecSecret)})
	long, short := codecKey(t, 64), codecKey(t, 32)
	tokens := map[string]string{
		"another enc":      sealWith(t, jose.DIRECT, jose.A128CBC_HS256, short, nil),
		"A192GCM":          sealWith(t, jose.DIRECT, jose.A192GCM, long[:24], nil),
		"key wrapping":     sealWith(t, jose.A256KW, jose.A256GCM, short, nil),
		"GCM key wrapping": sealWith(t, jose.A256GCMKW, jose.A256CBC_HS512, short, nil),
		"a password":       sealWith(t, jose.PBES2_HS256_A128KW, jose.A256GCM, []byte(codecSecret), nil),
		"zip":              sealWith(t, jose.DIRECT, jose.A256CBC_HS512, long, &jose.EncrypterOptions{Compression: jose.DEFLATE}),
		"a foreign kid":    sealWith(t, jose.DIRECT, jose.A256CBC_HS512, long, (&jose.EncrypterOptions{}).WithHeader("kid", "other")),
		"jku":              sealWith(t, jose.DIRECT, jose.A256CBC_HS512, long, (&jose.EncrypterOptions{}).WithHeader("jku", "https://evil.example")),
		"crit":             sealWith(t, jose.DIRECT, jose.A256CBC_HS512, long, (&jose.EncrypterOptions{}).WithHeader("crit", []string{"b64"})),
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: short}, nil)
	require.NoError(t, err)
	jws, err := signer.Sign(codecPayload)
	require.NoError(t, err)
	tokens["a JWS"], err = jws.CompactSerialize()
	require.NoError(t, err)
	control, err := c.Open(sealUnder(t, `{"alg":"dir","enc":"A256CBC-HS512"}`))
	require.NoError(t, err)
	require.Equal(t, codecPayload, control)
	for name, header := range map[string]string{
		"p2c":                 `{"alg":"PBES2-HS512+A256KW","enc":"A256CBC-HS512","p2c":2147483647,"p2s":"AAAA"}`,
		"alg none":            `{"alg":"none","enc":"A256CBC-HS512"}`,
		"no alg":              `{"enc":"A256CBC-HS512"}`,
		"alg twice":           `{"alg":"none","alg":"dir","enc":"A256CBC-HS512"}`,
		"Alg in another case": `{"Alg":"dir","enc":"A256CBC-HS512"}`,
		"alg is no string":    `{"alg":["dir"],"enc":"A256CBC-HS512"}`,
		"kid is empty":        `{"alg":"dir","enc":"A256CBC-HS512","kid":""}`,
		"kid is null":         `{"alg":"dir","enc":"A256CBC-HS512","kid":null}`,
		"typ is null":         `{"alg":"dir","enc":"A256CBC-HS512","typ":null}`,
		"typ is not UTF-8":    "{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\",\"typ\":\"\xff\"}",
		"more after it":       `{"alg":"dir","enc":"A256CBC-HS512"}{}`,
		"no object":           `["dir"]`,
		"empty":               ``,
	} {
		tokens[name] = sealUnder(t, header)
	}
	for name, token := range tokens {
		_, err := c.Open(token)
		require.Equal(t, session.ErrInvalidToken, err, name)
	}
}

func TestPartsHaveTheirSizes(t *testing.T) { // JE-01, JE-02, JE-06, JE-15
	c := session.NewCodec(codecSalt, []session.Secret{session.NewSecret(codecSecret)})
	for _, good := range []string{
		c.Seal(codecPayload),
		sealWith(t, jose.DIRECT, jose.A256GCM, codecKey(t, 32), nil),
	} {
		_, err := c.Open(good)
		require.NoError(t, err)
		parts := strings.Split(good, ".")
		for i := range parts {
			raw, err := base64.RawURLEncoding.DecodeString(parts[i])
			require.NoError(t, err)
			for size := range 70 {
				if size == len(raw) {
					continue
				}
				changed := append([]string(nil), parts...)
				resized := append(bytes.Clone(raw[:min(size, len(raw))]), make([]byte, max(0, size-len(raw)))...)
				changed[i] = base64.RawURLEncoding.EncodeToString(resized)
				_, err := c.Open(strings.Join(changed, "."))
				require.Equal(t, session.ErrInvalidToken, err, "part %d of %d bytes", i, size)
			}
		}
		// The same bytes, cut elsewhere: a token has one spelling.
		text, err := base64.RawURLEncoding.DecodeString(parts[3])
		require.NoError(t, err)
		tag, err := base64.RawURLEncoding.DecodeString(parts[4])
		require.NoError(t, err)
		e := base64.RawURLEncoding.EncodeToString
		_, err = c.Open(strings.Join([]string{parts[0], "", parts[2], e(text[:len(text)-1]), e(append(text[len(text)-1:], tag...))}, "."))
		require.Equal(t, session.ErrInvalidToken, err)
		for _, bad := range []string{good + ".", "." + good, good + "=", strings.Replace(good, ".", "", 1), good + "\n", " " + good, strings.Repeat("a", 65<<10)} {
			_, err := c.Open(bad)
			require.Equal(t, session.ErrInvalidToken, err)
		}
	}
}

func TestNoIVComesTwice(t *testing.T) { // JE-11
	c := session.NewCodec(codecSalt, []session.Secret{session.NewSecret(codecSecret)})
	n := 100_000
	if testing.Short() {
		n = 1000
	}
	seen := make(map[string]bool, n)
	for range n {
		iv := strings.Split(c.Seal(codecPayload), ".")[2]
		require.False(t, seen[iv])
		seen[iv] = true
	}
}

func TestHeaderIsAuthJS(t *testing.T) { // JE-08
	c := session.NewCodec(codecSalt, []session.Secret{session.NewSecret(codecSecret)})
	head, _, _ := strings.Cut(c.Seal(codecPayload), ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	require.NoError(t, err)
	var h map[string]string
	require.NoError(t, json.Unmarshal(raw, &h))
	require.Equal(t, "dir", h["alg"])
	require.Equal(t, "A256CBC-HS512", h["enc"])
	require.Len(t, h["kid"], 86)
}
