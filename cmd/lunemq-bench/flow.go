package main

import (
	"fmt"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// publisher sends stamped messages to one topic. Owned by its loop.
type publisher struct {
	t     *traffic
	index int
	name  string
	c     *conn
	tmpl  template
	// sent and acked count messages, arrived copies of them at subscribers.
	sent, acked, arrived uint64
	forgiven             uint64                     // given up by the window as lost
	moved                int64                      // time of the last progress
	window, limit        uint64                     // of messages under way, and of all
	pick                 func(number uint64) uint64 // number in the topic of a message; nil = none
	lastID               uint16
	due                  bool // in t.due
}

// room returns how many messages the window allows.
func (p *publisher) room() uint64 {
	finished := p.arrived / p.t.copies
	if p.tmpl.id > 0 && (p.acked < finished || p.t.acksOnly) {
		finished = p.acked
	}
	if under := p.sent - min(finished+p.forgiven, p.sent); under < p.window {
		return min(p.window-under, p.limit-p.sent)
	}
	return 0
}

// emit appends one message that was to be sent at a time.
func (p *publisher) emit(dst []byte, at int64) []byte {
	if p.tmpl.id > 0 {
		if p.lastID++; p.lastID == 0 {
			p.lastID = 1
		}
	}
	begin := len(dst)
	dst = p.tmpl.append(dst, stamp{at, uint32(p.index), p.sent}, p.lastID)
	if p.pick != nil {
		p.tmpl.number(dst[begin:], p.pick(p.sent))
	}
	p.sent++
	return dst
}

// pump sends what the window allows.
func (p *publisher) pump() error {
	n := p.room()
	if n == 0 {
		return nil
	}
	now := p.t.l.clock()
	buf := p.t.scratch[:0]
	for range n {
		buf = p.emit(buf, now)
		if p.t.o.single {
			if err := p.t.l.send(p.c, buf); err != nil {
				return err
			}
			now, buf = p.t.l.clock(), buf[:0]
		}
	}
	p.t.scratch = buf
	if len(buf) == 0 {
		return nil
	}
	return p.t.l.send(p.c, buf)
}

// progress notes that the window may have opened.
func (p *publisher) progress() {
	p.moved = p.t.l.now
	if !p.due {
		p.due = true
		p.t.due = append(p.t.due, p)
	}
}

// bytes implements handler: acknowledgements.
func (p *publisher) bytes(c *conn, in []byte) (int, error) {
	used := 0
	for {
		head, body, n, err := cut(in[used:])
		if n == 0 || err != nil {
			return used, err
		}
		used += n
		switch head {
		case headPuback, headPubcomp:
			if _, code := parseAck(body); code >= 0x80 {
				p.t.refused++
			}
			p.acked++
			p.progress()
		case headPubrec:
			id, code := parseAck(body)
			if code >= 0x80 {
				p.t.refused++
				p.acked++
				continue
			}
			c.out = appendAck(c.out, headPubrel, id)
		case headEnd:
			return used, fmt.Errorf("bench: the broker sent %s a DISCONNECT: % x", p.name, body)
		}
	}
}

// ended implements handler.
func (p *publisher) ended(_ *conn, err error) error { return errEnded(p.name, err) }

// subscriber receives what publishers send. Owned by its loop.
type subscriber struct {
	t     *traffic
	index int
	name  string
	c     *conn
}

// bytes implements handler.
func (s *subscriber) bytes(c *conn, in []byte) (int, error) {
	used, now := 0, s.t.l.now
	for {
		head, body, n, err := cut(in[used:])
		if n == 0 || err != nil {
			return used, err
		}
		used += n
		switch head & 0xF0 {
		case headPublish:
			d, err := parseDelivery(head, body, s.t.o.version)
			if err != nil {
				return used, err
			}
			switch d.qos {
			case mqtt.AtLeastOnce:
				c.out = appendAck(c.out, headPuback, d.id)
			case mqtt.ExactlyOnce:
				c.out = appendAck(c.out, headPubrec, d.id)
			}
			s.t.arrive(s.index, d.payload, now)
		case headPubrel & 0xF0:
			id, _ := parseAck(body)
			c.out = appendAck(c.out, headPubcomp, id)
		case headEnd:
			return used, fmt.Errorf("bench: the broker sent %s a DISCONNECT: % x", s.name, body)
		}
	}
}

// ended implements handler.
func (s *subscriber) ended(_ *conn, err error) error { return errEnded(s.name, err) }
