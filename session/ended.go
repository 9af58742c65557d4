package session

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

const (
	// maxEnded is how many sessions are remembered as ended, in all: some 20 MB when
	// there are as many.
	maxEnded = 1 << 17

	// maxEndedOfOne is how many of them may be one person's.
	maxEndedOfOne = 1 << 10

	// endedSample is how many are looked at when one more is added.
	endedSample = 32
)

// endedSessions knows which sessions were signed out of in this process. It is all
// that ends a session without a store: other nodes do not know of it, and a restart
// empties it. With a store it keeps a renewal from undoing a sign-out.
//
// A session is remembered until no token of it can count, at no cost that grows
// with its id: ids are hashed, under a seed of this process's own. Of two ids one in
// 2^64 is taken for the other.
//
//	one person holds maxEndedOfOne  -> theirs that ends first is forgotten
//	there are maxEnded              -> of a sample, one of whoever has most in it is
//	                                   forgotten, and of those the one that ends first
//
// So whoever signs in and out all day drives out nothing but their own sessions,
// and filling the whole takes as many people as maxEnded / maxEndedOfOne, who then
// drive out each other's before anybody's only one. To forget is to fail open, for
// a copy of a token that was signed out of. To fail closed would be to refuse all
// sessions from before some moment, and so let one person sign others out: with an
// access code, which is one person here, everybody who has it. And whoever can
// drive out a person's session that way can sign in as that person as it is.
type endedSessions struct {
	seed          maphash.Seed
	max, maxOfOne int

	mu     sync.RWMutex
	ids    map[uint64]ending
	people map[uint64][]uint64 // their ids
}

type ending struct {
	until  int64 // in seconds since 1970
	person uint64
}

func newEndedSessions(max, maxOfOne int) *endedSessions {
	return &endedSessions{seed: maphash.MakeSeed(), max: max, maxOfOne: maxOfOne, ids: map[uint64]ending{}, people: map[uint64][]uint64{}}
}

func (e *endedSessions) has(id string) bool {
	k := maphash.String(e.seed, id)
	e.mu.RLock()
	defer e.mu.RUnlock()
	_, ok := e.ids[k]
	return ok
}

// add remembers until then that id, a session of who, has ended. who may be nil:
// nobody is one person too. A token without an id cannot be remembered.
func (e *endedSessions) add(id string, who *Session, until, now time.Time) {
	if id == "" {
		return
	}
	k, person := maphash.String(e.seed, id), uint64(0)
	if who != nil {
		person = maphash.Comparable(e.seed, [...]string{who.Provider, who.Issuer, who.Subject})
	}
	end := until.Unix() + 1 // rounded up
	e.mu.Lock()
	defer e.mu.Unlock()
	if old, there := e.ids[k]; there {
		e.ids[k] = ending{max(end, old.until), old.person}
		return
	}
	e.makeRoom(now.Unix())
	if theirs := e.people[person]; len(theirs) >= e.maxOfOne {
		e.drop(slices.MinFunc(theirs, func(a, b uint64) int { return cmp.Compare(e.ids[a].until, e.ids[b].until) }))
	}
	e.ids[k] = ending{end, person}
	e.people[person] = append(e.people[person], k)
}

// remove forgets id: it has not ended after all.
func (e *endedSessions) remove(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if k := maphash.String(e.seed, id); e.ids[k] != (ending{}) {
		e.drop(k)
	}
}

// makeRoom drops what has expired from a sample, for maps are walked in random
// order, and one more when there is no room otherwise. e.mu is held.
func (e *endedSessions) makeRoom(now int64) {
	var first, seen, most uint64
	for k, x := range e.ids {
		if n := uint64(len(e.people[x.person])); x.until <= now {
			e.drop(k)
		} else if n > most || n == most && x.until < e.ids[first].until {
			first, most = k, n
		}
		if seen++; seen == endedSample {
			break
		}
	}
	if len(e.ids) >= e.max {
		e.drop(first)
	}
}

// drop forgets k, which is there. e.mu is held.
func (e *endedSessions) drop(k uint64) {
	person := e.ids[k].person
	delete(e.ids, k)
	theirs := e.people[person]
	if len(theirs) == 1 {
		delete(e.people, person)
		return
	}
	i := slices.Index(theirs, k)
	theirs[i] = theirs[len(theirs)-1]
	e.people[person] = theirs[:len(theirs)-1]
}
