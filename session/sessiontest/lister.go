package sessiontest

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/auth/session"
)

// lists: what Add, List and Remove do.
func (c *checker) lists(l session.Lister) {
	list, other := c.key(), c.key()
	c.expectList(l, list, nil, "nothing was added to it")
	c.remove(l, list, c.key(), "a list that there is not")

	a, b := c.listed(l, list), c.listed(l, list)
	c.expectList(l, list, []string{a, b}, "both were added")
	c.add(l, list, a, c.soon())
	c.expectList(l, list, []string{a, b}, "what is added twice is there once")
	c.expectList(l, other, nil, "another list was added to")
	c.add(l, other, a, c.soon())
	c.expectList(l, other, []string{a}, "a key may be on several lists")
	c.expectList(l, list, []string{a, b}, "a key that is put on another list stays where it is")
	c.commit(b, "again", c.soon())
	c.expectList(l, list, []string{a, b}, "a later Commit under a key leaves it on its lists")

	c.remove(l, list, a, "a key that is on it")
	c.expectList(l, list, []string{b}, "the other was removed, alone")
	c.expectList(l, other, []string{a}, "it was removed from another list")
	c.expect(a, "listed", "a key that is taken off a list keeps its data")
	c.remove(l, list, a, "a key that is not on it")
	c.expectList(l, list, []string{b}, "the other was removed, twice")
	c.add(l, list, a, c.soon())
	c.expectList(l, list, []string{a, b}, "what was removed may be added again")
	c.remove(l, other, a, "the last key")
	c.expectList(l, other, nil, "the last of it was removed")
}

// listNames: lists and keys are told apart, byte for byte.
func (c *checker) listNames(l session.Lister) {
	base := c.key()
	lists := []string{base, "f" + base[1:], base[:63] + "f"}
	var want []string
	for _, list := range lists {
		c.commit(list, "of "+list, c.soon()) // a key may be what a list is called
		want = append(want, c.listed(l, list))
	}
	for i, list := range lists {
		c.expectList(l, list, want[i:i+1], "names of lists differ in their first digit, and in their last")
		c.expect(list, "of "+list, "a list has the name of a key")
	}

	list := c.key()
	keys := []string{base, base[:63], strings.ToUpper(base[:62]) + "aB", base[:62] + "ab", base[:60] + "_-x", base[:60] + "__x", "a", "A", "code-limit_1"}
	for _, key := range keys {
		c.commit(key, "listed", c.soon())
		c.add(l, list, key, c.soon())
	}
	c.expectList(l, list, keys, "keys on a list differ in case, in length, and in characters that patterns know")
	c.remove(l, list, keys[5], "a key that is on it")
	c.expectList(l, list, slices.Delete(keys, 5, 6), "a key that looks like others was removed")
}

// listExpiry: a key is on a list as long as the latest Add says.
func (c *checker) listExpiry(l session.Lister) {
	const life = 3 * time.Second
	begun := c.kit.Now()
	first, last, ending := c.key(), c.key(), c.key()
	short := c.listedUntil(l, first, begun.Add(life))
	elsewhere := c.listedUntil(l, first, begun.Add(life).In(time.FixedZone("", -7*3600)))
	fraction := c.listedUntil(l, first, begun.Add(life+999*time.Millisecond))
	extended := c.listedUntil(l, first, begun.Add(life))
	c.add(l, first, extended, c.soon())
	long := c.listedUntil(l, last, c.soon())
	c.add(l, last, long, begun.Add(life))
	c.add(l, last, long, begun.Add(-time.Minute))
	c.listedUntil(l, last, begun.Add(life))
	c.listedUntil(l, ending, begun.Add(life))
	ended := c.key()
	c.listedUntil(l, ended, begun.Add(-time.Minute))
	c.expectList(l, ended, nil, "it was added with an expiry that has passed, which is no error")
	if c.kit.Now().Sub(begun) < time.Second {
		c.expectList(l, first, []string{short, elsewhere, fraction, extended}, "none of it has expired")
	}
	contested := c.contest(l, begun.Add(life))
	c.pass(life + time.Second)
	c.expectList(l, first, []string{extended}, "the others have expired on it, and this one was put off")
	c.expectList(l, last, []string{long}, "it was added until later than it was afterwards, and than another was")
	c.expectList(l, ending, nil, "all of it has expired")
	for list, key := range contested {
		c.expectList(l, list, []string{key}, "of several Adds at once, the latest expiry counts")
	}
	c.add(l, first, short, c.soon())
	c.expectList(l, first, []string{short, extended}, "what has expired on it may be added again")
}

