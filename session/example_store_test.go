package session_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/sallyport/auth/session"
)

// MapStore is a session.Store over a map.
type MapStore struct {
	mu      sync.Mutex
	entries map[string]entry
}

type entry struct {
	data   []byte
	expiry time.Time
}

// Find returns what is there and has not expired.
func (m *MapStore) Find(ctx context.Context, key string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	if !ok || !time.Now().Before(e.expiry) {
		return nil, false, ctx.Err()
	}
	return bytes.Clone(e.data), true, ctx.Err()
}

// Commit also removes what has expired: nobody else does.
func (m *MapStore) Commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, e := range m.entries {
		if !time.Now().Before(e.expiry) {
			delete(m.entries, k)
		}
	}
	m.entries[key] = entry{bytes.Clone(data), expiry}
	return ctx.Err()
}

// Delete is content with a key that is not there.
func (m *MapStore) Delete(ctx context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, key)
	return ctx.Err()
}

// A store of one's own has three methods, and imports nothing of this package.
// One that answers from memory, as this does, has little to do with ctx; one that
// asks a database hands it on. An application gives the store to package auth in
// its Config, as Session: session.Config{Store: store}.
func ExampleStore() {
	store := &MapStore{entries: map[string]entry{}}
	secrets := []session.Secret{session.NewSecret("Hq2cY7Nn0wVtE4rXbS9uKd6LfJmZ1gPa")} // openssl rand -base64 32
	m, err := session.NewManager(session.Config{Store: store}, secrets, time.Now)
	if err != nil {
		panic(err)
	}

	// Ada signs in: the answer sets a cookie, which the browser sends from then on.
	answer, request := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "https://app.example/", nil)
	if err := m.Start(answer, request, &session.Session{Subject: "4711", Name: "Ada"}, true); err != nil {
		panic(err)
	}
	request.AddCookie(answer.Result().Cookies()[0])
	s, err := m.Load(request, true)
	fmt.Println(s.Name, err)

	// She signs out. A copy of the cookie is worth nothing from then on.
	fmt.Println(m.End(httptest.NewRecorder(), request, true))
	s, err = m.Load(request, true)
	fmt.Println(s == nil, err)
	// Output:
	// Ada <nil>
	// <nil>
	// true <nil>
}
