package main

import (
	"strconv"
	"strings"
	"syscall"
)

// measure is one line of the table.
type measure struct {
	key    string // of report.value
	unit   string
	target string
}

// row is one scenario of the table.
type row struct {
	name      string
	args      []string // scenario and flags
	quick     []string // flags that replace some of args when there is little time
	measures  []measure
	limit     []string // flags of limit for the same bytes in the same pattern; nil = none
	lunemq    []string // keys that the row must raise
	mosquitto []string // lines of its configuration that the row needs
	runs      int      // at most, 0 = as many as asked for
}

// cpu and rate are the usual measures.
func cpu(target string) measure  { return measure{"cpu", "µs", target} }
func rate(target string) measure { return measure{"rate", "/s", target} }

const asPeer = "≤ 1.0 × Mosquitto"

var queues = []string{"max_online_messages=-1"}

// rows is the table. Targets are for LuneMQ.
func rows() []row {
	return append(trafficRows(), stateRows()...)
}

// trafficRows are those in which messages pass.
func trafficRows() []row {
	p99 := measure{"p99", "µs", "≤ Mosquitto's"}
	return []row{
		{name: "point to point QoS 0, 10 pairs, saturated", args: strings.Fields("pair"), limit: []string{}, measures: []measure{cpu("≤ 0.7"), rate("")}},
		{name: "the same, one packet per write", args: strings.Fields("pair --batch one --threads 2"), limit: strings.Fields("--batch one --threads 2"), measures: []measure{cpu("≤ 1.2"), rate("")}},
		{name: "50 pairs at 200/s", args: strings.Fields("pair --pairs 50 --rate 200"), limit: strings.Fields("--pairs 50 --rate 200"), measures: []measure{cpu(asPeer), p99}},
		{name: "1000 pairs at 10/s", args: strings.Fields("pair --pairs 1000 --rate 10"), limit: strings.Fields("--pairs 1000 --rate 10"), measures: []measure{cpu(asPeer), p99}},
		{name: "QoS 1, 10 pairs, saturated", args: strings.Fields("pair --qos 1"), measures: []measure{cpu("≤ 2.0"), rate("")}},
		{name: "QoS 1, 50 pairs at 100/s", args: strings.Fields("pair --qos 1 --pairs 50 --rate 100"), measures: []measure{cpu(asPeer), p99}},
		{name: "QoS 2, 10 pairs, saturated", args: strings.Fields("pair --qos 2"), measures: []measure{cpu("≤ 3.5"), rate("")}, mosquitto: []string{"max_inflight_messages 0"}},
		{name: "16 kB payloads QoS 0", args: strings.Fields("pair --size 16384 --window 32"), limit: strings.Fields("--size 16384 --window 32"), measures: []measure{cpu("≤ 1.4 × relay"), rate("")}},
		{name: "fan-in 100 to 1, QoS 0", args: strings.Fields("fan-in"), limit: strings.Fields("--pattern fan-in --publishers 100 --window 16"), lunemq: queues, measures: []measure{cpu("≤ 0.9"), rate("")}},
		{name: "fan-in 100 to 1, QoS 1", args: strings.Fields("fan-in --qos 1"), lunemq: queues, measures: []measure{cpu("≤ 2.0"), rate("")}},
		{name: "fan-out 1 to 500, saturated, QoS 0", args: strings.Fields("fan-out"), limit: strings.Fields("--pattern fan-out --subscribers 500 --window 64"), measures: []measure{cpu("≤ 0.6"), rate("")}},
		{name: "fan-out 1 to 500, saturated, QoS 1", args: strings.Fields("fan-out --qos 1"), measures: []measure{cpu("≤ 1.5"), rate("")}},
		{name: "fan-out 1 to 500 at 20/s", args: strings.Fields("fan-out --rate 20"), limit: strings.Fields("--pattern fan-out --subscribers 500 --rate 20"), measures: []measure{cpu(asPeer), p99}},
		{name: "shared, 10 publishers, 8 members, QoS 0", args: strings.Fields("shared"), lunemq: queues, measures: []measure{cpu("≤ 1.0"), rate("")}},
		{name: "shared, 10 publishers, 8 members, QoS 1", args: strings.Fields("shared --qos 1"), lunemq: queues, measures: []measure{cpu("≤ 2.2"), rate("")}},
		{name: "durable QoS 1, 10 pairs, saturated", args: strings.Fields("pair --qos 1 --durable"), measures: []measure{cpu("≤ 20"), rate("≥ 60 k")}},
		{name: "durable QoS 2, 10 pairs, saturated", args: strings.Fields("pair --qos 2 --durable"), mosquitto: []string{"max_inflight_messages 0"}, measures: []measure{cpu(""), rate("≥ 25 k")}},
		{name: "durable QoS 1, 50 pairs at 100/s", args: strings.Fields("pair --qos 1 --durable --pairs 50 --rate 100"), measures: []measure{cpu(""), {"p99", "µs", "≤ 3 × fsync"}}},
	}
}

// stateRows are those about what a broker keeps.
func stateRows() []row {
	away := []string{"max_offline_messages=-1", "max_online_messages=-1"}
	return []row{
		{name: "connect and disconnect, 20 at a time", args: strings.Fields("connect --sources 8"), limit: strings.Fields("--pattern connect --sources 8"),
			measures: []measure{cpu("≤ 28"), rate("≥ 15 k")}},
		{name: "subscribe and unsubscribe beside traffic", args: strings.Fields("subscribe"), measures: []measure{cpu("≤ 5"), rate("")}},
		{name: idleName(), args: strings.Fields("idle --concurrency 100 --count " + strconv.Itoa(idleConnections())), quick: strings.Fields("--count 4000"), runs: 3,
			limit: strings.Fields("--pattern idle --concurrency 100 --count " + strconv.Itoa(idleConnections())), lunemq: []string{"listener.tcp.default.max_connections=infinity"},
			measures: []measure{{"resident per connection", "kB", "≤ 1.2"}}},
		{name: "500 thousand distinct filters", args: strings.Fields("subscriptions --count 500000"), quick: strings.Fields("--count 50000"), runs: 3, lunemq: queues,
			measures: []measure{{"resident per subscription", "bytes", "≤ 150"}, {"CPU per entry", "µs", "≤ 2"}, {"cpu", "µs per publish", "≤ 2.5"}}},
		{name: "offline QoS 1 queue, 50 thousand of 256 B", args: strings.Fields("drain"), quick: strings.Fields("--count 10000"), lunemq: away,
			measures: []measure{{"load", "acknowledged/s", "≥ 60 k"}, {"rate", "drained/s", "≥ 300 k"}}},
		{name: "50 thousand retained messages to a new #", args: strings.Fields("retained"), quick: strings.Fields("--count 10000"), lunemq: away,
			measures: []measure{{"rate", "/s", "≥ 500 k"}, {"resident per message", "bytes", "≤ 350"}}},
		{name: "idle broker", args: strings.Fields("idle --count 0"), measures: []measure{{"wake-ups", "/s", "≤ 2"}, {"rss", "MB", "≤ 40"}}},
	}
}

// idleConnections is 18 thousand, or what the limit of open files leaves.
func idleConnections() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || l.Max > 18_500 {
		return 18_000
	}
	return int(l.Max) - 500
}

func idleName() string {
	return strconv.Itoa(idleConnections()) + " idle connections, one subscription each"
}
