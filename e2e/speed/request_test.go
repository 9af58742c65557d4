package speed_test

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
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/providers/github"
	"github.com/sallyport/auth/session"
)

const (
	text       = "Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa"
	cookieName = "__Secure-authjs.session-token"
	page       = "https://app.example/page"
)

// somebody is a session of some 600 bytes of JSON, with so many groups.
func somebody(n, groups int) *session.Session {
	s := &session.Session{
		Subject: fmt.Sprintf("auth0|65f1c0ffee0123456789%06d", n), Name: "Ada Lovelace", Email: "ada.lovelace@example.com", EmailVerified: true,
		Picture: "https://avatars.example.com/u/4711?v=4&size=96", Provider: "github", Issuer: "https://github.com/login/oauth", Username: "ada",
	}
	for i := range groups {
		s.Groups = append(s.Groups, fmt.Sprintf("engineering-group-%04d", i))
	}
	return s
}

// site is Require around a handler that looks who it is.
func site(b testing.TB, c session.Config) http.Handler {
	provider, err := github.New(github.Config{ClientID: "id", ClientSecret: auth.NewSecret("a-client-secret-4711")})
	require.NoError(b, err)
	a, err := auth.New(auth.Config{Secrets: []auth.Secret{auth.NewSecret(text)}, URL: "https://app.example", Providers: []auth.Provider{provider}, Session: c, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(b, err)
	return a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, ok := auth.FromContext(r.Context()); !ok || s.Subject == "" || len(s.Groups) == 0 {
			panic("nobody")
		}
	}))
}

// requests are of so many people with a session each, in as many cookies as it needs.
func requests(b testing.TB, c session.Config, people, groups int) (list []*http.Request) {
	c.MaxSetCookieBytes = 16 << 10
	m, err := session.NewManager(c, []session.Secret{session.NewSecret(text)}, time.Now)
	require.NoError(b, err)
	for n := range people {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", page, nil)
		require.NoError(b, m.Start(w, r, somebody(n, groups), true))
		for _, cookie := range w.Result().Cookies() {
			r.AddCookie(cookie)
		}
		list = append(list, r)
	}
	return list
}

// answer keeps nothing.
type answer struct{ header http.Header }

func (a answer) Header() http.Header         { return a.header }
func (a answer) Write(p []byte) (int, error) { return len(p), nil }
func (a answer) WriteHeader(int)             {}

// asked is a request of one of list, in turn.
func asked(h http.Handler, list []*http.Request) func(n int) {
	w := answer{http.Header{}}
	return func(n int) {
		clear(w.header)
		h.ServeHTTP(w, list[n%len(list)])
	}
}

// floor opens the same token by the standard library alone, its key kept: cookie, base64, HMAC,
// AES, encoding/json. It is what the format costs without a check of what it says.
func floor(b testing.TB, list []*http.Request) func(n int) {
	key, err := hkdf.Key(sha256.New, []byte(text), []byte(cookieName), "Auth.js Generated Encryption Key ("+cookieName+")", 64)
	require.NoError(b, err)
	block, err := aes.NewCipher(key[32:])
	require.NoError(b, err)
	return func(n int) {
		r := list[n%len(list)]
		token := ""
		if c, err := r.Cookie(cookieName); err == nil {
			token = c.Value
		} else {
			var chunks []string
			for i := range 20 {
				c, err := r.Cookie(fmt.Sprint(cookieName, ".", i))
				if err != nil {
					break
				}
				chunks = append(chunks, c.Value)
			}
			token = strings.Join(chunks, "")
		}
		parts := strings.Split(token, ".")
		iv, _ := base64.RawURLEncoding.DecodeString(parts[2])
		text, _ := base64.RawURLEncoding.DecodeString(parts[3])
		tag, _ := base64.RawURLEncoding.DecodeString(parts[4])
		mac := hmac.New(sha512.New, key[:32])
		mac.Write([]byte(parts[0]))
		mac.Write(iv)
		mac.Write(text)
		_ = binary.Write(mac, binary.BigEndian, uint64(len(parts[0]))*8)
		if !bytes.Equal(mac.Sum(nil)[:32], tag) {
			panic("tag")
		}
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(text, text)
		text = text[:len(text)-int(text[len(text)-1])]
		var claims struct {
			Sub, Name, Email, Picture, Provider, Jti string
			EmailVerified                            bool `json:"email_verified"`
			Groups                                   []string
			Iat, Exp                                 int64
		}
		if err := json.Unmarshal(text, &claims); err != nil {
			panic(err)
		}
	}
}

