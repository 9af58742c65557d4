package e2e_test

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

var b64 = base64.RawURLEncoding

// keyOf derives what Auth.js v5 does, by the standard library alone.
func keyOf(secret, salt string, size int) []byte {
	k, err := hkdf.Key(sha256.New, []byte(secret), []byte(salt), "Auth.js Generated Encryption Key ("+salt+")", size)
	if err != nil {
		panic(err)
	}
	return k
}

// kidOf is what Auth.js calls the key of A256CBC-HS512.
func kidOf(secret, salt string) string {
	sum := sha512.Sum512([]byte(`{"k":"` + b64.EncodeToString(keyOf(secret, salt, 64)) + `","kty":"oct"}`))
	return b64.EncodeToString(sum[:])
}

// sealUnder makes a token that is right in all but its header and payload.
func sealUnder(secret, salt, header, payload string) string {
	key := keyOf(secret, salt, 64)
	block, err := aes.NewCipher(key[32:])
	if err != nil {
		panic(err)
	}
	pad := aes.BlockSize - len(payload)%aes.BlockSize
	text := append([]byte(payload), bytes.Repeat([]byte{byte(pad)}, pad)...)
	iv := bytes.Repeat([]byte{7}, aes.BlockSize)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
	aad := b64.EncodeToString([]byte(header))
	mac := hmac.New(sha512.New, key[:32])
	mac.Write([]byte(aad))
	mac.Write(iv)
	mac.Write(text)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(aad))*8))
	return aad + ".." + b64.EncodeToString(iv) + "." + b64.EncodeToString(text) + "." + b64.EncodeToString(mac.Sum(nil)[:32])
}

// payloadNow is a session that holds, with more members.
func payloadNow(more string) string {
	now := time.Now().Unix()
	return fmt.Sprintf(`{"sub":"ada","jti":"1","iat":%d,"exp":%d%s}`, now, now+3600, more)
}

func deflated(t *testing.T, text string) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	require.NoError(t, err)
	_, err = w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

// sealedBy is go-jose's token.
func sealedBy(t *testing.T, alg jose.KeyAlgorithm, enc jose.ContentEncryption, key any) string {
	e, err := jose.NewEncrypter(enc, jose.Recipient{Algorithm: alg, Key: key, PBES2Count: 1000, PBES2Salt: []byte("salt-salt")}, nil)
	require.NoError(t, err)
	jwe, err := e.Encrypt([]byte(payloadNow("")))
	require.NoError(t, err)
	token, err := jwe.CompactSerialize()
	require.NoError(t, err)
	return token
}

