package main

import (
	"context"

	"github.com/lunemq/lunemq/broker/packet"
)

// runRetained stores retained messages and subscribes to all of them.
func runRetained(ctx context.Context, o *options) (*report, error) {
	o = o.atLeastOnce()
	l, err := newLoop()
	if err != nil {
		return nil, err
	}
	defer l.close()
	t := newTraffic(l, o, topology{publishers: o.publishers, subscribers: 1, copies: 1, shared: true, retain: true,
		topic: func(int) string { return numbered(o.prefix, "", 0) }, filter: func(int) string { return "#" }})
	t.share(o.count)
	for i, p := range t.pubs {
		p.pick = func(n uint64) uint64 { return n*uint64(o.publishers) + uint64(i) }
	}
	if err := t.connectPublishers(ctx); err != nil {
		return nil, err
	}
	before, err := resident(o.pids)
	if err != nil {
		return nil, err
	}
	in, err := t.fill(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.runFor(ctx, quiet{}, settleTime); err != nil {
		return nil, err
	}
	after, err := resident(o.pids)
	if err != nil {
		return nil, err
	}
	m := &meter{l: l, pids: o.pids}
	if err := m.begin(t.arrived); err != nil {
		return nil, err
	}
	s := t.subs[0]
	if err := connectAll(ctx, l, o, []plan{{name: s.name, hello: o.hello(s.name, false), subscribe: o.subscription(t.filter(0)), h: s}}); err != nil {
		return nil, err
	}
	out, err := t.empty(ctx, m)
	if err != nil {
		return nil, err
	}
	r := &report{}
	r.traffic(t)
	if err := r.broker(o, out, "message"); err != nil {
		return nil, err
	}
	r.add("resident per message", (float64(after)-float64(before))/float64(max(o.count, 1)), "bytes")
	r.add("load", in.rate(), "acknowledged per second")
	r.add("load CPU", in.perUnit(), "µs per message")
	return r, t.unretain(ctx)
}

// unretain deletes the retained messages again.
func (t *traffic) unretain(ctx context.Context) error {
	c := t.pubs[0].c
	seen := false
	c.h = answered{&seen}
	var buf []byte
	for n := range t.o.count {
		p := packet.Publish{Topic: numbered(t.o.prefix, "", uint64(n)), Retain: true}
		buf = p.Append(buf, t.o.version)
	}
	buf = (&packet.Pingreq{}).Append(buf, t.o.version)
	if err := t.l.send(c, buf); err != nil {
		return err
	}
	return t.l.run(ctx, quiet{}, func() bool { return seen })
}

// answered notes that something came.
type answered struct{ seen *bool }

// bytes implements handler.
func (a answered) bytes(_ *conn, p []byte) (int, error) {
	*a.seen = true
	return len(p), nil
}

// ended implements handler.
func (a answered) ended(_ *conn, err error) error { return errEnded("a publisher", err) }
