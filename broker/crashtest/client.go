package crashtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// link is one network connection of a client; its end ends run.
type link struct {
	nc  net.Conn
	dec packet.Decoder
	in  []byte
	out []byte
}

// open connects a durable 5.0 session; ok = false when the broker is gone.
func open(ctx context.Context, addr, id string) (l *link, present, ok bool) {
	nc, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, false, false
	}
	context.AfterFunc(ctx, func() { _ = nc.Close() })
	l = &link{nc: nc, dec: packet.Decoder{Version: mqtt.V5}}
	l.send(&packet.Connect{Version: mqtt.V5, ClientID: id, SessionExpiry: 0xFFFFFFFF, HasSessionExpiry: true, KeepAlive: 60})
	ack, isAck := l.next().(*packet.Connack)
	return l, isAck && ack.SessionPresent, isAck && ack.Code == mqtt.Success
}

// send writes packets; errors show at the next read.
func (l *link) send(ps ...packet.Packet) {
	l.out = l.out[:0]
	for _, p := range ps {
		l.out = p.Append(l.out, mqtt.V5)
	}
	_, _ = l.nc.Write(l.out)
}

// end gives up the connection, what is on its way included.
func (l *link) end() { _ = l.nc.Close() }

// next returns the next packet, nil at the end of the connection. It is valid
// until the next call.
func (l *link) next() packet.Packet {
	for buf := make([]byte, 8192); ; {
		p, n, err := l.dec.Decode(l.in)
		if err != nil {
			return nil
		}
		if n > 0 {
			if pub, ok := p.(*packet.Publish); ok {
				q := *pub
				q.Payload = append([]byte(nil), pub.Payload...)
				q.Topic = ""
				p = &q
			}
			l.in = append(l.in[:0], l.in[n:]...)
			return p
		}
		k, err := l.nc.Read(buf)
		if err != nil {
			return nil
		}
		l.in = append(l.in, buf[:k]...)
	}
}

// publisher sends numbered messages and repeats, after a reconnect, what was
// not acknowledged, as the standard demands.
type publisher struct {
	index   int
	check   *Checker
	waitFor []*subscriber // that must have subscribed before the first message
	seq     [3]int
	flight  []*message // in order
	id      uint16
	chance  *rand.Rand
	odds    int // see Plan.CutOdds
}

// message is one that is not completed.
type message struct {
	id       uint16
	q        mqtt.QoS
	seq      int
	released bool // PUBREC was received
}

// window is how many messages a publisher has on their way.
const window = 20

func newPublisher(i int, c *Checker, seed uint64, odds int) *publisher {
	return &publisher{index: i, check: c, odds: odds, chance: rand.New(rand.NewPCG(seed, uint64(i)))}
}

func (p *publisher) packet(m *message, dup bool) packet.Packet {
	if m.released {
		return &packet.Pubrel{Ack: packet.Ack{PacketID: m.id}}
	}
	return &packet.Publish{Topic: "crash/" + fmt.Sprint(p.index), QoS: m.q, PacketID: m.id, Dup: dup, Payload: fmt.Appendf(nil, "%d %d %d", p.index, m.q, m.seq)}
}

// run publishes through one life of the broker.
func (p *publisher) run(ctx context.Context, addr string, last bool) {
	for p.connection(ctx, addr, last) {
	}
}

// connection publishes until the connection ends and says whether to come back
// at once; in the last life it only completes what was begun.
func (p *publisher) connection(ctx context.Context, addr string, last bool) (again bool) {
	for _, s := range p.waitFor {
		select {
		case <-s.subscribed():
		case <-ctx.Done():
			return false
		}
	}
	l, present, ok := open(ctx, addr, fmt.Sprint("publisher", p.index))
	if !ok {
		return false
	}
	defer l.end()
	if !present && len(p.flight) > 0 { // the session is durable
		p.check.fault("publisher %d: its session is gone", p.index)
	}
	for _, m := range p.flight {
		p.check.SentAgain(p.index, m.q, m.seq)
		l.send(p.packet(m, true))
	}
	for {
		for !last && len(p.flight) < window {
			l.send(p.packet(p.fresh(), false))
		}
		if !last && p.chance.IntN(p.odds) == 0 {
			l.end()
			return p.chance.IntN(2) == 0
		}
		if last && len(p.flight) == 0 {
			return false
		}
		switch a := l.next().(type) {
		case nil:
			return false
		case *packet.Puback:
			p.done(a.PacketID, a.Code, true)
		case *packet.Pubrec:
			if m := p.done(a.PacketID, a.Code, false); m != nil {
				l.send(p.packet(m, false))
			}
		case *packet.Pubcomp:
			p.complete(a.PacketID)
		}
	}
}

