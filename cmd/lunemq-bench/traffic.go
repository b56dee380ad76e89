package main

import (
	"context"
	"fmt"
	"math"

	"github.com/lunemq/lunemq/broker/packet"
)

// topology says who publishes to whom.
type topology struct {
	publishers, subscribers int
	topic                   func(publisher int) string
	filter                  func(subscriber int) string
	group                   func(i int) int // of a relay: publisher i writes to the subscribers of the same number
	copies                  uint64          // subscribers that each message goes to
	retain                  bool
	shared                  bool // one of the subscribers gets it
}

// traffic is messages on their way from publishers to subscribers through a
// broker: the scenarios pair, fan-in, fan-out and shared, and what others need
// beside them. Owned by its loop.
type traffic struct {
	topology
	o        *options
	l        *loop
	pubs     []*publisher
	subs     []*subscriber
	seen     []tracker // by subscriber and publisher; shared: by publisher
	acksOnly bool      // windows count acknowledgements only: nobody receives yet
	scratch  []byte
	due      []*publisher // whose window may have opened

	stopped   bool  // nothing more is sent
	began     int64 // of the open loop
	scheduled uint64
	checked   int64 // time of the last look for stalled windows

	lat         histogram
	observed    histogram // of the time measured
	arrived     uint64    // copies, duplicates not counted
	alien       uint64    // messages of others
	refused     uint64
	lastArrival int64
}

func newTraffic(l *loop, o *options, t topology) *traffic {
	x := &traffic{topology: t, o: o, l: l}
	for i := range t.publishers {
		x.pubs = append(x.pubs, &publisher{t: x, index: i, name: fmt.Sprintf("%s-p%d", o.prefix, i), window: uint64(o.window),
			limit: math.MaxUint64, tmpl: newTemplate(t.topic(i), o.qos, t.retain, o.size, o.version)})
	}
	for i := range t.subscribers {
		x.subs = append(x.subs, &subscriber{t: x, index: i, name: fmt.Sprintf("%s-s%d", o.prefix, i)})
	}
	n := t.publishers
	if !t.shared {
		n *= t.subscribers
	}
	x.seen = make([]tracker, n)
	return x
}

// connect makes the connections, subscribers first.
func (t *traffic) connect(ctx context.Context) error {
	var plans []plan
	for i, s := range t.subs {
		p := plan{name: s.name, hello: t.greet(s.name, roleSubscriber, i), h: s, ready: s.begin}
		if !t.o.bare {
			p.subscribe = t.o.subscription(t.filter(i))
		}
		plans = append(plans, p)
	}
	if err := connectAll(ctx, t.l, t.o, plans); err != nil {
		return err
	}
	return t.connectPublishers(ctx)
}

func (t *traffic) connectPublishers(ctx context.Context) error {
	plans := make([]plan, len(t.pubs))
	for i, p := range t.pubs {
		plans[i] = plan{name: p.name, hello: t.greet(p.name, rolePublisher, i), h: p, ready: p.begin}
	}
	return connectAll(ctx, t.l, t.o, plans)
}

// greet encodes what a connection begins with.
func (t *traffic) greet(name string, role byte, i int) []byte {
	if t.o.bare {
		unit := 1
		if role == rolePublisher {
			unit = len(t.pubs[i].tmpl.bytes)
		}
		return relayHello(role, t.group(i), unit)
	}
	return t.o.hello(name, role == roleSubscriber && t.o.durable)
}

// begin takes over a connection; the broker may allow less than the window.
func (p *publisher) begin(c *conn, a *packet.Connack) {
	p.c = c
	if a.ReceiveMaximum > 0 && p.tmpl.id > 0 {
		p.window = min(p.window, uint64(a.ReceiveMaximum))
	}
}

// begin takes over a connection.
func (s *subscriber) begin(c *conn, _ *packet.Connack) { s.c = c }

// forget ends the subscribers' durable sessions: each connects once more
// without one.
func (t *traffic) forget(ctx context.Context) error {
	plans := make([]plan, len(t.subs))
	for i, s := range t.subs {
		t.l.drop(s.c)
		plans[i] = plan{name: s.name, hello: t.o.hello(s.name, false), h: silent{s.name}}
	}
	if err := connectAll(ctx, t.l, t.o, plans); err != nil {
		return fmt.Errorf("%w (while sessions were ended)", err)
	}
	return nil
}

// arrive counts one copy of a message.
func (t *traffic) arrive(subscriber int, payload []byte, now int64) {
	if len(payload) < stampSize {
		t.alien++
		return
	}
	s := readStamp(payload)
	if int(s.sender) >= len(t.pubs) || s.number >= t.pubs[s.sender].sent {
		t.alien++
		return
	}
	i := int(s.sender)
	if !t.shared {
		i += subscriber * len(t.pubs)
	}
	if !t.seen[i].take(s.number) {
		return
	}
	t.lat.record(now - s.at)
	t.arrived++
	t.lastArrival = now
	p := t.pubs[s.sender]
	p.arrived++
	p.progress()
}

// stallTime is how long a window may stand still at QoS 0 before what is
// under way counts as lost and makes room.
const stallTime = 250e6

// settleLook is how often one looks whether all has arrived.
const settleLook = 10e6

// tick implements ticker: it sends what is due.
func (t *traffic) tick(now int64) (int64, error) {
	if t.stopped {
		t.due = t.clear()
		return now + settleLook, nil
	}
	if t.o.rate > 0 {
		t.due = t.clear()
		return t.schedule(now)
	}
	for _, p := range t.due {
		p.due = false
		if err := p.pump(); err != nil {
			return 0, err
		}
	}
	t.due = t.due[:0]
	if now-t.checked > stallTime/4 {
		t.checked = now
		return now, t.forgive(now)
	}
	return now + stallTime/4, nil
}

func (t *traffic) clear() []*publisher {
	for _, p := range t.due {
		p.due = false
	}
	return t.due[:0]
}

// forgive reopens windows that losses have closed.
func (t *traffic) forgive(now int64) error {
	for _, p := range t.pubs {
		if p.tmpl.id > 0 || p.room() > 0 || now-p.moved < stallTime {
			continue
		}
		p.forgiven += p.window
		if err := p.pump(); err != nil {
			return err
		}
	}
	return nil
}

// schedule sends the messages whose time has come. Message j of all is sent by
// publisher j mod n at j intervals of rate*n after the beginning, whether or
// not the broker keeps up, and carries that time: a delay of the generator
// counts as latency.
func (t *traffic) schedule(now int64) (int64, error) {
	n := uint64(len(t.pubs))
	interval := 1e9 / (t.o.rate * float64(n))
	for {
		at := t.began + int64(float64(t.scheduled)*interval)
		if at > now {
			return at, nil
		}
		p := t.pubs[t.scheduled%n]
		t.scheduled++
		t.scratch = p.emit(t.scratch[:0], at)
		if err := t.l.send(p.c, t.scratch); err != nil {
			return 0, err
		}
	}
}

// start opens the windows, or begins the schedule.
func (t *traffic) start() {
	t.began, t.scheduled = t.l.clock(), 0
	t.stopped = false
	for _, p := range t.pubs {
		p.progress()
	}
}
