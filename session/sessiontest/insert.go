package sessiontest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/auth/session"
)

// inserts: what Insert does, and when it does nothing.
func (c *checker) inserts(r session.Replacer) {
	insert := func(key, data string, expiry time.Time, want bool, why string) {
		inserted, err := r.Insert(c.ctx, key, []byte(data), expiry)
		if err != nil {
			c.violation("Insert: %w: that there is something already is no error", err)
		} else if inserted != want {
			c.violation("Insert says %t, and not %t: %s", inserted, want, why)
		}
	}
	key := c.key()
	insert(key, "first\x00\xff", c.soon(), true, "there is nothing under the key")
	c.expect(key, "first\x00\xff", "Insert says that it did it")
	insert(key, "first\x00\xff", c.soon(), false, "the same data is there already, and somebody else's")
	insert(key, "second", c.soon(), false, "there is something under the key")
	c.expect(key, "first\x00\xff", "Insert says that it did nothing")
	if err := r.Delete(c.ctx, key); err != nil {
		c.violation("Delete: %w", err)
	}
	insert(key, "third", c.soon(), true, "what was there is deleted")

	empty := c.key()
	c.commit(empty, "", c.soon())
	insert(empty, "more", c.soon(), false, "data of no bytes is there all the same")

	ended := c.key()
	insert(ended, "ended", c.kit.Now().Add(-time.Minute), true, "an expiry that has passed is no error, and nothing is there")
	c.expectNothing(ended, "it was inserted with an expiry that has passed")

	copied, data := c.key(), []byte("original")
	if _, err := r.Insert(c.ctx, copied, data, c.soon()); err == nil {
		copy(data, "changed!")
		c.expect(copied, "original", "the caller uses its data again after Insert, which must not keep it")
	}

	const life = 3 * time.Second
	begun, short, committed := c.kit.Now(), c.key(), c.key()
	insert(short, "short", begun.Add(life), true, "there is nothing under the key")
	c.commit(committed, "committed", begun.Add(life))
	insert(committed, "other", c.soon(), false, "it was committed")
	c.pass(life + time.Second)
	c.expectNothing(short, "the expiry that it was inserted with has passed")
	c.expectNothing(committed, "it has expired, and an Insert that does nothing does not put that off")
	insert(committed, "anew", c.soon(), true, "what was there has expired in the meantime")
	c.expect(committed, "anew", "Insert says that it put this in the place of what has expired")
}

// insertsAtOnce: looking and writing are one step.
func (c *checker) insertsAtOnce(r session.Replacer) {
	for round := range 20 {
		key := c.key()
		if round%2 == 1 {
			c.commit(key, "ended", c.kit.Now().Add(-time.Minute))
		}
		var won atomic.Int64
		var data atomic.Value
		var wait sync.WaitGroup
		for i := range workers {
			wait.Go(func() {
				mine := fmt.Sprint("of ", i)
				if inserted, err := r.Insert(c.ctx, key, []byte(mine), c.soon()); err == nil && inserted {
					won.Add(1)
					data.Store(mine)
				}
			})
		}
		wait.Wait()
		if n := won.Load(); n != 1 {
			c.violation("of %d at once for the same key, %d inserted, and not 1: what may happen once would happen twice", workers, n)
			return
		}
		if got, _ := c.find(key); got != data.Load() {
			c.violation("what is there is not the data of whoever was told that it inserted")
			return
		}
	}
}
