package sqlstore

import (
	"context"
	"time"
)

// batches are how many rows one statement of a sweep removes: as many as take some
// milliseconds. In SQLite all others who write wait for it.
var batches = map[Dialect]int64{PostgreSQL: 500, SQLite: 50}

// DeleteExpired removes what has expired, sessions first and then what is on lists, and
// returns how many rows that were, with an error too. It does so in statements of at most 500
// rows, in SQLite 50, each with the time limit of a call, so that it may run beside everything
// else and on several nodes at once. The time limit of the whole is ctx.
func (s *Store) DeleteExpired(ctx context.Context) (n int64, err error) {
	batch := batches[s.dialect]
	for _, statement := range []string{s.expired, s.expiredListed} {
		for rows := batch; rows == batch; n += rows {
			if rows, err = s.exec(ctx, "delete expired", statement, s.instant(s.now()), batch); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// Close ends the goroutine of [Config].Sweep and waits for that. Without one it does nothing. It
// leaves the database open, and the other methods work as before.
func (s *Store) Close() error {
	if s.stop != nil {
		s.stop()
		<-s.done
	}
	return nil
}

// sweep calls DeleteExpired until ctx ends. The first time comes soon, for a process that
// is started anew more often than every interval.
func (s *Store) sweep(ctx context.Context, every time.Duration) {
	defer close(s.done)
	timer := time.NewTimer(min(every, time.Minute))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if _, err := s.DeleteExpired(ctx); err != nil && ctx.Err() == nil {
			s.logger.Warn("auth: expired sessions were not removed", "cause", err.Error())
		}
		timer.Reset(every)
	}
}
