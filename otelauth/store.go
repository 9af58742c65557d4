package otelauth

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/sallyport/auth/session"
)

// Store returns s with a span and a duration for each operation. It is a [session.Replacer]
// if s is one, and a [session.Lister] if s is one. Keys, and what is kept under them, are
// not seen.
//
// A [session.MemoryStore] is returned as it is, and so is nil: there is nobody to wait for,
// and package session has to know that it ends with the process.
func (t *Telemetry) Store(s session.Store) session.Store {
	if _, here := s.(*session.MemoryStore); here || s == nil {
		return s
	}
	replacer, replaces := s.(session.Replacer)
	lister, lists := s.(session.Lister)
	basic := store{t, s}
	switch {
	case replaces && lists:
		return &replacingListingStore{basic, replacing{t, replacer}, listing{t, lister}}
	case replaces:
		return &replacingStore{basic, replacing{t, replacer}}
	case lists:
		return &listingStore{basic, listing{t, lister}}
	}
	return &basic
}

// A store for each set of things that one can do.
type (
	replacingStore struct {
		store
		replacing
	}
	listingStore struct {
		store
		listing
	}
	replacingListingStore struct {
		store
		replacing
		listing
	}
)

// store is what every [session.Store] can do.
type store struct {
	t    *Telemetry
	next session.Store
}

func (s store) Find(ctx context.Context, key string) (data []byte, found bool, err error) {
	ctx, end := s.t.operation(ctx, "find")
	defer func() { end(err) }()
	return s.next.Find(ctx, key)
}

func (s store) Commit(ctx context.Context, key string, data []byte, expiry time.Time) (err error) {
	ctx, end := s.t.operation(ctx, "commit")
	defer func() { end(err) }()
	return s.next.Commit(ctx, key, data, expiry)
}

func (s store) Delete(ctx context.Context, key string) (err error) {
	ctx, end := s.t.operation(ctx, "delete")
	defer func() { end(err) }()
	return s.next.Delete(ctx, key)
}

// replacing is what a [session.Replacer] can do besides.
type replacing struct {
	t    *Telemetry
	next session.Replacer
}

func (s replacing) Insert(ctx context.Context, key string, data []byte, expiry time.Time) (inserted bool, err error) {
	ctx, end := s.t.operation(ctx, "insert")
	defer func() { end(err) }()
	return s.next.Insert(ctx, key, data, expiry)
}

func (s replacing) Replace(ctx context.Context, key string, old, data []byte, expiry time.Time) (swapped bool, err error) {
	ctx, end := s.t.operation(ctx, "replace")
	defer func() { end(err) }()
	return s.next.Replace(ctx, key, old, data, expiry)
}

// listing is what a [session.Lister] can do besides.
type listing struct {
	t    *Telemetry
	next session.Lister
}

func (s listing) Add(ctx context.Context, list, key string, expiry time.Time) (err error) {
	ctx, end := s.t.operation(ctx, "add")
	defer func() { end(err) }()
	return s.next.Add(ctx, list, key, expiry)
}

func (s listing) List(ctx context.Context, list string) (keys []string, err error) {
	ctx, end := s.t.operation(ctx, "list")
	defer func() { end(err) }()
	return s.next.List(ctx, list)
}

func (s listing) Remove(ctx context.Context, list, key string) (err error) {
	ctx, end := s.t.operation(ctx, "remove")
	defer func() { end(err) }()
	return s.next.Remove(ctx, list, key)
}

// operation begins one of a store's, which ends with end.
func (t *Telemetry) operation(ctx context.Context, name string) (_ context.Context, end func(error)) {
	begun := t.now()
	attributes := []attribute.KeyValue{attribute.String("auth.store.operation.name", name)}
	ctx, span := t.tracer.Start(ctx, "auth.store "+name, trace.WithAttributes(attributes...))
	return ctx, func(err error) {
		if err != nil {
			failed := class(err)
			attributes = append(attributes, failed)
			span.SetAttributes(failed)
			span.SetStatus(codes.Error, "")
		}
		t.stores.Record(ctx, t.seconds(begun), metric.WithAttributes(attributes...))
		span.End()
	}
}
