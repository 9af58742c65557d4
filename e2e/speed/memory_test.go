package speed_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// BenchmarkMemory begins a thousand and then a million sessions in a memory store, on the two
// lists that most are on, and looks them up in any order: the bytes for each, and how many
// times longer a look-up takes among a million, in the store alone and as Manager.Load.
func BenchmarkMemory(b *testing.B) {
	few, many := newCrowd(b, 1000), newCrowd(b, 1_000_000)
	b.Run("Find", func(b *testing.B) {
		beside(b, few.find, many.find, nil)
		b.ReportMetric(many.each, "B/session")
	})
	b.Run("Load", func(b *testing.B) { beside(b, few.load, many.load, nil) })
	require.NoError(b, few.store.Close())
	require.NoError(b, many.store.Close())
}

// crowd are people with a session each.
type crowd struct {
	store   *session.MemoryStore
	manager *session.Manager
	values  []string
	each    float64 // bytes that a session takes
}

func newCrowd(b *testing.B, people int) *crowd {
	c := &crowd{store: session.NewMemoryStore(people, nil), values: make([]string, people)}
	var err error
	c.manager, err = session.NewManager(session.Config{Store: c.store}, []session.Secret{session.NewSecret(text)}, time.Now)
	require.NoError(b, err)
	before := heap()
	for n := range people {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", page, nil)
		require.NoError(b, c.manager.Start(w, r, somebody(n, 0), true))
		c.values[n] = strings.Clone(w.Result().Cookies()[0].Value)
	}
	c.each = float64(heap()-before)/float64(people) - 48 // the value itself, in its size class
	rand.Shuffle(people, func(i, j int) { c.values[i], c.values[j] = c.values[j], c.values[i] })
	return c
}

func (c *crowd) find(n int) {
	sum := sha256.Sum256([]byte(c.values[n%len(c.values)]))
	if _, found, _ := c.store.Find(context.Background(), hex.EncodeToString(sum[:])); !found {
		panic("not found")
	}
}

func (c *crowd) load(n int) {
	r := &http.Request{Header: http.Header{"Cookie": {cookieName + "=" + c.values[n%len(c.values)]}}}
	if s, err := c.manager.Load(r, true); s == nil || err != nil {
		panic("not found")
	}
}

// heap is how many bytes are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
