package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// runPairs is the scenario pair: the pairs are independent of each other, so
// several threads may have a part of them each.
func runPairs(ctx context.Context, o *options) (*report, error) {
	n := min(o.threads, o.pairs)
	if n == 1 {
		return runTraffic(ctx, o, o.shape("pair"))
	}
	parts := make([]*part, n)
	for i := range parts {
		p, err := newPart(ctx, o, i, n)
		if err != nil {
			return nil, err
		}
		defer p.l.close()
		parts[i] = p
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, p := range parts {
		wg.Go(func() {
			if err := p.run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return joined(ctx, o, parts)
}

// part is the traffic of one thread. Owned by its goroutine until that ends.
type part struct {
	*traffic
	p period
}

// newPart connects the i-th of n parts. The first reads the broker's figures.
func newPart(ctx context.Context, o *options, i, n int) (*part, error) {
	own := *o
	own.pairs = o.pairs*(i+1)/n - o.pairs*i/n
	own.prefix = fmt.Sprintf("%s%c", o.prefix, 'a'+i%26)
	if i > 0 {
		own.pids = nil
	}
	l, err := newLoop()
	if err != nil {
		return nil, err
	}
	shape := own.shape("pair")
	first := o.pairs * i / n
	shape.group = func(k int) int { return first + k }
	p := &part{traffic: newTraffic(l, &own, shape)}
	if err := p.connect(ctx); err != nil {
		l.close()
		return nil, err
	}
	return p, nil
}

func (p *part) run(ctx context.Context) (err error) {
	if p.p, err = p.observe(ctx); err != nil {
		return err
	}
	return p.settle(ctx)
}

// joined makes one report of all parts.
func joined(ctx context.Context, o *options, parts []*part) (*report, error) {
	r, lat, all := &report{}, &histogram{}, parts[0].p
	all.count = 0
	var errs []error
	for _, p := range parts {
		lat.add(&p.observed)
		r.traffic(p.traffic)
		all.count += p.p.count
		if o.durable {
			errs = append(errs, p.forget(ctx))
		}
	}
	r.Latency = lat.latencies()
	return r, errors.Join(append(errs, r.broker(o, all, "message"))...)
}
