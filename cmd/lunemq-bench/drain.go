package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/lunemq/lunemq/broker/packet"
)

// errStalled is a broker from which nothing comes any more.
var errStalled = errors.New("bench: nothing arrives any more")

// share gives each publisher its part of all messages.
func (t *traffic) share(count int) {
	n := uint64(len(t.pubs))
	for i, p := range t.pubs {
		p.limit = (uint64(count) + n - 1 - uint64(i)) / n
	}
}

// fill publishes all messages until they are acknowledged.
func (t *traffic) fill(ctx context.Context) (period, error) {
	t.acksOnly = true
	m := meter{l: t.l, pids: t.o.pids}
	if err := m.begin(0); err != nil {
		return period{}, err
	}
	t.start()
	acked := func() (n uint64) {
		for _, p := range t.pubs {
			n += p.acked
		}
		return n
	}
	last, since := uint64(0), t.l.now
	err := t.l.run(ctx, t, func() bool {
		n := acked()
		if n != last {
			last, since = n, t.l.now
		}
		return n == uint64(t.o.count) || t.l.now-since > int64(t.o.patience)
	})
	if err == nil && last < uint64(t.o.count) {
		err = fmt.Errorf("%w: %d of %d messages were acknowledged", errStalled, last, t.o.count)
	}
	if err != nil {
		return period{}, err
	}
	return m.end(last)
}

// empty serves until count copies have arrived or none comes any more.
func (t *traffic) empty(ctx context.Context, m *meter) (period, error) {
	t.lastArrival = t.l.clock()
	err := t.l.run(ctx, t, func() bool {
		return t.arrived == uint64(t.o.count)*t.copies || t.l.now-t.lastArrival > int64(t.o.patience)
	})
	if err != nil {
		return period{}, err
	}
	return m.end(t.arrived)
}

// runDrain fills the queues of clients that are away, and lets them come back.
func runDrain(ctx context.Context, o *options) (*report, error) {
	o = o.atLeastOnce()
	o.durable = true
	l, err := newLoop()
	if err != nil {
		return nil, err
	}
	defer l.close()
	t := newTraffic(l, o, o.shape("fan-in"))
	t.share(o.count)
	if err := t.depart(ctx); err != nil {
		return nil, err
	}
	if err := t.connectPublishers(ctx); err != nil {
		return nil, err
	}
	in, err := t.fill(ctx)
	if err != nil {
		return nil, err
	}
	var plans []plan
	for _, s := range t.subs {
		plans = append(plans, plan{name: s.name, hello: o.hello(s.name, true), h: s, ready: s.begin})
	}
	m := &meter{l: l, pids: o.pids}
	if err := m.begin(t.arrived); err != nil {
		return nil, err
	}
	if err := connectAll(ctx, l, o, plans); err != nil {
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
	r.add("load", in.rate(), "acknowledged per second")
	r.add("load CPU", in.perUnit(), "µs per message")
	return r, t.forget(ctx)
}

// leaver subscribes and goes. Owned by its loop.
type leaver struct {
	silent
	left *int
}

// ended implements handler.
func (x leaver) ended(*conn, error) error {
	*x.left++
	return nil
}

// depart begins the subscribers' sessions and leaves them.
func (t *traffic) depart(ctx context.Context) error {
	var conns []*conn
	var plans []plan
	left := 0
	for i, s := range t.subs {
		plans = append(plans, plan{name: s.name, hello: t.o.hello(s.name, true), subscribe: t.o.subscription(t.filter(i)),
			h: leaver{silent{s.name}, &left}, ready: func(c *conn, _ *packet.Connack) { conns = append(conns, c) }})
	}
	if err := connectAll(ctx, t.l, t.o, plans); err != nil {
		return err
	}
	for _, c := range conns {
		if err := t.l.send(c, goodbye); err != nil {
			return err
		}
	}
	// The broker closes the connection once it has read the DISCONNECT.
	end := t.l.clock() + int64(t.o.patience)
	return t.l.run(ctx, quiet{}, func() bool { return left == len(conns) || t.l.now > end })
}
