package session

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport/auth/internal/strictjson"
)

// The layers of a token, which is a compact JWE (RFC 7516 3.1):
//
//	secret --HKDF-SHA256--> 64 bytes: a MAC key of 32, an AES key of 32
//	         salt: the cookie's name
//
//	eyJhbGciOiJkaXIi... . . 0Xq4c... . kT1bm... . w9Zs...
//	header              ^   IV         text       tag
//	                    no encrypted key: "dir" (RFC 7518 4.5)
//
//	header   {"alg":"dir","enc":"A256CBC-HS512","kid":"..."}; kid is a hash of the key
//	IV       16 random bytes
//	text     AES-256-CBC, PKCS #7 padding:
//	         {"sub":"4711","name":"Ada",...,"iat":1790000000,"exp":1792592000,"jti":"..."}
//	tag      the first 32 bytes of HMAC-SHA512 over header, IV, text and the header's
//	         length (RFC 7518 5.2.5)
//
// With A256GCM, which is read and never written, one key of 32 bytes does it
// all, the IV has 12 and the tag 16 (RFC 7518 5.3). next-auth v4 has that, another
// label for HKDF, an empty salt and no kid.

// ErrInvalidToken is the one error for every token that does not open: what
// exactly is wrong with it is nobody's business. An error for each cause would be
// an oracle (RFC 7516 11.5).
var ErrInvalidToken = errors.New("session: invalid token")

// maxToken bounds what is looked at at all, in bytes.
const maxToken = 64 << 10

// What a token's last part is long, in characters: a tag of 32 bytes with
// A256CBC-HS512, of 16 with A256GCM.
const (
	cbcTagText = 43
	gcmTagText = 22
)

// maxSecrets bounds the work that one token can cause: a token without a kid is
// tried with all of them.
const maxSecrets = 8

// b64 is base64url without padding (RFC 7515 2), and with none but zero bits at the
// end, so that a token has one spelling.
var b64 = base64.RawURLEncoding.Strict()

// Codec seals payloads into compact JWEs (RFC 7516) as Auth.js v5 does, "dir"
// with A256CBC-HS512, and opens those and A256GCM. It is safe for concurrent use.
//
// A payload may be any bytes. A Codec looks at no claims: a token that expired
// opens, and so does one that was signed out of. It cannot tell a token that was
// sealed for one person from one that was copied to another. [Manager.Load] is for
// sessions.
type Codec struct {
	keys []*key
	v4   []cipher.AEAD
}

// key is what one secret makes of one salt.
type key struct {
	header string // the encoded protected header of our own tokens
	kid    string // of A256CBC-HS512
	block  cipher.Block
	works  sync.Pool // of *work
	gcm    cipher.AEAD
	gcmKid string
}

// NewCodec returns a codec with the keys of salt: for a cookie, its name with the
// prefix, such as "__Secure-authjs.session-token". Tokens of one salt do not open
// under another, so a salt of its own keeps tokens of another purpose apart.
//
// The first secret seals, all of them open; those after the eighth are left
// out. It does not check them: see [CheckSecret]. With no secret nothing
// opens, and Seal panics.
func NewCodec(salt string, secrets []Secret) *Codec {
	c := &Codec{}
	for _, s := range secrets[:min(len(secrets), maxSecrets)] {
		c.keys = append(c.keys, newKey(salt, s))
	}
	return c
}

// newV4Codec opens the session tokens of next-auth v4, whose keys depend on no
// cookie's name: a token counts under both of v4's. v4's other tokens, state and
// PKCE, have a name in the label, so none of them is a session. It seals nothing.
func newV4Codec(secrets []Secret) *Codec {
	c := &Codec{}
	for _, s := range secrets[:min(len(secrets), maxSecrets)] {
		c.v4 = append(c.v4, newGCM(derive(s, "", "NextAuth.js Generated Encryption Key", 32)))
	}
	return c
}

