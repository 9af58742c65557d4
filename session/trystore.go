package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"
)

// Where says where sessions are kept, for a person who runs the server.
func (m *Manager) Where() string {
	switch c := m.config; {
	case c.Database != nil:
		return fmt.Sprintf("a database (%T)", c.Database)
	case c.Store != nil:
		return fmt.Sprintf("a store (%T)", c.Store)
	case c.Revocations != nil:
		return fmt.Sprintf("cookies, and what was taken back in a store (%T)", c.Revocations)
	}
	return "cookies"
}

// TryStore writes, reads and deletes something of nobody's where sessions are kept, so that
// a server that can only be read is found out as well. A [Config].Database is only read. It
// does nothing where all is in cookies. The error wraps [ErrStore].
func (m *Manager) TryStore(ctx context.Context) error {
	store := m.asked()
	if store == nil || m.config.Database != nil {
		return m.Ready(ctx)
	}
	ctx, done := m.limited(ctx)
	defer done()
	key, data := storeKey("try "+rand.Text()), []byte(rand.Text())
	if err := store.Commit(ctx, key, data, m.now().Add(time.Minute)); err != nil {
		return fmt.Errorf("%w: writing: %w", ErrStore, err)
	}
	got, found, err := store.Find(ctx, key)
	if err == nil && (!found || !bytes.Equal(got, data)) {
		err = errors.New("what was written is not there: do reads go to another server?")
	}
	if err != nil {
		return fmt.Errorf("%w: reading: %w", ErrStore, err)
	}
	if err := store.Delete(ctx, key); err != nil {
		return fmt.Errorf("%w: deleting: %w", ErrStore, err)
	}
	return nil
}
