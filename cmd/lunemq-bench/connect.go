package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
)

// visitors connect and disconnect, some at a time. Owned by their loop.
type visitors struct {
	o       *options
	l       *loop
	d       *dialer
	free    []*visitor
	stopped bool
	done    uint64
	dialled uint64
	lat     histogram
}

// visitor is a place from which one connection after the other is made.
type visitor struct {
	v     *visitors
	name  string
	hello []byte
	own   int // offset of eight digits in hello that are different each time
	began int64
}

// goodbye is a DISCONNECT, the same in all versions.
var goodbye = []byte{headEnd, 0}

// runConnect measures connections that come and go.
func runConnect(ctx context.Context, o *options) (*report, error) {
	l, err := newLoop()
	if err != nil {
		return nil, err
	}
	defer l.close()
	v := &visitors{o: o, l: l, d: &dialer{l: l, o: o}}
	for i := range o.concurrency {
		x := &visitor{v: v, name: fmt.Sprintf("%s-c%d", o.prefix, i)}
		x.hello = relayHello(rolePublisher, i, 1)
		if !o.bare {
			x.hello = o.hello(x.name+"-00000000", o.durable)
			x.own = bytes.Index(x.hello, []byte("-00000000")) + 1
		}
		v.free = append(v.free, x)
	}
	if err := l.runFor(ctx, v, o.warmup); err != nil {
		return nil, err
	}
	v.lat = histogram{}
	m := meter{l: l, pids: o.pids}
	if err := m.begin(v.done); err != nil {
		return nil, err
	}
	if err := l.runFor(ctx, v, o.duration); err != nil {
		return nil, err
	}
	p, err := m.end(v.done)
	if err != nil {
		return nil, err
	}
	v.stopped = true
	if err := l.run(ctx, v, func() bool { return len(v.free) == o.concurrency }); err != nil {
		return nil, err
	}
	r := &report{Latency: v.lat.latencies()}
	return r, r.broker(o, p, "connection")
}

// tick implements ticker.
func (v *visitors) tick(now int64) (int64, error) {
	for !v.stopped && len(v.free) > 0 {
		x := v.free[len(v.free)-1]
		v.free = v.free[:len(v.free)-1]
		if x.own > 0 {
			putDigits(x.hello[x.own:], v.dialled)
		}
		v.dialled++
		x.began = v.l.clock()
		if err := v.d.dial(x, x.hello); err != nil {
			return 0, err
		}
	}
	return math.MaxInt64, nil
}

// bytes implements handler: the CONNACK is answered with a DISCONNECT.
func (x *visitor) bytes(c *conn, p []byte) (int, error) {
	head, body, n, err := cut(p)
	if n == 0 || err != nil {
		return 0, err
	}
	if head != headConnack || len(body) < 2 || body[1] != 0 {
		return 0, fmt.Errorf("bench: %s was refused: % x", x.name, p[:n])
	}
	x.v.lat.record(x.v.l.now - x.began)
	if err := x.v.l.send(c, goodbye); err != nil {
		return 0, err
	}
	x.v.l.drop(c)
	x.v.done++
	x.v.free = append(x.v.free, x)
	return n, nil
}

// ended implements handler.
func (x *visitor) ended(_ *conn, err error) error {
	return fmt.Errorf("bench: %s was not let in: %w", x.name, err)
}
