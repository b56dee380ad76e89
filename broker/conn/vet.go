package conn

import (
	"context"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/session"
)

// vets reports whether on_deliver is asked about each message for the client.
func (c *Conn) vets() bool { return c.door.Chain().HasOnDeliver() }

// thenVet returns what is to be done after first, which may be nil: on_deliver
// is asked about what waits for it, unless somebody does so already. With aside,
// and when a plugin may wait, that is done by another goroutine: at most one per
// connection, so that order is kept and nobody else waits. Called with the lock
// held; what it returns is called without.
func (c *Conn) thenVet(first func(), aside bool) func() {
	if c.vetting || c.ended {
		return first
	}
	if _, c.vetting = c.m.Question(); !c.vetting {
		return first
	}
	most := max(vetPage, waiting(c.client.Load()))
	return func() {
		if first != nil {
			first()
		}
		if aside {
			c.aside(c.vetAside)
			return
		}
		c.vet(most, false)
	}
}

// flushAside is Flush for callers that others wait for, such as the store.
func (c *Conn) flushAside(now time.Time) (after func()) { return c.thenVet(c.flush(now), true) }

// flushSelfAside is flushAside with the lock taken and what is left to do done.
func (c *Conn) flushSelfAside(now time.Time) {
	cl := c.lock()
	after := c.flushAside(now)
	c.unlock(cl)
	if after != nil {
		after()
	}
}

// vetPage is how many messages are vetted between two writes to the socket.
const vetPage = 32

func (c *Conn) vetAside() { c.vet(0, true) }

// vet asks on_deliver about one message after the other, as long as one may be
// sent, and sends what it lets through. No lock is held while plugins are asked.
// Unless it runs aside, it goes there after most messages, or when a plugin may
// wait.
func (c *Conn) vet(most int, aside bool) {
	d := hook.Deliver{Client: c.info}
	for n := 1; ; n++ {
		q, ok := c.question()
		if !ok {
			return
		}
		it, chain := &q.Item, c.door.Chain()
		blocks := chain.BlocksDeliver(len(it.Message.Payload))
		if !aside && (blocks || n > most) {
			c.flushSelf(time.Now()) // what was let through does not wait for the next answer
			c.aside(c.vetAside)
			return
		}
		d.Message, d.QoS, d.Retain = it.Message, it.Delivery.QoS, it.Delivery.Retain
		v, r := chain.OnDeliver(context.Background(), &d)
		a := session.Answer{Drop: v.Decision == hook.Deny}
		if !a.Drop && r != nil {
			a.Drop = c.validTopic(r.Topic) != nil
			a.Message = rewritten(it.Message, r)
		}
		c.vetted(q, a, blocks || n%vetPage == 0)
	}
}

// question returns what is to be asked next. If there is nothing, what was let
// through is written, and vet has come to its end unless that made room.
func (c *Conn) question() (q session.Question, ok bool) {
	for {
		cl := c.lock()
		if !c.ended {
			if q, ok = c.m.Question(); ok {
				c.unlock(cl)
				return q, true
			}
		}
		after := c.flush(time.Now())
		if !c.ended {
			_, ok = c.m.Question()
		}
		c.vetting = ok
		c.unlock(cl)
		if after != nil {
			after()
		}
		if !ok {
			return q, false
		}
	}
}

// vetted gives an answer to the machine, unless the connection has ended: then
// the message waits for the next one, or was dropped with the session.
func (c *Conn) vetted(q session.Question, a session.Answer, write bool) {
	now := time.Now()
	var after func()
	cl := c.lock()
	if !c.ended {
		c.lend()
		c.m.Vetted(now, q, a, &c.own)
		if write {
			after = c.flush(now)
		}
	}
	c.unlock(cl)
	if after != nil {
		after()
	}
}

// rewritten returns a copy of m for one receiver, or nil if r changes nothing.
func rewritten(m *mqtt.Message, r *hook.DeliverResult) *mqtt.Message {
	if r.Topic == nil && r.Payload == nil && r.Properties == nil {
		return nil
	}
	x := *m
	set(&x.Topic, r.Topic)
	set(&x.Payload, r.Payload)
	set(&x.Properties, r.Properties)
	return &x
}
