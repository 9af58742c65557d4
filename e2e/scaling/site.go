package main

import (
	"math"
	"time"
)

// The site that is planned for.
const (
	sessions = 100_000_000
	rate     = 1_000_000 // requests in a second, all of people who are signed in

	zones     = 3
	nodeCores = 8

	// busy is how much of its processors anything may use on a usual day: with one of three zones gone, a
	// node is at half as much again.
	busy = 0.5

	// Each session is used each day, and so renewed once in UpdateAge; it lasts for MaxAge.
	updateAge = 24 * time.Hour
	maxAge    = 30 * 24 * time.Hour

	primaries   = 24
	replicas    = 2 // of each, so that each zone has all sessions
	slots       = 16384
	memorySpare = 1.5 // for fragments, buffers, and the copy while a replica is filled

	// postgresCores is a large server's.
	postgresCores = 64

	roundTrip = 500 * time.Microsecond // to another zone

	postgresQuestion = postgresCrowd * postgresSELECT
)

// way is one of keeping sessions.
type way struct {
	name      string
	request   time.Duration // of a node's processor
	questions int           // to the store
	question  time.Duration // of the store's processor
}

var ways = []way{
	{"cookies", requestCookies, 0, 0},
	{"Redis", requestRedis, questionsStore, redisGET},
	{"PostgreSQL", requestPostgreSQL, questionsStore, postgresQuestion},
	{"cookies, `Revocations` in Redis", requestRevocationsRedis, questionsRevocations, redisGET},
	{"cookies, `Revocations` in PostgreSQL", requestRevocationsPostgreSQL, questionsRevocations, postgresQuestion},
}

// each is the processor's time of a request on a node, with its HTTP.
func (w way) each() time.Duration { return requestHTTP + w.request }

// perCore is how many requests a processor carries that does nothing else.
func (w way) perCore() float64 { return float64(time.Second) / float64(w.each()) }

// nodes is how many the site has, as many in each zone.
func (w way) nodes() int {
	return roundUp(rate/(w.perCore()*nodeCores*busy), zones)
}

// asked is how many questions the store gets in a second.
func (w way) asked() int { return rate * w.questions }

// storeCores is how many processors answer them, if they do nothing else.
func (w way) storeCores() float64 { return float64(w.asked()) * w.question.Seconds() }

// roundUp is the next multiple of n.
func roundUp(x float64, n int) int { return int(math.Ceil(x/float64(n))) * n }

// renewals and signIns are how many there are in a second.
func renewals() float64 { return sessions / updateAge.Seconds() }
func signIns() float64  { return sessions / maxAge.Seconds() }

// redisWrites is the processor's time that they take in a second, in all primaries.
func redisWrites() time.Duration {
	renewal := redisGET + redisReplace + lists*redisList
	signIn := redisSET + lists*redisList
	return time.Duration(renewals()*float64(renewal) + signIns()*float64(signIn))
}

// shard is one primary's part of the site.
type shard struct {
	slots    int
	sessions int
	memory   float64 // bytes, with what is to spare
	asked    float64 // a second
	busy     float64 // of one processor
}

func redisShard() shard {
	asked := float64(rate) / primaries
	return shard{
		slots:    slots / primaries,
		sessions: sessions / primaries,
		memory:   float64(sessions/primaries) * bytesRedis * memorySpare,
		asked:    asked,
		busy:     asked*redisGET.Seconds() + redisWrites().Seconds()/primaries,
	}
}

// postgresBytes is what all sessions take, with their lists and indexes.
func postgresBytes() float64 { return sessions * (bytesPostgreSQL + lists*bytesPostgresRow) }

// postgresCarries is how many questions one server answers in a second.
func postgresCarries() float64 { return postgresCores * busy / postgresQuestion.Seconds() }
