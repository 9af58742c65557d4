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
	"hash"
	"strings"
	"sync"
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
	pad := aes.BlockSize - len(codecPayload)%aes.BlockSize
	return sealText(t, header, make([]byte, aes.BlockSize), append(bytes.Clone(codecPayload), bytes.Repeat([]byte{byte(pad)}, pad)...))
}

// sealText makes a token of text with its padding, whose tag is right. What is
// beyond a whole number of blocks is not encrypted.
func sealText(t *testing.T, header string, iv, text []byte) string {
	long := codecKey(t, 64)
	block, err := aes.NewCipher(long[32:])
	require.NoError(t, err)
	text = bytes.Clone(text)
	whole := text[:len(text)/aes.BlockSize*aes.BlockSize]
	cipher.NewCBCEncrypter(block, append(bytes.Clone(iv), make([]byte, aes.BlockSize)...)[:aes.BlockSize]).CryptBlocks(whole, whole)
	aad := base64.RawURLEncoding.EncodeToString([]byte(header))
	mac := hmac.New(sha512.New, long[:32])
	mac.Write([]byte(aad))
	mac.Write(iv)
	mac.Write(text)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(aad))*8))
	e := base64.RawURLEncoding.EncodeToString
	return aad + ".." + e(iv) + "." + e(text) + "." + e(mac.Sum(nil)[:32])
}

const cbcHeader = `{"alg":"dir","enc":"A256CBC-HS512"}`

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

func newCodec(secrets ...string) *session.Codec {
	var list []session.Secret
	for _, text := range secrets {
		list = append(list, session.NewSecret(text))
	}
	return session.NewCodec(codecSalt, list)
}

func TestWhatWasSealedOpens(t *testing.T) {
	c := newCodec(codecSecret)
	for size := range 100 {
		payload := bytes.Repeat([]byte("x"), size)
		token := c.Seal(payload)
		require.Regexp(t, `^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$`, token)
		got, err := c.Open(token)
		require.NoError(t, err)
		require.Equal(t, payload, got)

		object, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256CBC_HS512})
		require.NoError(t, err)
		got, err = object.Decrypt(codecKey(t, 64))
		require.NoError(t, err, "go-jose reads it, %d bytes", size)
		require.Equal(t, string(payload), string(got))
	}
}

func TestACodecIsSafeForConcurrentUse(t *testing.T) { // MW-11
	c := newCodec(codecSecret)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			payload := bytes.Repeat([]byte{byte(i)}, i*50)
			for range 50 {
				if got, err := c.Open(c.Seal(payload)); err != nil || !bytes.Equal(payload, got) {
					t.Errorf("got %q, %v", got, err)
				}
			}
		})
	}
	wait.Wait()
}

func TestPaddingOfATokenWithARightTag(t *testing.T) { // JE-15
	c := newCodec(codecSecret)
	iv := make([]byte, aes.BlockSize)
	block := func(end ...byte) []byte {
		return append(bytes.Repeat([]byte("x"), 2*aes.BlockSize-len(end)), end...)
	}
	for name, text := range map[string][]byte{
		"none": {}, "one byte": {1}, "less than a block": bytes.Repeat([]byte{15}, 15), "a block and a byte": bytes.Repeat([]byte{1}, 17),
		"0": block(0), "17": block(bytes.Repeat([]byte{17}, 17)...), "255": block(255), "2, but one": block(3, 2), "16, but one": block(append([]byte{15}, bytes.Repeat([]byte{16}, 15)...)...),
	} {
		_, err := c.Open(sealText(t, cbcHeader, iv, text))
		require.Equal(t, session.ErrInvalidToken, err, name)
	}
	for name, text := range map[string][]byte{"1": block(1), "2": block(2, 2), "16": block(bytes.Repeat([]byte{16}, 16)...)} {
		got, err := c.Open(sealText(t, cbcHeader, iv, text))
		require.NoError(t, err, name)
		require.Equal(t, text[:len(text)-int(text[len(text)-1])], got)
		require.Equal(t, len(got), cap(got), "what is appended does not go where the padding was")
	}
	for _, size := range []int{0, 12, 15, 17, 32} {
		_, err := c.Open(sealText(t, cbcHeader, make([]byte, size), block(1)))
		require.Equal(t, session.ErrInvalidToken, err, "an IV of %d bytes", size)
	}
}

func TestATokenHasOneSpelling(t *testing.T) { // JE-01
	c := newCodec(codecSecret)
	for name, good := range map[string]string{
		"CBC": c.Seal(codecPayload), "GCM": sealWith(t, jose.DIRECT, jose.A256GCM, codecKey(t, 32), nil),
		"another header": sealUnder(t, cbcHeader),
	} {
		parts := strings.Split(good, ".")
		for i, part := range parts {
			for at := range len(part) + 1 {
				for _, more := range []string{"\n", "\r", "\r\n", " ", "=", "%"} {
					changed := append([]string(nil), parts...)
					changed[i] = part[:at] + more + part[at:]
					_, err := c.Open(strings.Join(changed, "."))
					require.Equal(t, session.ErrInvalidToken, err, "%s: %q in part %d at %d", name, more, i, at)
				}
			}
		}
		// The last character of a part has bits that say nothing.
		for i, part := range parts {
			for _, c2 := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/" {
				if part == "" || rune(part[len(part)-1]) == c2 {
					continue
				}
				changed := append([]string(nil), parts...)
				changed[i] = part[:len(part)-1] + string(c2)
				_, err := c.Open(strings.Join(changed, "."))
				require.Equal(t, session.ErrInvalidToken, err, "%s: %c ends part %d", name, c2, i)
			}
		}
	}
}

