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
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// typical is a session of some 400 bytes of JSON.
func typical() *session.Session {
	return &session.Session{Subject: "auth0|65f1c0ffee0123456789abcd", Name: "Ada Lovelace", Email: "ada.lovelace@example.com", EmailVerified: true,
		Picture: "https://avatars.example.com/u/4711?v=4&size=96", Provider: "auth0", Issuer: "https://example.eu.auth0.com/", Username: "ada"}
}

func benchRequest(b *testing.B) (*http.Request, string, func() *session.Manager) {
	newManager := func() *session.Manager {
		m, err := session.NewManager(session.Config{}, []session.Secret{first}, time.Now)
		require.NoError(b, err)
		return m
	}
	w := httptest.NewRecorder()
	require.NoError(b, newManager().Start(w, httptest.NewRequest("GET", "/", nil), typical(), true))
	r := httptest.NewRequest("GET", "/", nil)
	c := w.Result().Cookies()[0]
	r.AddCookie(c)
	return r, c.Value, newManager
}

// BenchmarkFloor is the standard library alone: decrypt the same token with a
// key that is kept, and decode it by encoding/json.
func BenchmarkFloor(b *testing.B) {
	_, token, _ := benchRequest(b)
	key, err := hkdf.Key(sha256.New, []byte(first.Reveal()), []byte(cookieName), "Auth.js Generated Encryption Key ("+cookieName+")", 64)
	require.NoError(b, err)
	block, err := aes.NewCipher(key[32:])
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
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
			b.Fatal("tag")
		}
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(text, text)
		text = text[:len(text)-int(text[len(text)-1])]
		var claims struct {
			Sub, Name, Email, Picture, Provider, Jti string
			EmailVerified                            bool `json:"email_verified"`
			Iat, Exp                                 int64
		}
		if err := json.Unmarshal(text, &claims); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoadFirst verifies a token that the process has not seen before.
func BenchmarkLoadFirst(b *testing.B) {
	r, _, newManager := benchRequest(b)
	m := newManager()
	b.ReportAllocs()
	for b.Loop() {
		session.Forget(m)
		if s, _ := m.Load(r, true); s == nil {
			b.Fatal("no session")
		}
	}
}

// BenchmarkLoadAgain is the same token, seen before.
func BenchmarkLoadAgain(b *testing.B) {
	r, _, newManager := benchRequest(b)
	m := newManager()
	b.ReportAllocs()
	for b.Loop() {
		if s, _ := m.Load(r, true); s == nil {
			b.Fatal("no session")
		}
	}
}

// BenchmarkLoadStored is a session in a store, which answers at once.
func BenchmarkLoadStored(b *testing.B) {
	m, err := session.NewManager(session.Config{Store: session.NewMemoryStore(0, nil)}, []session.Secret{first}, time.Now)
	require.NoError(b, err)
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	require.NoError(b, m.Start(w, r, typical(), true))
	r.AddCookie(w.Result().Cookies()[0])
	b.ReportAllocs()
	for b.Loop() {
		if s, _ := m.Load(r, true); s == nil {
			b.Fatal("no session")
		}
	}
}

// BenchmarkSeal and BenchmarkOpen are the cryptography alone.
func BenchmarkSeal(b *testing.B) {
	codec, payload := session.NewCodec(cookieName, []session.Secret{first}), bytes.Repeat([]byte("x"), 400)
	b.ReportAllocs()
	for b.Loop() {
		codec.Seal(payload)
	}
}

func BenchmarkOpen(b *testing.B) {
	codec := session.NewCodec(cookieName, []session.Secret{first})
	token := codec.Seal(bytes.Repeat([]byte("x"), 400))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codec.Open(token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSweep removes half of a million entries, on a list each, while one goroutine
// reads and one writes: how long each waited at most, and how long the lock was held.
// A process that others take the processor from shows that: see it with -cpu 1.
func BenchmarkSweep(b *testing.B) {
	const entries = 1_000_000
	key := func(n int) string { return fmt.Sprintf("%064d", n%entries) }
	data := bytes.Repeat([]byte("x"), 1000)
	for b.Loop() {
		b.StopTimer()
		at := atomic.Int64{} // seconds
		m := session.NewMemoryStore(entries+1, func() time.Time { return time.Unix(at.Load(), 0) })
		for i := range entries {
			expiry := time.Unix(1+int64(i%2), 0)
			require.NoError(b, m.Commit(b.Context(), key(i), data, expiry))
			require.NoError(b, m.Add(b.Context(), "list"+key(i), key(i), expiry))
		}
		at.Store(1)
		runtime.GC()
		stop := make(chan struct{})
		find := longest(stop, func(n int) error { _, _, err := m.Find(b.Context(), key(n)); return err })
		commit := longest(stop, func(n int) error { return m.Commit(b.Context(), key(n), data, time.Unix(2, 0)) })
		var held time.Duration
		b.StartTimer()
		for more := true; more; {
			began := time.Now()
			more = session.SweepSome(m)
			held = max(held, time.Since(began))
			runtime.Gosched()
		}
		b.StopTimer()
		close(stop)
		b.ReportMetric(float64(held.Microseconds()), "us-held")
		b.ReportMetric(float64((<-find).Microseconds()), "us-find")
		b.ReportMetric(float64((<-commit).Microseconds()), "us-commit")
		require.NoError(b, m.Close())
		b.StartTimer()
	}
}

// longest calls call with odd numbers until stop is closed, and then sends how long the
// longest took.
func longest(stop <-chan struct{}, call func(n int) error) <-chan time.Duration {
	result := make(chan time.Duration)
	go func() {
		var longest time.Duration
		for n := 1; ; n += 2 {
			select {
			case <-stop:
				result <- longest
				return
			case <-time.After(100 * time.Microsecond):
			}
			began := time.Now()
			_ = call(n)
			longest = max(longest, time.Since(began))
		}
	}()
	return result
}