// derive is HKDF (RFC 5869) with SHA-256. Auth.js takes the secret's text as it is,
// and does not decode it.
func derive(s Secret, salt, info string, size int) []byte {
	k, err := hkdf.Key(sha256.New, []byte(s.Reveal()), []byte(salt), info, size)
	if err != nil {
		panic(err) // only for sizes that HKDF cannot make
	}
	return k
}

func newKey(salt string, s Secret) *key {
	info := "Auth.js Generated Encryption Key (" + salt + ")"
	long, short := derive(s, salt, info, 64), derive(s, salt, info, 32)
	k := &key{gcm: newGCM(short)}
	k.kid = thumbprint(long, sha512.New())
	k.gcmKid = thumbprint(short, sha256.New())
	k.header = b64.EncodeToString([]byte(`{"alg":"dir","enc":"A256CBC-HS512","kid":"` + k.kid + `"}`))
	block, err := aes.NewCipher(long[32:])
	if err != nil {
		panic(err) // only for key sizes that AES does not have
	}
	k.block = block
	mac := bytes.Clone(long[:32])
	k.works.New = func() any {
		return &work{mac: hmac.New(sha512.New, mac), decrypter: cipher.NewCBCDecrypter(block, make([]byte, aes.BlockSize))}
	}
	return k
}

func newGCM(k []byte) cipher.AEAD {
	block, err := aes.NewCipher(k)
	if err != nil {
		panic(err) // only for key sizes that AES does not have
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // only for block sizes that AES does not have
	}
	return gcm
}

// thumbprint is that of RFC 7638 for a symmetric key, with the hash that Auth.js
// takes for the key's size. It is of the derived key, so it does not help to find
// the secret any more than a token does.
func thumbprint(k []byte, h hash.Hash) string {
	fmt.Fprintf(h, `{"k":"%s","kty":"oct"}`, b64.EncodeToString(k))
	return b64.EncodeToString(h.Sum(nil))
}

// work is what one token needs and the next can use again. It belongs to one
// goroutine at a time.
type work struct {
	mac       hash.Hash
	aad       []byte // what everybody may know
	length    [8]byte
	sum       [sha512.Size]byte
	decrypter cipher.BlockMode
}

// tag computes the authentication tag of RFC 7518 5.2.2.1: the first half of
// HMAC-SHA512 over AAD, IV, ciphertext and the AAD's length in bits. It holds
// until w is used again.
func (w *work) tag(aad string, ivAndText []byte) []byte {
	w.mac.Reset()
	w.aad = append(w.aad[:0], aad...)
	w.mac.Write(w.aad)
	w.mac.Write(ivAndText)
	binary.BigEndian.PutUint64(w.length[:], uint64(len(aad))*8)
	w.mac.Write(w.length[:])
	return w.mac.Sum(w.sum[:0])[:32]
}

// Seal encrypts payload with the first secret and a random IV, and returns a token
// of cookie-safe characters: letters, digits, '-', '_' and four dots. It is about
// 250 characters longer than four thirds of payload. Opening is bounded to tokens
// of 64 KiB, sealing is not.
func (c *Codec) Seal(payload []byte) string {
	k := c.keys[0]
	sealed := k.seal(nil, k.header, payload)
	iv, text, tag := sealed[:aes.BlockSize], sealed[aes.BlockSize:len(sealed)-tagSize], sealed[len(sealed)-tagSize:]
	out := make([]byte, 0, len(k.header)+4+b64.EncodedLen(len(iv))+b64.EncodedLen(len(text))+b64.EncodedLen(len(tag)))
	out = append(out, k.header...)
	out = append(out, '.', '.')
	out = b64.AppendEncode(out, iv)
	out = append(out, '.')
	out = b64.AppendEncode(out, text)
	out = append(out, '.')
	out = b64.AppendEncode(out, tag)
	return string(out)
}

// tagSize is that of an authentication tag of A256CBC-HS512, in bytes.
const tagSize = sha512.Size / 2

