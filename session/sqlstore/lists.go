package sqlstore

import (
	"context"
	"time"

	"github.com/sallyport/auth/internal/sqlerror"
)

// Add puts key on list until expiry, which is rounded down to a microsecond, in one
// statement. An expiry that is not after the one that is there changes nothing.
func (s *Store) Add(ctx context.Context, list, key string, expiry time.Time) error {
	_, err := s.exec(ctx, "add", s.add, list, key, s.instant(expiry))
	return err
}

// List returns the keys on list that have not expired there, in one statement.
func (s *Store) List(ctx context.Context, list string) (keys []string, err error) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	defer sqlerror.Panicked(ctx, "sqlstore: list", &err)
	rows, err := s.db.QueryContext(ctx, s.list, list, s.instant(s.now()))
	if err != nil {
		return nil, sqlerror.Of(ctx, "sqlstore: list", err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return nil, sqlerror.Of(ctx, "sqlstore: list", err)
		}
		keys = append(keys, key)
	}
	if err := rows.Err(); err != nil {
		return nil, sqlerror.Of(ctx, "sqlstore: list", err)
	}
	return keys, nil
}

// Remove takes key off list, if it is there.
func (s *Store) Remove(ctx context.Context, list, key string) error {
	_, err := s.exec(ctx, "remove", s.unlist, list, key)
	return err
}
