package auth_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/auth"
	"github.com/sallyport/auth/authtest"
	"github.com/sallyport/auth/session"
)

// mapStore is a session.Store of one's own: three methods, of standard types. Package
// sessiontest holds one to what session.Store says. What has expired should be removed
// now and then, which is left out here.
type mapStore struct{ entries sync.Map } // of key to kept

type kept struct {
	data   []byte
	expiry time.Time
}

func (m *mapStore) Find(_ context.Context, key string) ([]byte, bool, error) {
	e, ok := m.entries.Load(key)
	if !ok || !time.Now().Before(e.(kept).expiry) {
		return nil, false, nil
	}
	return bytes.Clone(e.(kept).data), true, nil
}

func (m *mapStore) Commit(_ context.Context, key string, data []byte, expiry time.Time) error {
	m.entries.Store(key, kept{bytes.Clone(data), expiry})
	return nil
}

func (m *mapStore) Delete(_ context.Context, key string) error {
	m.entries.Delete(key)
	return nil
}

// With a store the browser has a key alone, and a session that is deleted there has ended.
func Example_store() {
	t := &testing.T{} // the test's own
	store := &mapStore{}
	a := mustNew(auth.Config{Session: session.Config{Store: store}}) // auth.New, with secrets and a provider

	cookie := authtest.SignIn(t, a, "https://app.example", &session.Session{Subject: "ada"})[0]
	reports := func() int {
		r, w := httptest.NewRequest("GET", "https://app.example/", nil), httptest.NewRecorder()
		r.AddCookie(cookie)
		a.Require(text("reports")).ServeHTTP(w, r)
		return w.Code
	}
	fmt.Println(len(cookie.Value), reports())
	store.entries.Clear()
	fmt.Println(reports())
	// Output:
	// 43 200
	// 401
}
