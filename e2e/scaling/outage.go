package main

import (
	"math/rand/v2"
	"time"
)

// outage is what one shard of Redis and all nodes do when a zone goes, in which a third of the nodes are.
type outage struct {
	nodes       int
	primary     bool          // whether the shard's primary is in that zone
	nodeTimeout time.Duration // cluster-node-timeout
	limit       time.Duration // redisstore.Config.Timeout
	pool        int           // PoolSize of the client: connections of a node to a shard
}

const (
	goes     = 2 * time.Second // when the zone goes, after the beginning
	noticed  = 3 * time.Second // after which the load balancer sends nothing there
	again    = time.Second     // after which half of those who saw a 503 try again,
	tries    = 3               // so often
	calmAt   = 20 * time.Millisecond
	settling = 6 * time.Second // what is simulated after the shard is back

	// warm is how many connections each node has to the shard in the beginning.
	warm = 8
)

// aftermath is what came of it. Times are since the zone went.
type aftermath struct {
	before, after []time.Duration // what questions took until the zone went, and in the last second
	first         []time.Duration // in the first second of the new primary
	refused       int             // requests
	unheard       int             // requests that went to nodes of the zone
	answers       time.Duration   // when the shard answers again
	calm          time.Duration   // when the last came that was refused or took longer than calmAt
	waiting       int             // questions at most at one node
	connections   int             // that the new primary had to make
}

// question is a request's, at a node.
type question struct {
	node       int
	generation int // of the node's connections
	came, ends time.Duration
	tries      int
	state      state
}

type state int

const (
	queued state = iota
	connecting
	sent
	answered
	refused
)

// client is a node's connections to the shard.
type client struct {
	generation int // another one with another primary
	idle, open int
	queue      []*question
	waiting    int
}

type happening struct {
	what what
	q    *question
}

type what int

const (
	comes what = iota
	comesAgain
	connected
	answerComes
	tooLate
	reloaded
)

// run is a simulation under way.
type run struct {
	outage
	aftermath
	r       *rand.Rand
	now     time.Duration
	events  events[happening]
	shard   server
	clients []client
	backAt  time.Duration // when a replica has taken over
	end     time.Duration
}

func (o outage) simulate() aftermath {
	s := &run{outage: o, r: rand.New(rand.NewPCG(2, uint64(o.pool))), clients: make([]client, o.nodes)}
	for i := range s.clients {
		s.clients[i].idle, s.clients[i].open = warm, warm
	}
	s.backAt = goes + o.nodeTimeout + failoverBeyondTimeout
	s.end = s.backAt + settling
	s.events.put(0, happening{what: comes})
	for {
		e, ok := s.events.take()
		if !ok {
			return s.aftermath
		}
		s.now = e.at
		s.happens(e.what)
	}
}

func (s *run) happens(h happening) {
	switch h.what {
	case comes:
		if s.now < s.end {
			s.events.put(s.now+around(s.r, time.Duration(float64(time.Second)*primaries/rate)), h)
			s.come(&question{})
		}
	case comesAgain:
		s.come(h.q)
	case connected:
		if h.q.generation != s.clients[h.q.node].generation {
			return
		}
		if h.q.state == connecting {
			s.send(h.q)
		} else {
			s.release(h.q.node)
		}
	case answerComes:
		s.answer(h.q)
	case tooLate:
		s.refuse(h.q)
	case reloaded:
		if c := &s.clients[h.q.node]; c.generation == 0 {
			*c = client{generation: 1, waiting: c.waiting}
		}
	}
}

// lost reports whether a node is in the zone that went.
func (s *run) lost(node int) bool { return s.now >= goes && node%zones == 0 }

func (s *run) come(q *question) {
	q.node = s.r.IntN(s.nodes)
	for s.now >= goes+noticed && s.lost(q.node) {
		q.node = s.r.IntN(s.nodes)
	}
	if s.lost(q.node) {
		s.unheard++
		return
	}
	c := &s.clients[q.node]
	q.generation, q.came, q.ends, q.state = c.generation, s.now, s.now+s.limit, queued
	c.waiting++
	s.waiting = max(s.waiting, c.waiting)
	switch {
	case c.idle > 0:
		c.idle--
		s.send(q)
	case c.open < s.pool:
		c.open++
		s.connect(q)
	default:
		c.queue = append(c.queue, q)
		s.events.put(q.ends, happening{tooLate, q})
	}
}

// dead reports whether what is sent with a node's connections gets no answer.
func (s *run) dead(q *question) bool { return s.primary && s.now >= goes && q.generation == 0 }

// connect has the shard take a connection, which it does between its answers.
func (s *run) connect(q *question) {
	q.state = connecting
	if s.dead(q) {
		s.events.put(q.ends, happening{tooLate, q})
		return
	}
	if s.now >= s.backAt && s.primary {
		s.connections++
	}
	at := s.shard.serve(s.now+roundTrip/2, redisTLS) + roundTrip/2
	s.events.put(at, happening{connected, q})
	if at > q.ends {
		s.events.put(q.ends, happening{tooLate, q})
	}
}

func (s *run) send(q *question) {
	q.state = sent
	at := s.shard.serve(s.now+roundTrip/2, around(s.r, redisGET)) + roundTrip/2
	unanswered := s.dead(q) || s.primary && s.now < goes && at > goes
	if unanswered || at > q.ends {
		at = q.ends
		s.events.put(at, happening{tooLate, q})
		return
	}
	s.events.put(at, happening{answerComes, q})
}

func (s *run) answer(q *question) {
	q.state = answered
	s.clients[q.node].waiting--
	took := s.now - q.came
	switch {
	case q.came < goes:
		s.before = append(s.before, took)
	case s.primary && q.generation == 0:
	default:
		if s.answers == 0 {
			s.answers = s.now - goes
		}
		if q.came < goes+s.answers+time.Second {
			s.first = append(s.first, took)
		}
		if q.came > s.end-time.Second {
			s.after = append(s.after, took)
		}
		if took > calmAt {
			s.calm = max(s.calm, q.came-goes)
		}
	}
	s.release(q.node)
}

// refuse has the request answered 503, and looks where the shard is now.
func (s *run) refuse(q *question) {
	if q.state == answered {
		return
	}
	was, c := q.state, &s.clients[q.node]
	q.state = refused
	c.waiting--
	if s.lost(q.node) {
		return
	}
	s.refused++
	s.calm = max(s.calm, q.came-goes)
	if s.primary && s.now >= s.backAt && c.generation == 0 {
		s.events.put(s.now+roundTrip, happening{reloaded, q})
	}
	if q.tries < tries && s.r.IntN(2) == 0 {
		s.events.put(s.now+again, happening{comesAgain, &question{tries: q.tries + 1}})
	}
	if q.generation == c.generation && (was == sent || was == connecting && s.dead(q)) {
		c.open-- // a connection whose answer nobody waited for is closed
		s.next(c)
	}
}

// release has a connection that is free taken by the next who waits.
func (s *run) release(node int) {
	c := &s.clients[node]
	c.idle++
	s.next(c)
}

func (s *run) next(c *client) {
	for len(c.queue) > 0 && (c.idle > 0 || c.open < s.pool) {
		q := c.queue[0]
		c.queue = c.queue[1:]
		switch {
		case q.state != queued:
		case c.idle > 0:
			c.idle--
			s.send(q)
		default:
			c.open++
			s.connect(q)
		}
	}
}
