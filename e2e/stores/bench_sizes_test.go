package stores_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/stretchr/testify/require"

	"github.com/sallyport/auth/session"
)

// BenchmarkStoresSizes looks up sessions in memory, any of so many, and reports how many
// bytes each takes: ours with its key on two lists, as most are.
func BenchmarkStoresSizes(b *testing.B) {
	ctx, ends := context.Background(), time.Now().Add(time.Hour)
	record, data := oneOfEach(b)
	for people := 1000; people <= 1_000_000; people *= 10 {
		b.Run(fmt.Sprintf("%d/scs", people), func(b *testing.B) {
			m := memstore.NewWithCleanupInterval(0)
			put := func(n int) {
				_ = m.Commit(scsToken(n), bytes.Clone(data), ends)
			}
			lookUp(b, people, put, func(n int) bool {
				_, found, _ := m.Find(scsToken(n))
				return found
			})
		})
		b.Run(fmt.Sprintf("%d/sallyport", people), func(b *testing.B) {
			m := session.NewMemoryStore(people, nil)
			defer m.Close()
			put := func(n int) {
				_ = m.Commit(ctx, storeKey(n), record, ends)
				_ = m.Add(ctx, storeKey(-1-2*n), storeKey(n), ends)
				_ = m.Add(ctx, storeKey(-2-2*n), storeKey(n), ends)
			}
			lookUp(b, people, put, func(n int) bool {
				_, found, _ := m.Find(ctx, storeKey(n))
				return found
			})
		})
	}
}

// oneOfEach is what our store and scs's keep of one session.
func oneOfEach(b *testing.B) (record, gob []byte) {
	ours, theirs := session.NewMemoryStore(1, nil), memstore.NewWithCleanupInterval(0)
	defer ours.Close()
	site, _ := ourSites(b, ours, 1)
	sum := sha256.Sum256([]byte(site.requests[0].Cookies()[0].Value))
	record, found, err := ours.Find(b.Context(), hex.EncodeToString(sum[:]))
	require.NoError(b, err)
	require.True(b, found)
	scs := scsSite(b, theirs, 1)
	gob, found, err = theirs.Find(scs.requests[0].Cookies()[0].Value)
	require.NoError(b, err)
	require.True(b, found)
	b.Logf("of one session: %d bytes, sealed; %d of scs", len(record), len(gob))
	return record, gob
}

// lookUp puts so many sessions in and looks them up in any order.
func lookUp(b *testing.B, people int, put func(n int), find func(n int) bool) {
	before := heap()
	for n := range people {
		put(n)
	}
	each := float64(heap()-before) / float64(people)
	order := rand.Perm(people)
	n := 0
	for b.Loop() {
		if !find(order[n%people]) {
			b.Fatal("not found")
		}
		n++
	}
	b.ReportMetric(each, "B/session")
}

// heap is how many bytes are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// storeKey and scsToken have the form and length of what the two make of chance.
func storeKey(n int) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(n)))
	return hex.EncodeToString(sum[:])
}

func scsToken(n int) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(n)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
