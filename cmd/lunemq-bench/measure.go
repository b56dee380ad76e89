package main

import (
	"context"
	"time"
)

// period is what was counted between two moments.
type period struct {
	took  time.Duration
	count uint64
	used  consumption
}

// meter takes the readings of a period.
type meter struct {
	l     *loop
	pids  []int
	since int64
	from  uint64
	used  consumption
}

// begin reads everything for the first time.
func (m *meter) begin(count uint64) (err error) {
	m.used, err = consumed(m.pids)
	m.since, m.from = m.l.clock(), count
	return err
}

// end returns what happened since begin.
func (m *meter) end(count uint64) (period, error) {
	p := period{took: time.Duration(m.l.clock() - m.since), count: count - m.from}
	now, err := consumed(m.pids)
	p.used = consumption{cpu: now.cpu - m.used.cpu, switches: now.switches - m.used.switches}
	return p, err
}

// perUnit returns microseconds of CPU for each thing counted.
func (p period) perUnit() float64 {
	if p.count == 0 {
		return 0
	}
	return float64(p.used.cpu) / 1e3 / float64(p.count)
}

// rate returns things counted per second.
func (p period) rate() float64 { return float64(p.count) / p.took.Seconds() }

// runFor serves for a time.
func (l *loop) runFor(ctx context.Context, t ticker, d time.Duration) error {
	end := l.clock() + int64(d)
	return l.run(ctx, until{t, end}, func() bool { return l.now >= end })
}

// until is a ticker that is woken at a time at the latest.
type until struct {
	ticker
	end int64
}

// tick implements ticker.
func (u until) tick(now int64) (int64, error) {
	next, err := u.ticker.tick(now)
	return min(next, u.end), err
}

// observe runs warm-up and measurement.
func (t *traffic) observe(ctx context.Context) (period, error) {
	t.start()
	if err := t.l.runFor(ctx, t, t.o.warmup); err != nil {
		return period{}, err
	}
	m := meter{l: t.l, pids: t.o.pids}
	t.lat = histogram{}
	if err := m.begin(t.arrived); err != nil {
		return period{}, err
	}
	if err := t.l.runFor(ctx, t, t.o.duration); err != nil {
		return period{}, err
	}
	t.observed = t.lat
	return m.end(t.arrived)
}

// measure runs warm-up, measurement and the wait for what is under way, and
// reports.
func (t *traffic) measure(ctx context.Context) (*report, error) {
	p, err := t.observe(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.settle(ctx); err != nil {
		return nil, err
	}
	r := &report{Latency: t.observed.latencies()}
	r.traffic(t)
	return r, r.broker(t.o, p, "message")
}

// settle sends nothing more and waits for what is under way.
func (t *traffic) settle(ctx context.Context) error {
	t.stopped = true
	t.lastArrival = max(t.lastArrival, t.l.clock())
	return t.l.run(ctx, t, func() bool {
		return t.missing() == 0 || t.l.now-t.lastArrival > int64(t.o.patience)
	})
}

// missing returns the copies that have not arrived and the acknowledgements
// that publishers wait for.
func (t *traffic) missing() uint64 {
	var n uint64
	for _, p := range t.pubs {
		n += p.sent*t.copies - p.arrived
		if p.tmpl.id > 0 {
			n += p.sent - p.acked
		}
	}
	return n
}

// runTraffic is a scenario of traffic only.
func runTraffic(ctx context.Context, o *options, shape topology) (*report, error) {
	l, err := newLoop()
	if err != nil {
		return nil, err
	}
	defer l.close()
	t := newTraffic(l, o, shape)
	if err := t.connect(ctx); err != nil {
		return nil, err
	}
	r, err := t.measure(ctx)
	if err != nil {
		return nil, err
	}
	if o.durable {
		err = t.forget(ctx)
	}
	return r, err
}
