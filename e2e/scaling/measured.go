package main

import "time"

// What was measured, on one day and one machine: two processors of an Intel Xeon with nothing else to do, Go 1.26,
// Redis 7.0, PostgreSQL 15, without TLS unless it says so. The processor's time, not the clock's. Ratios carry over to
// another machine, figures do not: measure there, and write them here.
const measuredOn = "2026-11-27"

// Of a node, for a request that reads a session it has not seen lately, one after the other: the middle of three
// runs, which were a sixth apart at most.
//
//	go test -run '^$' -bench 'Scale(Requests|HTTP)' ./stores
const (
	requestHTTP                  = 22 * time.Microsecond // of net/http, beside what is below
	requestCookies               = 8 * time.Microsecond
	requestRedis                 = 62 * time.Microsecond
	requestPostgreSQL            = 47 * time.Microsecond
	requestRevocationsRedis      = 135 * time.Microsecond
	requestRevocationsPostgreSQL = 163 * time.Microsecond
)

// Of a request at its store: round trips, which e2e/stores counts, and the questions in them.
const (
	questionsStore       = 1
	questionsRevocations = 3 // at once; 4 where the provider names its sessions
)

// Of a primary of Redis: redis-benchmark with 50 connections and 900 bytes, more than most sessions have, and its processor's time in /proc.
const (
	redisGET     = 6 * time.Microsecond
	redisSET     = 6 * time.Microsecond
	redisReplace = 9 * time.Microsecond  // the script of a renewal
	redisList    = 21 * time.Microsecond // ZADD, ZREMRANGEBYSCORE and a script, for each list
	redisConnect = 20 * time.Microsecond
	redisTLS     = 590 * time.Microsecond // a connection by TLS
)

// Of PostgreSQL: pgbench with prepared statements on 200,000 rows, and the time of all its processes.
const (
	postgresSELECT = 20 * time.Microsecond
	postgresUPDATE = 81 * time.Microsecond

	// postgresCrowd is reckoned, not measured: how many times as much a question costs with hundreds of connections
	// as with the 8 of pgbench.
	postgresCrowd = 2
)

// Of a session of 600 bytes of JSON, with everything around it.
//
//	go test -run '^$' -bench ScaleBytes ./stores
const (
	lists            = 2 // of the user, and of the provider's subject
	bytesRedis       = 1180
	bytesPostgreSQL  = 620
	bytesPostgresRow = 420 // of a row in each list
)

// Of a Cluster, as docs/stores.md has it: after the primary is killed, its slots are served again by so much more than
// cluster-node-timeout.
const failoverBeyondTimeout = 1500 * time.Millisecond
