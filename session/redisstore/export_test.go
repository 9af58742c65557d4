package redisstore

import "time"

// SetNow gives s another clock.
func SetNow(s *Store, now func() time.Time) { s.now = now }
