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
		return base
	}
	const unused = "not used here"
	return []scenario{
		{"pair", "point to point: each publisher has a subscriber", unused, d(defaults{}), overTraffic("pair")},
		{"fan-in", "many publishers, few subscribers to all", unused, d(defaults{publishers: 100, window: 16}), overTraffic("fan-in")},
		{"fan-out", "few publishers, each message to many subscribers", unused, d(defaults{subscribers: 500, window: 64}), overTraffic("fan-out")},
		{"shared", "publishers, and members of one shared subscription", unused, d(defaults{publishers: 10, subscribers: 8}), overTraffic("shared")},
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
	switch name {
	case "pair":
		return topology{publishers: o.pairs, subscribers: o.pairs, topic: own, filter: own, copies: 1}
	case "shared":
		return topology{publishers: o.publishers, subscribers: o.subscribers, topic: own, filter: func(int) string { return "$share/bench/" + all(0) }, copies: 1, shared: true}
	}
	return topology{publishers: o.publishers, subscribers: o.subscribers, topic: own, filter: all, copies: uint64(o.subscribers)}
}