// fresh makes the next message.
func (p *publisher) fresh() *message {
	q := mqtt.QoS(1 + (p.seq[1]+p.seq[2])%2)
	p.seq[q]++
	for used := true; used; {
		p.id++
		used = p.id == 0
		for _, m := range p.flight {
			used = used || m.id == p.id
		}
	}
	m := &message{id: p.id, q: q, seq: p.seq[q]}
	p.flight = append(p.flight, m)
	p.check.Sent(p.index, q, m.seq)
	return m
}

// done takes a PUBACK or PUBREC.
func (p *publisher) done(id uint16, code mqtt.ReasonCode, final bool) *message {
	for _, m := range p.flight {
		if m.id != id {
			continue
		}
		if code.IsError() {
			p.check.fault("publisher %d: %v", p.index, code)
		} else {
			p.check.Acked(p.index, m.q, m.seq)
		}
		m.released = !final
		if final || code.IsError() {
			p.complete(id)
		}
		return m
	}
	return nil
}

func (p *publisher) complete(id uint16) {
	for i, m := range p.flight {
		if m.id == id {
			p.flight = append(p.flight[:i:i], p.flight[i+1:]...)
			return
		}
	}
}

// subscriber is a durable session that takes everything.
type subscriber struct {
	index   int
	check   *Checker
	inbound map[uint16]bool // QoS 2 identifiers given on and not released
	ready   readiness
	chance  *rand.Rand
	odds    int // see Plan.CutOdds
}

func (s *subscriber) subscribed() <-chan struct{} { return s.ready.done() }

// run takes what comes until the connection ends and says whether to come back
// at once.
func (s *subscriber) run(ctx context.Context, addr string, last bool) (again bool) {
	l, present, ok := open(ctx, addr, fmt.Sprint("subscriber", s.index))
	if !ok {
		return false
	}
	defer l.end()
	switch {
	case !present && s.ready.is():
		s.check.fault("subscriber %d: its session is gone", s.index)
		return false
	case !s.ready.is():
		l.send(&packet.Subscribe{PacketID: 1, Topics: []packet.TopicFilter{{Filter: "crash/+", QoS: mqtt.ExactlyOnce}}})
	}
	for {
		switch p := l.next().(type) {
		case nil:
			return false
		case *packet.Suback:
			s.ready.set()
		case *packet.Publish:
			s.take(l, p, last)
			if !last && s.chance.IntN(s.odds) == 0 {
				return s.chance.IntN(2) == 0
			}
		case *packet.Pubrel:
			delete(s.inbound, p.PacketID)
			l.send(&packet.Pubcomp{Ack: packet.Ack{PacketID: p.PacketID}})
		}
	}
}

// take gives a message on, a QoS 2 message once, and acknowledges it.
func (s *subscriber) take(l *link, p *packet.Publish, last bool) {
	var publisher, seq int
	var q mqtt.QoS
	if _, err := fmt.Sscan(string(p.Payload), &publisher, &q, &seq); err != nil {
		s.check.fault("subscriber %d: payload %q", s.index, p.Payload)
	}
	if !s.inbound[p.PacketID] || p.QoS == mqtt.AtLeastOnce {
		s.check.Got(s.index, publisher, q, seq)
	}
	if p.QoS == mqtt.AtLeastOnce {
		s.check.Under(s.index, publisher, seq, p.PacketID, p.Dup)
	}
	if p.QoS == mqtt.ExactlyOnce {
		s.inbound[p.PacketID] = true
		if !last && s.chance.IntN(s.odds) == 0 { // the answer is lost with the connection
			l.end()
			return
		}
		l.send(&packet.Pubrec{Ack: packet.Ack{PacketID: p.PacketID}})
		return
	}
	l.send(&packet.Puback{Ack: packet.Ack{PacketID: p.PacketID}})
}