// headers are protected headers under the right key.
func headers(secret, salt string) map[string]string {
	kid := kidOf(secret, salt)
	return map[string]string{
		"header as it is":         `{"alg":"dir","enc":"A256CBC-HS512","kid":"` + kid + `"}`,
		"header in another order": `{"kid":"` + kid + `","enc":"A256CBC-HS512","alg":"dir"}`,
		"header with spaces":      `{ "alg": "dir", "enc": "A256CBC-HS512" }`,
		"header with typ and cty": `{"alg":"dir","enc":"A256CBC-HS512","typ":"JWT","cty":"JWT"}`,
		"a foreign kid":           `{"alg":"dir","enc":"A256CBC-HS512","kid":"x"}`,
		"an empty kid":            `{"alg":"dir","enc":"A256CBC-HS512","kid":""}`,
		"kid null":                `{"alg":"dir","enc":"A256CBC-HS512","kid":null}`,
		"kid in a list":           `{"alg":"dir","enc":"A256CBC-HS512","kid":["` + kid + `"]}`,
		"alg none":                `{"alg":"none","enc":"A256CBC-HS512"}`,
		"no alg":                  `{"enc":"A256CBC-HS512"}`,
		"alg null":                `{"alg":null,"enc":"A256CBC-HS512"}`,
		"alg in another case":     `{"alg":"DIR","enc":"A256CBC-HS512"}`,
		"alg in a list":           `{"alg":["dir"],"enc":"A256CBC-HS512"}`,
		"alg A256KW":              `{"alg":"A256KW","enc":"A256CBC-HS512"}`,
		"alg PBES2":               `{"alg":"PBES2-HS512+A256KW","enc":"A256CBC-HS512","p2c":2147483647,"p2s":"AAAA"}`,
		"alg RSA-OAEP":            `{"alg":"RSA-OAEP","enc":"A256CBC-HS512"}`,
		"no enc":                  `{"alg":"dir"}`,
		"enc A256GCM":             `{"alg":"dir","enc":"A256GCM"}`,
		"enc A128CBC-HS256":       `{"alg":"dir","enc":"A128CBC-HS256"}`,
		"enc in another case":     `{"alg":"dir","enc":"a256cbc-hs512"}`,
		"zip none":                `{"alg":"dir","enc":"A256CBC-HS512","zip":"none"}`,
		"zip that is none":        `{"alg":"dir","enc":"A256CBC-HS512","zip":"DEF"}`,
		"crit":                    `{"alg":"dir","enc":"A256CBC-HS512","crit":["exp"],"exp":1}`,
		"crit b64":                `{"alg":"dir","enc":"A256CBC-HS512","crit":["b64"],"b64":false}`,
		"crit empty":              `{"alg":"dir","enc":"A256CBC-HS512","crit":[]}`,
		"jku":                     `{"alg":"dir","enc":"A256CBC-HS512","jku":"https://evil.example"}`,
		"epk":                     `{"alg":"dir","enc":"A256CBC-HS512","epk":{"kty":"oct"}}`,
		"a member nobody knows":   `{"alg":"dir","enc":"A256CBC-HS512","x":1}`,
		"alg twice, none first":   `{"alg":"none","alg":"dir","enc":"A256CBC-HS512"}`,
		"alg twice, none last":    `{"alg":"dir","alg":"none","enc":"A256CBC-HS512"}`,
		"header and more":         `{"alg":"dir","enc":"A256CBC-HS512"}{}`,
		"header no object":        `["dir"]`,
		"header a string":         `"dir"`,
		"header null":             `null`,
		"header empty":            ``,
		"header not UTF-8":        "{\"alg\":\"dir\",\"enc\":\"A256CBC-HS512\",\"typ\":\"\xff\"}",
		"header with a BOM":       "\ufeff" + `{"alg":"dir","enc":"A256CBC-HS512"}`,
	}
}

// payloads are what the right key sealed, and no session that holds.
func payloads() map[string]string {
	now := time.Now().Unix()
	times := func(iat, exp int64) string { return fmt.Sprintf(`{"sub":"ada","iat":%d,"exp":%d}`, iat, exp) }
	return map[string]string{
		"payload as it is":         payloadNow(""),
		"expired a second ago":     times(now-100, now-1),
		"expired a minute ago":     times(now-100, now-60),
		"no exp":                   fmt.Sprintf(`{"sub":"ada","iat":%d}`, now),
		"no iat":                   fmt.Sprintf(`{"sub":"ada","exp":%d}`, now+3600),
		"exp a string":             fmt.Sprintf(`{"sub":"ada","iat":%d,"exp":"%d"}`, now, now+3600),
		"exp null":                 fmt.Sprintf(`{"sub":"ada","iat":%d,"exp":null}`, now),
		"exp zero":                 times(now, 0),
		"exp before time":          times(now, -1),
		"issued in a minute":       times(now+60, now+3600),
		"not before in a minute":   payloadNow(fmt.Sprintf(`,"nbf":%d`, now+60)),
		"nbf a string":             payloadNow(`,"nbf":"0"`),
		"a claim twice":            payloadNow(`,"sub":"eve"`),
		"a claim twice by escape":  payloadNow(`,"s\u0075b":"eve"`),
		"payload a list":           `[` + payloadNow("") + `]`,
		"payload null":             `null`,
		"payload empty":            ``,
		"payload no JSON":          `{"sub":"ada"`,
		"payload and more":         payloadNow("") + `{}`,
		"payload with a BOM":       "\ufeff" + payloadNow(""),
		"payload not UTF-8":        payloadNow(",\"name\":\"\xff\""),
		"payload with a comment":   payloadNow(`/**/`),
		"a trailing comma":         payloadNow(`,`),
		"a raw control character":  payloadNow(",\"name\":\"\x01\""),
		"a number as nobody does":  payloadNow(`,"n":01`),
		"a word that is none":      payloadNow(`,"n":NaN`),
		"nested a thousand levels": payloadNow(`,"n":` + string(bytes.Repeat([]byte("["), 1000)) + string(bytes.Repeat([]byte("]"), 1000))),
	}
}
