package main

import (
	"context"
	"fmt"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// loader makes the many subscriptions of one connection, and is a subscriber
// afterwards. Owned by its loop.
type loader struct {
	*subscriber
	from, to int // of the filters
	waits    bool
	open     *int // loaders that are not done
}

// filterOf is the i-th of the distinct filters; messages whose topic has the
// number i match it alone. Two of five are without wildcards.
func filterOf(prefix string, i int) string {
	switch i % 5 {
	case 0:
		return numbered(prefix, "/+", uint64(i))
	case 1:
		return numbered(prefix, "/#", uint64(i))
	case 2:
		return numbered("+", "/t", uint64(i))
	}
	return numbered(prefix, "/t", uint64(i))
}

// next sends one SUBSCRIBE.
func (x *loader) next() error {
	o := x.t.o
	n := min(o.entries, x.to-x.from)
	if n <= 0 {
		*x.open--
		return nil
	}
	s := packet.Subscribe{PacketID: 1}
	for range n {
		s.Topics = append(s.Topics, packet.TopicFilter{Filter: filterOf(o.prefix, x.from), QoS: o.qos})
		x.from++
	}
	x.waits = true
	return x.t.l.send(x.c, s.Append(nil, o.version))
}

// bytes implements handler.
func (x *loader) bytes(c *conn, p []byte) (int, error) {
	if !x.waits {
		return x.subscriber.bytes(c, p)
	}
	dec := packet.Decoder{Version: x.t.o.version}
	pkt, n, err := dec.Decode(p)
	if n == 0 || err != nil {
		return 0, err
	}
	ack, ok := pkt.(*packet.Suback)
	if !ok {
		return 0, fmt.Errorf("bench: %s was sent a %v instead of a SUBACK", x.name, pkt.Type())
	}
	for _, code := range ack.Codes {
		if code >= 0x80 {
			return 0, fmt.Errorf("bench: a subscription of %s was refused: %v", x.name, code)
		}
	}
	x.waits = false
	return n, x.next()
}

// runSubscriptions subscribes to many filters, then publishes into them.
func runSubscriptions(ctx context.Context, o *options) (*report, error) {
	l, err := newLoop()
	if err != nil {
		return nil, err
	}
	defer l.close()
	t := newTraffic(l, o, topology{publishers: o.publishers, subscribers: o.subscribers, copies: 1, shared: true,
		topic: func(int) string { return numbered(o.prefix, "/t", 0) }})
	for i, p := range t.pubs {
		// A multiplicative step visits the filters in an order of no use to
		// caches; the publishers begin at different places.
		p.pick = func(n uint64) uint64 { return ((n*uint64(o.publishers) + uint64(i)) * 2654435761) % uint64(o.count) }
	}
	r := &report{}
	if err := t.load(ctx, r); err != nil {
		return nil, err
	}
	if err := t.connectPublishers(ctx); err != nil {
		return nil, err
	}
	pub, err := t.measure(ctx)
	if err != nil {
		return nil, err
	}
	pub.Figures = r.Figures
	return pub, nil
}

// load makes the connections and their subscriptions.
func (t *traffic) load(ctx context.Context, r *report) error {
	plans, loaders, open := []plan{}, []*loader{}, len(t.subs)
	for i, s := range t.subs {
		x := &loader{subscriber: s, open: &open, from: t.o.count * i / len(t.subs), to: t.o.count * (i + 1) / len(t.subs)}
		loaders = append(loaders, x)
		plans = append(plans, plan{name: s.name, hello: t.o.hello(s.name, t.o.durable), h: x, ready: x.begin})
	}
	if err := connectAll(ctx, t.l, t.o, plans); err != nil {
		return err
	}
	before, err := resident(t.o.pids)
	if err != nil {
		return err
	}
	m := meter{l: t.l, pids: t.o.pids}
	if err := m.begin(0); err != nil {
		return err
	}
	for _, x := range loaders {
		if err := x.next(); err != nil {
			return err
		}
	}
	if err := t.l.run(ctx, quiet{}, func() bool { return open == 0 }); err != nil {
		return err
	}
	p, err := m.end(uint64(t.o.count))
	if err != nil {
		return err
	}
	if err := t.l.runFor(ctx, quiet{}, settleTime); err != nil {
		return err
	}
	after, err := resident(t.o.pids)
	r.add("resident per subscription", (float64(after)-float64(before))/float64(max(t.o.count, 1)), "bytes")
	r.add("CPU per entry", p.perUnit(), "µs")
	r.add("entries", p.rate(), "per second")
	return err
}

// atLeastOnce returns the options with QoS 1 for scenarios that need an answer.
func (o *options) atLeastOnce() *options {
	own := *o
	own.qos = max(own.qos, mqtt.AtLeastOnce)
	return &own
}