const (
	few  = 5   // groups
	many = 230 // groups, for three chunks of a cookie
)

// BenchmarkRequest is one signed-in GET through Require. A turn of "first" brings tokens that its
// Authenticator has not seen.
func BenchmarkRequest(b *testing.B) {
	plain := session.Config{}
	people := requests(b, plain, 4000, few)
	f := floor(b, people)
	b.Run("first", func(b *testing.B) {
		var h http.Handler
		w := answer{http.Header{}}
		beside(b, f, func(n int) {
			clear(w.header)
			h.ServeHTTP(w, people[n%len(people)])
		}, func() { h = site(b, plain) })
	})
	one := people[:1]
	b.Run("known", func(b *testing.B) { beside(b, floor(b, one), asked(site(b, plain), one), nil) })
	b.Run("known/4000 people", func(b *testing.B) {
		seen := asked(site(b, plain), people)
		for n := range people {
			seen(n)
		}
		beside(b, f, seen, nil)
	})
	large := requests(b, plain, 1, many)
	require.Len(b, large[0].Cookies(), 3)
	b.Run("known/three chunks", func(b *testing.B) { beside(b, f, asked(site(b, plain), large), nil) })
	b.Run("nobody/401", func(b *testing.B) { beside(b, f, asked(site(b, plain), []*http.Request{stranger("")}), nil) })
	b.Run("nobody/redirect", func(b *testing.B) { beside(b, f, asked(site(b, plain), []*http.Request{stranger("text/html")}), nil) })
	stored := session.Config{Store: session.NewMemoryStore(0, nil)}
	held := requests(b, stored, 4000, few)
	b.Run("memory store", func(b *testing.B) { beside(b, floor(b, one), asked(site(b, stored), held[:1]), nil) })
	b.Run("memory store/4000 people", func(b *testing.B) { beside(b, f, asked(site(b, stored), held), nil) })
	b.Run("go-jose", func(b *testing.B) { beside(b, f, byJose(b, people), nil) })
	b.Run("scs in memory", func(b *testing.B) { beside(b, f, byScs(b, 4000), nil) })
}

func stranger(accept string) *http.Request {
	r := httptest.NewRequest("GET", page, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	return r
}

// byJose opens the same tokens with go-jose.
func byJose(b testing.TB, list []*http.Request) func(n int) {
	key, err := hkdf.Key(sha256.New, []byte(text), []byte(cookieName), "Auth.js Generated Encryption Key ("+cookieName+")", 64)
	require.NoError(b, err)
	return func(n int) {
		c, err := list[n%len(list)].Cookie(cookieName)
		if err != nil {
			panic(err)
		}
		object, err := jose.ParseEncryptedCompact(c.Value, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256CBC_HS512})
		if err != nil {
			panic(err)
		}
		payload, err := object.Decrypt(key)
		if err != nil {
			panic(err)
		}
		var claims map[string]any
		if err := json.Unmarshal(payload, &claims); err != nil {
			panic(err)
		}
	}
}

// byScs is a request through scs's LoadAndSave that looks at the same of its session.
func byScs(b testing.TB, people int) func(n int) {
	m := scs.New()
	m.Store = memstore.NewWithCleanupInterval(0)
	var list []*http.Request
	for n := range people {
		r, s := httptest.NewRequest("GET", page, nil), somebody(n, few)
		ctx, err := m.Load(r.Context(), "")
		require.NoError(b, err)
		for key, value := range map[string]any{
			"sub": s.Subject, "name": s.Name, "email": s.Email, "email_verified": s.EmailVerified, "picture": s.Picture,
			"provider": s.Provider, "issuer": s.Issuer, "username": s.Username, "groups": s.Groups,
		} {
			m.Put(ctx, key, value)
		}
		token, _, err := m.Commit(ctx)
		require.NoError(b, err)
		r.AddCookie(&http.Cookie{Name: m.Cookie.Name, Value: token})
		list = append(list, r)
	}
	return asked(m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if groups, _ := m.Get(r.Context(), "groups").([]string); m.GetString(r.Context(), "sub") == "" || len(groups) == 0 {
			panic("nobody")
		}
	})), list)
}
