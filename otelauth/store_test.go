package otelauth_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sallyport/auth/session"
	"github.com/sallyport/auth/session/sessiontest"
)

// Stores that can do less than [kept].
type (
	basic    struct{ session.Store }
	replaces struct{ session.Replacer }
	lists    struct{ session.Lister }
)

func TestStoreKeepsTheContract(t *testing.T) {
	o := watch(t)
	memory := session.NewMemoryStore(0, o.clock.now)
	for name, test := range map[string]struct {
		store           session.Store
		replaces, lists bool
	}{
		"a store":  {basic{memory}, false, false},
		"replaces": {replaces{memory}, true, false},
		"lists":    {lists{memory}, false, true},
		"both":     {kept{memory}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			store := o.Store(test.store)
			_, ok := store.(session.Replacer)
			require.Equal(t, test.replaces, ok)
			_, ok = store.(session.Lister)
			require.Equal(t, test.lists, ok)
			sessiontest.Kit{Now: o.clock.now, Advance: o.clock.advance}.TestStore(t, func() (session.Store, error) { return store, nil })
		})
	}
}

func TestStoreOperations(t *testing.T) {
	o := watch(t)
	var operations []string
	slow := o.Store(slow{kept{session.NewMemoryStore(0, o.clock.now)}, o.clock}).(interface {
		session.Replacer
		session.Lister
	})
	ctx, soon := context.Background(), o.clock.now().Add(time.Hour)
	_, _, err := slow.Find(ctx, "a-key")
	require.NoError(t, err)
	require.NoError(t, slow.Commit(ctx, "a-key", []byte("data"), soon))
	require.NoError(t, slow.Delete(ctx, "a-key"))
	_, err = slow.Insert(ctx, "a-key", []byte("data"), soon)
	require.NoError(t, err)
	_, err = slow.Replace(ctx, "a-key", []byte("data"), []byte("other"), soon)
	require.NoError(t, err)
	require.NoError(t, slow.Add(ctx, "a-list", "a-key", soon))
	_, err = slow.List(ctx, "a-list")
	require.NoError(t, err)
	require.NoError(t, slow.Remove(ctx, "a-list", "a-key"))

	for _, span := range o.spans.Ended() {
		operation := attributes(span.Attributes())["auth.store.operation.name"]
		operations = append(operations, operation)
		require.Equal(t, "auth.store "+operation, span.Name())
		require.Len(t, span.Attributes(), 1)
		require.Equal(t, codes.Unset, span.Status().Code)
	}
	want := []string{"find", "commit", "delete", "insert", "replace", "add", "list", "remove"}
	require.Equal(t, want, operations)
	var measured []string
	for _, point := range o.durations("auth.store.operation.duration") {
		a := attributes(point.Attributes.ToSlice())
		require.Len(t, a, 1)
		measured = append(measured, a["auth.store.operation.name"])
		if measured[len(measured)-1] == "find" {
			require.Equal(t, 0.25, point.Sum)
		}
		require.Equal(t, []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10}, point.Bounds)
	}
	require.ElementsMatch(t, want, measured)
}

// slow takes a quarter of a second to find something.
type slow struct {
	kept
	clock *clock
}

func (s slow) Find(ctx context.Context, key string) ([]byte, bool, error) {
	s.clock.advance(250 * time.Millisecond)
	return s.kept.Find(ctx, key)
}

// down is a store that is not there.
type down struct{ err error }

func (d down) Find(context.Context, string) ([]byte, bool, error) { return nil, false, d.err }
func (d down) Commit(context.Context, string, []byte, time.Time) error {
	return d.err
}
func (d down) Delete(context.Context, string) error { return d.err }

func TestStoreFails(t *testing.T) { // LG-01
	for want, err := range map[string]error{"timeout": context.DeadlineExceeded, "canceled": context.Canceled, "_OTHER": errors.New("redis://:password@redis is down")} {
		o := watch(t)
		store := o.Store(down{err})
		_, _, got := store.Find(context.Background(), "a-key")
		require.Equal(t, err, got)
		require.Equal(t, err, store.Commit(context.Background(), "a-key", nil, time.Time{}))
		require.Equal(t, err, store.Delete(context.Background(), "a-key"))
		for _, span := range o.spans.Ended() {
			require.Equal(t, want, attributes(span.Attributes())["error.type"])
			require.Equal(t, codes.Error, span.Status().Code)
			require.Empty(t, span.Status().Description)
			require.Empty(t, span.Events())
		}
		points := o.durations("auth.store.operation.duration")
		require.Len(t, points, 3)
		require.True(t, !slices.ContainsFunc(points, func(p metricdata.HistogramDataPoint[float64]) bool {
			return attributes(p.Attributes.ToSlice())["error.type"] != want
		}))
	}
}

// TestStoreInMemory: package session knows it by its type.
func TestStoreInMemory(t *testing.T) {
	o := watch(t)
	memory := session.NewMemoryStore(0, nil)
	require.Same(t, memory, o.Store(memory))
	require.Nil(t, o.Store(nil))
}