// seal appends to dst a random IV, what payload is encrypted, and the tag over aad and both:
// RFC 7518 5.2.2.1.
func (k *key) seal(dst []byte, aad string, payload []byte) []byte {
	pad := aes.BlockSize - len(payload)%aes.BlockSize
	size := aes.BlockSize + len(payload) + pad
	dst = slices.Grow(dst, size+tagSize)
	buf := dst[len(dst) : len(dst)+size]
	iv, text := buf[:aes.BlockSize], buf[aes.BlockSize:]
	_, _ = rand.Read(iv) // never fails: it ends the program instead
	for i := copy(text, payload); i < len(text); i++ {
		text[i] = byte(pad)
	}
	cipher.NewCBCEncrypter(k.block, iv).CryptBlocks(text, text)
	w := k.works.Get().(*work)
	defer k.works.Put(w)
	return append(dst[:len(dst)+size], w.tag(aad, buf)...)
}

// Open decrypts token and returns the payload, which is the caller's. The error
// is always [ErrInvalidToken]: for another secret or salt, for a token that was
// changed in a single bit, cut or spelt in another way, for one of more than
// 64 KiB, and for every algorithm but "dir" with A256CBC-HS512 or A256GCM
// (RFC 8725 3.1). A header with members of consequence, such as "zip", "crit" or
// "p2c", is refused before any key is touched.
func (c *Codec) Open(token string) ([]byte, error) {
	if len(token) > maxToken {
		return nil, ErrInvalidToken
	}
	parts, ok := split(token)
	if !ok {
		return nil, ErrInvalidToken
	}
	for _, k := range c.keys {
		if parts[0] == k.header {
			return k.openCBC(parts)
		}
	}
	h, ok := parseHeader(parts[0])
	if !ok {
		return nil, ErrInvalidToken
	}
	for _, k := range c.keys {
		switch {
		case h.names("A256CBC-HS512", k.kid):
			if payload, err := k.openCBC(parts); err == nil {
				return payload, nil
			}
		case h.names("A256GCM", k.gcmKid):
			if payload, err := openGCM(k.gcm, parts); err == nil {
				return payload, nil
			}
		}
	}
	if h.enc == "A256GCM" && h.anyKey {
		for _, gcm := range c.v4 {
			if payload, err := openGCM(gcm, parts); err == nil {
				return payload, nil
			}
		}
	}
	return nil, ErrInvalidToken
}

// split cuts the five parts of a compact JWE. With "dir" the second, the
// encrypted key, is empty: RFC 7518 4.5.
func split(token string) (parts [5]string, ok bool) {
	rest := token
	for i := range 4 {
		if parts[i], rest, ok = strings.Cut(rest, "."); !ok {
			return parts, false
		}
	}
	parts[4] = rest
	return parts, parts[1] == "" && len(parts[0]) <= 1024
}

// header is what a protected header says, once it says nothing else.
type header struct {
	enc, kid string
	anyKey   bool // no kid says which
}

// names reports whether h is about the key kid of enc.
func (h header) names(enc, kid string) bool {
	return h.enc == enc && (h.anyKey || h.kid == kid)
}

// parseHeader takes a protected header that is exactly alg, enc and at most
// kid, typ and cty, each a string: zip, crit (RFC 7516 4.1.13) and whatever else
// changes a token's meaning are refused, and so is a name that stands twice.
func parseHeader(encoded string) (h header, ok bool) {
	raw, err := b64.DecodeString(encoded)
	if err != nil {
		return h, false
	}
	members, err := strictjson.Parse(raw)
	if err != nil {
		return h, false
	}
	text := map[string]string{}
	for name, raw := range members {
		var value *string
		if json.Unmarshal(raw, &value) != nil || value == nil {
			return h, false
		}
		switch name {
		case "alg", "enc", "kid", "typ", "cty":
			text[name] = *value
		default:
			return h, false
		}
	}
	kid, named := text["kid"]
	return header{text["enc"], kid, !named}, text["alg"] == "dir"
}

