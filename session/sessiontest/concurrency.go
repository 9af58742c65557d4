package sessiontest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/auth/session"
)

// workers is how many calls run at once.
const workers = 16

// concurrency: many requests use a store at once.
func (c *checker) concurrency() {
	keys := make([]string, workers)
	for i := range keys {
		keys[i] = c.key()
	}
	var failed atomic.Int64
	var wait sync.WaitGroup
	for i, key := range keys {
		wait.Go(func() {
			for n := range 20 {
				data := fmt.Sprint("worker ", i, " round ", n)
				if c.store.Commit(c.ctx, key, []byte(data), c.soon()) != nil {
					failed.Add(1)
				}
				if got, found, err := c.store.Find(c.ctx, key); err != nil || !found || string(got) != data {
					failed.Add(1)
				}
			}
		})
	}
	wait.Wait()
	if n := failed.Load(); n > 0 {
		c.violation("%d of %d calls at once fail, or do not see what they did: once Commit has returned, Find sees it", n, workers*40)
	}
}

// swaps: what Replace does, and when it does nothing.
func (c *checker) swaps(r session.Replacer) {
	key := c.key()
	swap := func(old, data string, expiry time.Time, want bool, why string) {
		swapped, err := r.Replace(c.ctx, key, []byte(old), []byte(data), expiry)
		if err != nil {
			c.violation("Replace: %w: that there is nothing to replace is no error", err)
		} else if swapped != want {
			c.violation("Replace says %t, and not %t: %s", swapped, want, why)
		}
	}
	swap("", "new", c.soon(), false, "there is nothing under the key")
	c.expectNothing(key, "Replace makes nothing that is not there")
	c.commit(key, "old\x00", c.soon())
	for why, old := range map[string]string{
		"the beginning is no match": "old", "more is no match": "old\x00\x00", "case matters": "OLD\x00", "a space is a byte": "old\x00 ", "other data is no match": "other", "nothing is no match": "",
	} {
		swap(old, "new", c.soon(), false, why)
	}
	c.expect(key, "old\x00", "Replace did nothing")
	swap("old\x00", "new", c.soon(), true, "the data is as the caller has seen it")
	c.expect(key, "new", "Replace did it")
	swap("new", "new", c.soon(), true, "the same again is a change of the expiry")
	swap("new", "ended", c.kit.Now().Add(-time.Minute), true, "the data is as the caller has seen it, and is to end")
	c.expectNothing(key, "its expiry has passed")
	swap("ended", "risen", c.soon(), false, "what has expired is not there")
	c.expectNothing(key, "what has expired rises no more")

	old, data := []byte("a"), []byte("b")
	c.commit(key, "a", c.soon())
	if _, err := r.Replace(c.ctx, key, old, data, c.soon()); err == nil {
		old[0], data[0] = 'x', 'x'
		c.expect(key, "b", "Replace must keep neither old nor data")
	}
}

// swapsAtOnce: comparing and writing are one step.
func (c *checker) swapsAtOnce(r session.Replacer) {
	for range 20 {
		key := c.key()
		c.commit(key, "old", c.soon())
		var won atomic.Int64
		var wait sync.WaitGroup
		for i := range workers {
			wait.Go(func() {
				if swapped, err := r.Replace(c.ctx, key, []byte("old"), fmt.Append(nil, "new ", i), c.soon()); err == nil && swapped {
					won.Add(1)
				}
			})
		}
		wait.Wait()
		if n := won.Load(); n != 1 {
			c.violation("of %d at once with the same old data, %d replaced it, and not 1: a change would be lost", workers, n)
			return
		}
	}
	for range 20 {
		key := c.key()
		c.commit(key, "old", c.soon())
		var wait sync.WaitGroup
		for range workers {
			wait.Go(func() {
				if data, found, err := r.Find(c.ctx, key); err == nil && found {
					_, _ = r.Replace(c.ctx, key, data, append(data, 'x'), c.soon())
				}
			})
		}
		if err := r.Delete(c.ctx, key); err != nil {
			c.violation("Delete: %w", err)
		}
		wait.Wait()
		if _, found := c.find(key); found {
			c.violation("what was deleted is there again after a Replace at the same time: a sign-out would be undone")
			return
		}
	}
}

// nodes: three of them share the store.
func (c *checker) nodes() {
	secrets := []session.Secret{session.NewSecret("sessiontest, which seals nothing of anybody's, 1")}
	var nodes []*session.Manager
	for range 3 {
		m, err := session.NewManager(session.Config{Store: c.store, MaxAge: time.Hour, UpdateAge: time.Minute}, secrets, c.kit.Now)
		if err != nil {
			c.violation("a Manager: %w", err)
			return
		}
		nodes = append(nodes, m)
	}
	request := func(cookies []*http.Cookie) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "https://app.example/", nil)
		for _, cookie := range cookies {
			r.AddCookie(cookie)
		}
		return r
	}
	w := httptest.NewRecorder()
	if err := nodes[0].Start(w, request(nil), &session.Session{Subject: "4711", Name: "Ada"}, true); err != nil {
		c.violation("a sign-in: %w", err)
		return
	}
	cookies := w.Result().Cookies()
	s, err := nodes[1].Load(request(cookies), true)
	if err != nil || s == nil {
		c.violation("a session that one node began is none on another: %w", err)
		return
	}
	s.Name = "Countess"
	if err := nodes[1].Rewrite(httptest.NewRecorder(), request(cookies), s, true); err != nil {
		c.violation("a renewal: %w", err)
	}
	if s, _ := nodes[2].Load(request(cookies), true); s == nil || s.Name != "Countess" {
		c.violation("what one node changed is not seen on another")
	}
	if err := nodes[2].End(httptest.NewRecorder(), request(cookies), true); err != nil {
		c.violation("a sign-out: %w", err)
	}
	for _, m := range nodes {
		if s, _ := m.Load(request(cookies), true); s != nil {
			c.violation("a session that was signed out of on one node counts on another")
			return
		}
	}
}
