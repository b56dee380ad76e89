package main

import (
	"context"
	"fmt"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// undecided subscribes to filters and unsubscribes from them in turns. Owned
// by its loop.
type undecided struct {
	l        *loop
	name     string
	version  mqtt.Version
	c        *conn
	requests [][]byte // encoded, a SUBSCRIBE and its UNSUBSCRIBE in turns
	next     int
	under    int
	window   int
	done     *uint64
}

// undecidedFilters is how many filters one connection goes through.
const undecidedFilters = 100

func newUndecided(l *loop, o *options, i int, done *uint64) *undecided {
	u := &undecided{l: l, name: fmt.Sprintf("%s-u%d", o.prefix, i), version: o.version, window: o.window, done: done}
	for k := range undecidedFilters {
		filter := fmt.Sprintf("%s/u/%d/%d", o.prefix, i, k)
		u.requests = append(u.requests, o.subscription(filter), (&packet.Unsubscribe{PacketID: 2, Filters: []string{filter}}).Append(nil, o.version))
	}
	return u
}

// pump sends what the window allows.
func (u *undecided) pump() error {
	var buf []byte
	for ; u.under < u.window; u.under++ {
		buf = append(buf, u.requests[u.next%len(u.requests)]...)
		u.next++
	}
	return u.l.send(u.c, buf)
}

// bytes implements handler.
func (u *undecided) bytes(_ *conn, p []byte) (int, error) {
	used := 0
	for {
		head, body, n, err := cut(p[used:])
		if err != nil {
			return used, err
		}
		if n == 0 {
			return used, u.pump()
		}
		used += n
		if head != headSuback && head != headUnsuback || head == headSuback && body[len(body)-1] >= 0x80 {
			return used, fmt.Errorf("bench: %s was answered % x", u.name, p[used-n:used])
		}
		u.under--
		*u.done++
	}
}

// ended implements handler.
func (u *undecided) ended(_ *conn, err error) error { return errEnded(u.name, err) }

// runSubscribe measures traffic alone, then with subscriptions that come and
// go beside it; what is more is theirs.
func runSubscribe(ctx context.Context, o *options) (*report, error) {
	l, err := newLoop()
	if err != nil {
		return nil, err
	}
	defer l.close()
	t := newTraffic(l, o, o.shape("pair"))
	if err := t.connect(ctx); err != nil {
		return nil, err
	}
	t.start()
	m := meter{l: l, pids: o.pids}
	if err := l.runFor(ctx, t, o.warmup); err != nil {
		return nil, err
	}
	if err := m.begin(t.arrived); err != nil {
		return nil, err
	}
	if err := l.runFor(ctx, t, o.duration); err != nil {
		return nil, err
	}
	alone, err := m.end(t.arrived)
	if err != nil {
		return nil, err
	}
	var done uint64
	both, err := t.beside(ctx, &done)
	if err != nil {
		return nil, err
	}
	r := &report{Latency: t.lat.latencies()}
	if err := t.settle(ctx); err != nil {
		return nil, err
	}
	r.traffic(t)
	if err := r.broker(o, both, "operation"); err != nil {
		return nil, err
	}
	share := float64(alone.used.cpu) * both.took.Seconds() / alone.took.Seconds()
	r.CPU = (float64(both.used.cpu) - share) / 1e3 / float64(max(done, 1))
	r.add("traffic alone", alone.perUnit(), "µs per message")
	return r, nil
}

// beside runs the subscriptions next to the traffic and returns their period.
func (t *traffic) beside(ctx context.Context, done *uint64) (period, error) {
	var plans []plan
	var us []*undecided
	for i := range t.o.subscribers {
		u := newUndecided(t.l, t.o, i, done)
		us = append(us, u)
		plans = append(plans, plan{name: u.name, hello: t.o.hello(u.name, false), h: u, ready: func(c *conn, _ *packet.Connack) { u.c = c }})
	}
	t.stopped = true
	if err := connectAll(ctx, t.l, t.o, plans); err != nil {
		return period{}, err
	}
	t.start()
	t.lat = histogram{}
	m := meter{l: t.l, pids: t.o.pids}
	if err := m.begin(*done); err != nil {
		return period{}, err
	}
	for _, u := range us {
		if err := u.pump(); err != nil {
			return period{}, err
		}
	}
	if err := t.l.runFor(ctx, t, t.o.duration); err != nil {
		return period{}, err
	}
	p, err := m.end(*done)
	for _, u := range us {
		u.window = 0
	}
	return p, err
}
