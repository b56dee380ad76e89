package main

import (
	"context"
	"fmt"
	"math"
	"net"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// plan is one connection to be made: what is sent, and who has it afterwards.
type plan struct {
	name      string // client identifier, for errors
	hello     []byte
	subscribe []byte // sent once the broker has accepted; nil = nothing
	h         handler
	ready     func(c *conn, a *packet.Connack) // may be nil; before h is called
}

// dialer makes connections, some at a time. Owned by its loop.
type dialer struct {
	l       *loop
	o       *options
	plans   []plan
	next    int // of plans
	open    int // being made
	done    int
	last    int64 // time of the last progress
	sources int   // dialled so far, to take turns
}

// connectAll makes all connections and returns when each is ready.
func connectAll(ctx context.Context, l *loop, o *options, plans []plan) error {
	d := &dialer{l: l, o: o, plans: plans, last: l.clock()}
	return l.run(ctx, d, func() bool { return d.done == len(plans) })
}

// tick implements ticker.
func (d *dialer) tick(now int64) (int64, error) {
	for d.next < len(d.plans) && d.open < d.o.concurrency {
		p := &d.plans[d.next]
		if err := d.dial(&greeting{d: d, plan: p}, p.hello); err != nil {
			return 0, err
		}
		d.next++
		d.open++
	}
	if d.open > 0 && now-d.last > int64(d.o.patience) {
		return 0, fmt.Errorf("bench: %d of %d connections were made, the rest is not answered", d.done, len(d.plans))
	}
	return math.MaxInt64, nil
}

// dial begins one connection.
func (d *dialer) dial(h handler, hello []byte) error {
	var from net.IP
	if d.o.sources > 1 {
		from = net.IPv4(127, 0, 0, byte(1+d.sources%d.o.sources))
	}
	fd, err := dialSocket(d.o.targets[d.sources%len(d.o.targets)], from)
	if err != nil {
		return err
	}
	d.sources++
	_, err = d.l.add(fd, h, append([]byte(nil), hello...))
	return err
}

// greeting takes a connection to the point where it is ready.
type greeting struct {
	d        *dialer
	plan     *plan
	accepted *packet.Connack
}

// bytes implements handler.
func (g *greeting) bytes(c *conn, p []byte) (int, error) {
	dec := packet.Decoder{Version: g.d.o.version}
	pkt, n, err := dec.Decode(p)
	if n == 0 || err != nil {
		return 0, err
	}
	switch k := pkt.(type) {
	case *packet.Connack:
		if k.Code >= 0x80 {
			return 0, fmt.Errorf("bench: %s was refused: %v", g.plan.name, k.Code)
		}
		g.accepted = k
		if g.plan.subscribe != nil {
			return n, g.d.l.send(c, g.plan.subscribe)
		}
	case *packet.Suback:
		for _, code := range k.Codes {
			if code >= 0x80 {
				return 0, fmt.Errorf("bench: a subscription of %s was refused: %v", g.plan.name, code)
			}
		}
	case *packet.Publish: // may come before the SUBACK
		return g.plan.h.bytes(c, p[:n])
	default:
		return 0, fmt.Errorf("bench: %s was sent a %v before the subscription was granted", g.plan.name, pkt.Type())
	}
	g.d.open--
	g.d.done++
	g.d.last = g.d.l.now
	c.h = g.plan.h
	if g.plan.ready != nil {
		g.plan.ready(c, g.accepted)
	}
	if n == len(p) {
		return n, nil
	}
	used, err := c.h.bytes(c, p[n:])
	return n + used, err
}

// ended implements handler.
func (g *greeting) ended(_ *conn, err error) error {
	return fmt.Errorf("bench: %s was not let in: %w", g.plan.name, err)
}

// errEnded is what a handler says when the broker closed a connection that was
// to stay.
func errEnded(name string, err error) error {
	return fmt.Errorf("bench: the broker ended the connection of %s: %w", name, err)
}

// silent is the handler of a connection that nothing is expected from.
type silent struct{ name string }

// bytes implements handler.
func (s silent) bytes(_ *conn, p []byte) (int, error) { return len(p), nil }

// ended implements handler.
func (s silent) ended(_ *conn, err error) error { return errEnded(s.name, err) }

// hello encodes a CONNECT. A durable session is kept for an hour in 5.0.
func (o *options) hello(id string, durable bool) []byte {
	c := packet.Connect{Version: o.version, ClientID: id, CleanStart: !durable}
	if durable && o.version >= mqtt.V5 {
		c.SessionExpiry, c.HasSessionExpiry = 3600, true
	}
	return c.Append(nil, o.version)
}

// subscription encodes a SUBSCRIBE.
func (o *options) subscription(filters ...string) []byte {
	s := packet.Subscribe{PacketID: 1}
	for _, f := range filters {
		s.Topics = append(s.Topics, packet.TopicFilter{Filter: f, QoS: o.qos})
	}
	return s.Append(nil, o.version)
}
