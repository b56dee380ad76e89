package main

import (
	"context"
	"fmt"
)

// limitPatterns is what limit can do.
var limitPatterns = []string{"pair", "fan-in", "fan-out", "connect", "idle"}

// scenarios lists what there is to run.
func scenarios() []scenario {
	d := func(change defaults) defaults {
		base := defaults{pairs: 10, publishers: 1, subscribers: 1, window: 256, size: 128}
		set(&base.publishers, change.publishers)
		set(&base.subscribers, change.subscribers)
		set(&base.count, change.count)
		set(&base.window, change.window)
		set(&base.size, change.size)
		set(&base.qos, change.qos)
		base.rate = change.rate
		return base
	}
	const unused = "not used here"
	return []scenario{
		{"pair", "point to point: each publisher has a subscriber", unused, d(defaults{}), runPairs},
		{"fan-in", "many publishers, few subscribers to all", unused, d(defaults{publishers: 100, window: 16}), overTraffic("fan-in")},
		{"fan-out", "few publishers, each message to many subscribers", unused, d(defaults{subscribers: 500, window: 64}), overTraffic("fan-out")},
		{"shared", "publishers, and members of one shared subscription", unused, d(defaults{publishers: 10, subscribers: 8}), overTraffic("shared")},
		{"idle", "connections with a subscription each, doing nothing", "connections", d(defaults{count: 1000}), runIdle},
		{"connect", "connections that come and go, --concurrency at a time", unused, d(defaults{}), runConnect},
		{"subscribe", "SUBSCRIBE and UNSUBSCRIBE beside traffic of --pairs at --rate", unused, d(defaults{subscribers: 10, window: 16, rate: 100}), runSubscribe},
		{"subscriptions", "distinct filters, then traffic into them", "filters", d(defaults{publishers: 10, subscribers: 100, count: 100_000}), runSubscriptions},
		{"drain", "a queue is filled for a client that is away, and given to it", "messages", d(defaults{publishers: 10, count: 50_000, size: 256, qos: 1}), runDrain},
		{"retained", "retained messages are stored, and sent to a new #", "messages", d(defaults{publishers: 10, count: 50_000, qos: 1}), runRetained},
		{"limit", "no broker: a bare relay moves the same bytes in the same --pattern", "connections of idle", d(defaults{count: 1000}), runLimit},
	}
}

func set(place *int, n int) {
	if n != 0 {
		*place = n
	}
}

// overTraffic makes a scenario of a topology.
func overTraffic(name string) func(context.Context, *options) (*report, error) {
	return func(ctx context.Context, o *options) (*report, error) { return runTraffic(ctx, o, o.shape(name)) }
}

// shape is the topology of a scenario.
func (o *options) shape(name string) topology {
	own := func(i int) string { return fmt.Sprintf("%s/%d", o.prefix, i) }
	all := func(int) string { return o.prefix + "/+" }
	one := func(int) int { return 0 }
	switch name {
	case "pair":
		return topology{group: func(i int) int { return i }, publishers: o.pairs, subscribers: o.pairs, topic: own, filter: own, copies: 1}
	case "shared":
		return topology{publishers: o.publishers, subscribers: o.subscribers, topic: own, filter: func(int) string { return "$share/bench/" + all(0) }, copies: 1, shared: true}
	}
	return topology{group: one, publishers: o.publishers, subscribers: o.subscribers, topic: own, filter: all, copies: uint64(o.subscribers)}
}