// openCBC decodes what a token with A256CBC-HS512 is made of, and opens it.
func (k *key) openCBC(parts [5]string) ([]byte, error) {
	// Most of what was planted ends here, before anything is decoded.
	if len(parts[4]) != cbcTagText {
		return nil, ErrInvalidToken
	}
	// One buffer for IV, ciphertext and tag: the payload is a part of it.
	buf := make([]byte, 0, b64.DecodedLen(len(parts[2]))+b64.DecodedLen(len(parts[3]))+b64.DecodedLen(len(parts[4])))
	var err error
	if buf, err = appendDecoded(buf, parts[2]); err != nil || len(buf) != aes.BlockSize {
		return nil, ErrInvalidToken
	}
	if buf, err = appendDecoded(buf, parts[3]); err != nil {
		return nil, ErrInvalidToken
	}
	if buf, err = appendDecoded(buf, parts[4]); err != nil {
		return nil, ErrInvalidToken
	}
	return k.open(parts[0], buf)
}

// open decrypts sealed, which [key.seal] made with aad, in its own place: RFC 7518 5.2.2.2. The
// tag is compared before anything is decrypted, so that padding is looked at only in what a
// holder of the secret made.
func (k *key) open(aad string, sealed []byte) ([]byte, error) {
	end := len(sealed) - tagSize
	if end <= aes.BlockSize || end%aes.BlockSize != 0 {
		return nil, ErrInvalidToken
	}
	w := k.works.Get().(*work)
	defer k.works.Put(w)
	if subtle.ConstantTimeCompare(w.tag(aad, sealed[:end]), sealed[end:]) != 1 {
		return nil, ErrInvalidToken
	}
	// A decrypter goes on from the block before. That is the IV's once the IV has
	// gone through as if it were ciphertext, whatever was there before.
	w.decrypter.CryptBlocks(sealed[:end], sealed[:end])
	payload := sealed[aes.BlockSize:end]
	pad := int(payload[len(payload)-1])
	if pad == 0 || pad > aes.BlockSize {
		return nil, ErrInvalidToken
	}
	for _, b := range payload[len(payload)-pad:] {
		if int(b) != pad {
			return nil, ErrInvalidToken
		}
	}
	return payload[: len(payload)-pad : len(payload)-pad], nil
}

// openGCM takes an IV and a tag of full length only: crypto/cipher would be
// content with whatever split of text and tag adds up.
func openGCM(gcm cipher.AEAD, parts [5]string) ([]byte, error) {
	if len(parts[4]) != gcmTagText {
		return nil, ErrInvalidToken
	}
	iv, err := appendDecoded(nil, parts[2])
	if err != nil || len(iv) != gcm.NonceSize() {
		return nil, ErrInvalidToken
	}
	sealed, err := appendDecoded(nil, parts[3])
	if err != nil {
		return nil, ErrInvalidToken
	}
	before := len(sealed)
	if sealed, err = appendDecoded(sealed, parts[4]); err != nil || len(sealed)-before != gcm.Overhead() {
		return nil, ErrInvalidToken
	}
	payload, err := gcm.Open(sealed[:0], iv, sealed, []byte(parts[0]))
	if err != nil {
		return nil, ErrInvalidToken
	}
	return payload, nil
}

// appendDecoded decodes canonical base64url only. The decoder would skip line
// breaks, with which one token has many spellings.
func appendDecoded(dst []byte, s string) ([]byte, error) {
	if strings.IndexByte(s, '\n') >= 0 || strings.IndexByte(s, '\r') >= 0 {
		return nil, ErrInvalidToken
	}
	n := len(dst)
	dst = append(dst, make([]byte, b64.DecodedLen(len(s)))...)
	m, err := b64.Decode(dst[n:], []byte(s))
	if err != nil {
		return nil, ErrInvalidToken
	}
	return dst[:n+m], nil
}
