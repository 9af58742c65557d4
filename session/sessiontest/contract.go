package sessiontest

import (
	"context"
	"strings"
	"time"

	"github.com/sallyport/auth/session"
)

// bytes: data comes back as it went, and is nobody's but the store's in between.
func (c *checker) bytes() {
	var all strings.Builder
	for i := range 256 {
		all.WriteByte(byte(i))
	}
	for why, data := range map[string]string{
		"every byte, so that no text encoding may touch it": all.String(),
		"no byte at all": "",
		"a zero at the end, which texts of C lose":  "a\x00",
		"a space at the end, which CHAR columns do": "a ",
		"as many as it is said to take":             strings.Repeat("x", c.kit.MaxData),
	} {
		if key := c.key(); c.commit(key, data, c.soon()) {
			c.expect(key, data, why)
		}
	}

	key, data := c.key(), []byte("original")
	if err := c.store.Commit(c.ctx, key, data, c.soon()); err != nil {
		c.violation("Commit: %w", err)
		return
	}
	copy(data, "changed!")
	c.expect(key, "original", "the caller uses its data again after Commit, which must not keep it")
	if got, found, err := c.store.Find(c.ctx, key); err == nil && found {
		copy(got, "changed!")
	}
	c.expect(key, "original", "the caller changes what Find returned, which must be a copy")
}

// keys are told apart, byte for byte.
func (c *checker) keys() {
	c.expectNothing(c.key(), "nothing was committed under it")
	base := c.key()
	names := []string{base, base[:63], strings.ToUpper(base[:62]) + "aB", base[:62] + "ab", base[:60] + "_-x", base[:60] + "__x", "a", "A", "code-limit_1"}
	for _, name := range names {
		c.commit(name, "of "+name, c.soon())
	}
	for _, name := range names {
		c.expect(name, "of "+name, "keys differ in case, in length, and in characters that patterns know")
	}
	if err := c.store.Delete(c.ctx, names[0]); err != nil {
		c.violation("Delete: %w", err)
	}
	c.expectNothing(names[0], "it was deleted")
	for _, name := range names[1:] {
		c.expect(name, "of "+name, "another key was deleted")
	}
	for range 2 {
		if err := c.store.Delete(c.ctx, names[0]); err != nil {
			c.violation("Delete of a key that is not there: %w: two sign-outs at once are no failure", err)
		}
	}
}

// replaced: data and expiry are replaced as one.
func (c *checker) replaced() {
	key := c.key()
	c.commit(key, "first", c.soon())
	c.commit(key, "second", c.soon().Add(time.Minute))
	c.expect(key, "second", "the later Commit counts")
	c.commit(key, "third", c.kit.Now().Add(-time.Minute))
	c.expectNothing(key, "Commit with an expiry that has passed is no error, and ends what was there")
	c.commit(key, "fourth", c.soon())
	c.expect(key, "fourth", "a key may be used again")
}

// expiry: what has expired is not found, and what has not is.
func (c *checker) expiry() {
	const life = 3 * time.Second
	zone := time.FixedZone("", -7*3600)
	begun := c.kit.Now()
	short, long, elsewhere, fraction := c.key(), c.key(), c.key(), c.key()
	c.commit(short, "short", begun.Add(life))
	c.commit(long, "long", c.soon())
	c.commit(elsewhere, "elsewhere", begun.Add(life).In(zone))
	c.commit(fraction, "fraction", begun.Add(life+999*time.Millisecond))
	extended := c.key()
	c.commit(extended, "extended", begun.Add(life))
	c.commit(extended, "extended", c.soon())
	for key, data := range map[string]string{short: "short", long: "long", elsewhere: "elsewhere", fraction: "fraction"} {
		if c.kit.Now().Sub(begun) < time.Second {
			c.expect(key, data, "it has not expired")
		}
	}
	c.pass(life + time.Second)
	c.expectNothing(short, "it has expired")
	c.expectNothing(elsewhere, "it has expired, in another time zone than the store's")
	c.expectNothing(fraction, "it has expired: a store that rounds an expiry rounds down")
	c.expect(long, "long", "it has not expired")
	c.expect(extended, "extended", "a later Commit put its expiry off")
	c.commit(short, "again", c.soon())
	c.expect(short, "again", "what has expired is no obstacle")
}

// cancelled: a call ends when its context does, and harms no other.
func (c *checker) cancelled() {
	key := c.key()
	c.commit(key, "kept", c.soon())
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	done, committed, deleted, list, soon := make(chan string, 1), c.key(), c.key(), c.key(), c.soon()
	go func() { // it may outlast the kit
		data, found, err := c.store.Find(ctx, key)
		_ = c.store.Commit(ctx, committed, []byte("x"), soon)
		_ = c.store.Delete(ctx, deleted)
		if l, ok := c.store.(session.Lister); ok {
			_ = l.Add(ctx, list, key, soon)
			_, _ = l.List(ctx, list)
			_ = l.Remove(ctx, list, key)
		}
		if err != nil || !found {
			data = []byte("kept")
		}
		done <- string(data)
	}()
	select {
	case data := <-done:
		if data != "kept" {
			c.violation("Find with a context that is cancelled returns other data, and no error")
		}
	case <-time.After(3 * time.Second):
		c.violation("a call goes on for 3 seconds after its context was cancelled: a browser that has gone would hold a connection")
		return
	}
	c.expect(key, "kept", "a call that was cancelled must harm no other")
}
