package main

import (
	"context"
	"fmt"
	"math"
	"time"
)

// quiet is a ticker with nothing to do.
type quiet struct{}

// tick implements ticker.
func (quiet) tick(int64) (int64, error) { return math.MaxInt64, nil }

// settleTime is given to the broker before its memory is read.
const settleTime = 500 * time.Millisecond

// runIdle makes connections with one subscription each and watches what they
// cost while nothing happens. With --count 0 it watches the bare broker.
func runIdle(ctx context.Context, o *options) (*report, error) {
	l, err := newLoop()
	if err != nil {
		return nil, err
	}
	defer l.close()
	before, err := resident(o.pids)
	if err != nil {
		return nil, err
	}
	plans := make([]plan, o.count)
	for i := range plans {
		name := fmt.Sprintf("%s-i%d", o.prefix, i)
		plans[i] = plan{name: name, h: silent{name}, hello: relayHello(roleSubscriber, i, 1)}
		if !o.bare {
			plans[i].hello = o.hello(name, o.durable)
			plans[i].subscribe = o.subscription(fmt.Sprintf("%s/i/%d", o.prefix, i))
		}
	}
	m := meter{l: l, pids: o.pids}
	if err := m.begin(0); err != nil {
		return nil, err
	}
	if err := connectAll(ctx, l, o, plans); err != nil {
		return nil, err
	}
	made, err := m.end(uint64(o.count))
	if err != nil {
		return nil, err
	}
	if err := l.runFor(ctx, quiet{}, settleTime); err != nil {
		return nil, err
	}
	if err := m.begin(0); err != nil {
		return nil, err
	}
	if err := l.runFor(ctx, quiet{}, o.duration); err != nil {
		return nil, err
	}
	p, err := m.end(0)
	if err != nil {
		return nil, err
	}
	r := &report{}
	if err := r.broker(o, made, "connection"); err != nil {
		return nil, err
	}
	if o.count > 0 {
		r.add("resident per connection", (float64(r.RSS)-float64(before))/1024/float64(o.count), "kB")
	}
	r.add("wake-ups", float64(p.used.switches)/p.took.Seconds(), "per second")
	r.add("idle CPU", float64(p.used.cpu)/1e6/p.took.Seconds(), "ms per second")
	return r, nil
}