// thumbprintOf is RFC 7638's for k, with what Auth.js hashes it by.
func thumbprintOf(k []byte, h hash.Hash) string {
	h.Write([]byte(`{"k":"` + base64.RawURLEncoding.EncodeToString(k) + `","kty":"oct"}`))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func TestKeyIDs(t *testing.T) { // JE-08
	c := newCodec("another-"+codecSecret, codecSecret)
	long, short := codecKey(t, 64), codecKey(t, 32)
	cbcID, gcmID := thumbprintOf(long, sha512.New()), thumbprintOf(short, sha256.New())
	named := func(id string) *jose.EncrypterOptions { return (&jose.EncrypterOptions{}).WithHeader("kid", id) }
	for _, one := range []struct {
		name  string
		token string
		opens bool
	}{
		{"CBC, our kid", sealWith(t, jose.DIRECT, jose.A256CBC_HS512, long, named(cbcID)), true},
		{"CBC, our kid, another order", sealUnder(t, `{"kid":"`+cbcID+`","enc":"A256CBC-HS512","alg":"dir"}`), true},
		{"CBC, our kid, with typ", sealUnder(t, `{"alg":"dir","enc":"A256CBC-HS512","kid":"`+cbcID+`","typ":"JWT"}`), true},
		{"CBC, GCM's kid", sealWith(t, jose.DIRECT, jose.A256CBC_HS512, long, named(gcmID)), false},
		{"GCM, our kid", sealWith(t, jose.DIRECT, jose.A256GCM, short, named(gcmID)), true},
		{"GCM, CBC's kid", sealWith(t, jose.DIRECT, jose.A256GCM, short, named(cbcID)), false},
		{"GCM, a foreign kid", sealWith(t, jose.DIRECT, jose.A256GCM, short, named("other")), false},
		{"GCM, an empty kid", sealWith(t, jose.DIRECT, jose.A256GCM, short, named("")), false},
		{"GCM, no kid", sealWith(t, jose.DIRECT, jose.A256GCM, short, nil), true},
		{"our kid, another key", sealWith(t, jose.DIRECT, jose.A256CBC_HS512, bytes.Repeat([]byte{7}, 64), named(cbcID)), false},
		{"our kid, another GCM key", sealWith(t, jose.DIRECT, jose.A256GCM, bytes.Repeat([]byte{7}, 32), named(gcmID)), false},
	} {
		got, err := c.Open(one.token)
		if !one.opens {
			require.Equal(t, session.ErrInvalidToken, err, one.name)
			continue
		}
		require.NoError(t, err, one.name)
		require.Equal(t, codecPayload, got, one.name)
	}
	head, _, _ := strings.Cut(newCodec(codecSecret).Seal(nil), ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	require.NoError(t, err)
	require.Equal(t, `{"alg":"dir","enc":"A256CBC-HS512","kid":"`+cbcID+`"}`, string(raw))
}

func TestTheFirstSecretSealsAndEightOpen(t *testing.T) { // JE-08, JE-10
	var texts []string
	for i := range 9 {
		texts = append(texts, strings.Repeat(string(rune('a'+i)), 8)+codecSecret)
	}
	all := newCodec(texts...)
	for i, text := range texts {
		_, err := all.Open(newCodec(text).Seal(codecPayload))
		require.Equal(t, i < 8, err == nil, "secret %d", i+1)
		_, err = newCodec(text).Open(all.Seal(codecPayload))
		require.Equal(t, i == 0, err == nil, "secret %d", i+1)
	}
	_, err := newCodec().Open(all.Seal(codecPayload))
	require.Equal(t, session.ErrInvalidToken, err)
}

func TestSizesThatAreLookedAt(t *testing.T) { // JE-01, CK-08
	c := newCodec(codecSecret)
	largest := 0
	for size := 48_900; size < 49_100; size += aes.BlockSize {
		token := c.Seal(make([]byte, size))
		_, err := c.Open(token)
		require.Equal(t, len(token) <= 64<<10, err == nil, len(token))
		if err == nil {
			largest = max(largest, len(token))
		}
	}
	require.Greater(t, largest, 64<<10-32)

	// A header's size, encoded, and whether it is read.
	for size, opens := range map[int]bool{1023: true, 1024: true, 1026: false} {
		raw := size * 3 / 4
		_, err := c.Open(sealUnder(t, `{"alg":"dir","enc":"A256CBC-HS512","typ":"`+strings.Repeat("x", raw-len(`{"alg":"dir","enc":"A256CBC-HS512","typ":""}`))+`"}`))
		require.Equal(t, opens, err == nil, size)
	}
}