// contest adds one key to each of some lists, many times at once, and once of them until
// later than until.
func (c *checker) contest(l session.Lister, until time.Time) (keys map[string]string) {
	keys = map[string]string{}
	for range 20 {
		list, key := c.key(), c.key()
		keys[list] = key
		c.commit(key, "listed", c.soon())
		var wait sync.WaitGroup
		for i := range workers {
			expiry := until
			if i == workers/2 {
				expiry = c.soon()
			}
			wait.Go(func() { _ = l.Add(c.ctx, list, key, expiry) })
		}
		wait.Wait()
	}
	return keys
}

// longList: a list of a thousand keys.
func (c *checker) longList(l session.Lister) {
	list := c.key()
	var keys []string
	for range 1000 {
		keys = append(keys, c.listed(l, list))
	}
	c.expectList(l, list, keys, "a list has what was put on it, at whatever size")
	c.remove(l, list, keys[0], "a key that is on it")
	c.expectList(l, list, keys[1:], "one of a long list was removed")
}

// listsAtOnce: many requests change one list at once.
func (c *checker) listsAtOnce(l session.Lister) {
	const rounds = 10
	list := c.key()
	var stay []string
	var failed atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		keys := make([]string, 2*rounds)
		for i := range keys {
			keys[i] = c.key()
			c.commit(keys[i], "listed", c.soon())
		}
		stay = append(stay, keys[rounds:]...)
		wait.Go(func() {
			for i := range rounds {
				for _, key := range []string{keys[i], keys[rounds+i]} {
					if l.Add(c.ctx, list, key, c.soon()) != nil {
						failed.Add(1)
					}
				}
				if l.Remove(c.ctx, list, keys[i]) != nil {
					failed.Add(1)
				}
			}
		})
	}
	wait.Wait()
	if n := failed.Load(); n > 0 {
		c.violation("%d of %d Adds and Removes at once fail", n, workers*rounds*3)
	}
	c.expectList(l, list, stay, "many changed it at once, and each change counts")
}

// listed is a new key with data, on list.
func (c *checker) listed(l session.Lister, list string) string {
	return c.listedUntil(l, list, c.soon())
}

func (c *checker) listedUntil(l session.Lister, list string, expiry time.Time) string {
	key := c.key()
	c.commit(key, "listed", c.soon())
	c.add(l, list, key, expiry)
	return key
}

func (c *checker) add(l session.Lister, list, key string, expiry time.Time) {
	if err := l.Add(c.ctx, list, key, expiry); err != nil {
		c.violation("Add: %w", err)
	}
}

func (c *checker) remove(l session.Lister, list, key, what string) {
	if err := l.Remove(c.ctx, list, key); err != nil {
		c.violation("Remove of %s: %w", what, err)
	}
}

// expectList is a violation unless list has the keys of want, each once.
func (c *checker) expectList(l session.Lister, list string, want []string, why string) {
	keys, err := l.List(c.ctx, list)
	if err != nil {
		c.violation("List: %w: a list that there is not is empty, and no error", err)
		return
	}
	if !slices.Equal(slices.Sorted(slices.Values(keys)), slices.Sorted(slices.Values(want))) {
		c.violation("a list has other keys than it must have (%d, and not %d): %s", len(keys), len(want), why)
	}
}
