package conn

import (
	"errors"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
)

// Deliver implements registry.Attachment.
func (c *Conn) Deliver(now time.Time, it mqtt.Queued, b *store.Batch) (taken bool) {
	if c.ended {
		return false
	}
	c.m.Vet(c.vets())
	c.lend()
	had := len(c.m.Output())
	c.m.Deliver(now, it, b)
	c.put(now, len(c.m.Output())-had)
	return true
}

// put accounts for a message that was delivered and encoded into n bytes of
// output. Much output goes to the socket at once, so that a large message is not
// encoded for all its receivers at the same time. Called with the lock held.
func (c *Conn) put(now time.Time, n int) {
	if n >= bigPart {
		c.srv.Pressure.Took(n)
		c.write(now)
	}
	if c.waits += itemBytes; c.blocked {
		c.waits += min(n, bigPart)
	}
	if c.waits >= minFresh {
		c.srv.Pressure.Took(c.waits)
		c.waits = 0
	}
}

// itemBytes is about what one message takes that is in flight or in a queue,
// beside its payload.
const itemBytes = 128

// HasRoom implements registry.Attachment.
func (c *Conn) HasRoom() bool { return c.m.HasRoom() }

// lend gives the machine a buffer to encode into. Called with the lock held.
func (c *Conn) lend() {
	if c.m.NeedsBuffer() {
		c.buf = buffers.Get().(*buffer)
		c.m.Lend(c.buf.b)
	}
}

// giveBack returns the machine's buffer for others to use, once it is empty.
// Called with the lock held.
func (c *Conn) giveBack(spare []byte) {
	if spare == nil {
		return
	}
	if c.buf != nil && cap(spare) <= maxPooled {
		c.buf.b = spare[:0]
		buffers.Put(c.buf)
	}
	c.buf = nil
}

// flushSelf is Flush with the lock taken and what is left to do done.
func (c *Conn) flushSelf(now time.Time) {
	if after := c.lockedFlush(now); after != nil {
		after()
	}
}

func (c *Conn) lockedFlush(now time.Time) (after func()) {
	cl := c.lock()
	defer c.unlock(cl)
	return c.Flush(now)
}

// Flush implements registry.Attachment: it encodes what quota and output
// allow, writes what the socket takes, and counts. Called with the lock held;
// what it returns is called without.
func (c *Conn) Flush(now time.Time) (after func()) { return c.thenVet(c.flush(now), false) }

// flush is Flush; nobody is asked on_deliver.
func (c *Conn) flush(now time.Time) (after func()) {
	assigns := false
	c.m.Vet(c.vets())
	for !c.ended {
		if c.serves() {
			c.lend()
			assigns = c.m.Flow(now, &c.own) || assigns
		}
		if !c.write(now) {
			break
		}
	}
	c.giveBack(c.m.Taken(0))
	c.caughtUp(now)
	more := len(c.jobs) > 0 && !c.jobsRun && c.wantsJob()
	drops := c.count()
	if c.wantsLoader() {
		c.loading = true
		c.aside(c.load)
	}
	if len(drops) == 0 && c.own.Empty() && !more {
		return nil
	}
	return c.afterwards(drops, assigns, more)
}

// serves reports whether the client was accepted, so that it is sent messages.
// Until then the machine has no session, although the registry has given it to
// the connection. Called with the lock held.
func (c *Conn) serves() bool {
	return c.m.Phase() == session.Connected || c.m.Phase() == session.Reauthing
}

// wantsLoader reports whether load should be started. Called with the lock
// held.
func (c *Conn) wantsLoader() bool {
	if c.loading || c.ended || !c.serves() {
		return false
	}
	cl := c.client.Load()
	if cl == nil || !cl.Attached(c) {
		return false
	}
	_, _, wants := cl.Session().WantsLoad()
	return wants
}

// write hands output to the socket; it reports whether all of some went out,
// so that more may be encoded.
func (c *Conn) write(now time.Time) bool {
	out := c.m.Output()
	if len(out) == 0 || c.blocked {
		return false
	}
	n := c.ec.Write(out)
	c.srv.Metrics.BytesSent.Inc(int64(n))
	if c.blocked = n < len(out); c.blocked {
		c.stuck = now
	}
	c.giveBack(c.m.Taken(n))
	return !c.blocked
}

// outgoing is a batch of the connection's own on its way to the store:
// completions, and with assigns packet identifiers below upTo that are about to
// be used.
type outgoing struct {
	batch   store.Batch
	assigns bool
	upTo    uint64
}

// afterwards returns what must be done without the lock: hooks of drops, the
// store's part of completions and identifiers, further retained messages.
func (c *Conn) afterwards(drops []session.Drop, assigns, more bool) func() {
	drains := false
	if !c.own.Empty() {
		c.outbox = append(c.outbox, outgoing{c.own, assigns, c.m.Assigning()})
		c.own = store.Batch{}
		drains, c.draining = !c.draining, true
	}
	c.jobsRun = c.jobsRun || more
	key := c.info.Key
	return func() {
		for _, d := range drops {
			c.srv.Registry.Dropped(key, d.Item.Message, d.Reason)
		}
		if drains {
			c.drain()
		}
		if more {
			c.aside(c.sendRetained)
		}
	}
}

// drain submits the outbox in order, whoever put something there meanwhile.
func (c *Conn) drain() {
	for {
		cl := c.lock()
		if len(c.outbox) == 0 {
			c.outbox, c.draining = nil, false
			c.unlock(cl)
			return
		}
		o := c.outbox[0]
		c.outbox = c.outbox[1:]
		c.unlock(cl)
		if o.assigns {
			o.batch.Submit(c.srv.Store, func(err error) { c.assignDone(o.upTo, err) })
		} else {
			o.batch.Submit(c.srv.Store, c.srv.committed)
		}
	}
}

// assignDone sends the QoS 2 messages whose identifiers are now stored.
func (c *Conn) assignDone(upTo uint64, err error) {
	now := time.Now()
	cl := c.lock()
	if err != nil {
		c.srv.committed(err)
		c.fail(now, mqtt.Errorf("conn: store", mqtt.ImplementationSpecificError, "%v", err))
	} else if !c.ended {
		c.lend()
		c.m.Assigned(now, upTo)
	}
	after := c.flushAside(now)
	c.unlock(cl)
	if after != nil {
		after()
	}
}

// fail ends the connection because of err: the client is told where its
// version allows, the operator in the log. Called with the lock held.
func (c *Conn) fail(now time.Time, err error) {
	if c.ended {
		return
	}
	var e *mqtt.Error
	if !errors.As(err, &e) {
		e = &mqtt.Error{Op: "conn", Code: mqtt.UnspecifiedError, Err: err}
	}
	if c.m.Version() == 0 {
		c.m.Speak(c.level)
	}
	c.logFail(e)
	c.m.Fail(e)
	c.finish(now, e, true)
}

// finish writes what is left and closes. Called with the lock held; what must
// be done without it is done by another goroutine.
func (c *Conn) finish(now time.Time, err error, withWill bool) {
	after := c.last(now)
	c.ec.Close(err)
	c.aside(func() {
		after()
		c.detach(now, withWill)
	})
}

// last ends output and input: the socket gets what it takes, the rest is given
// up at once, although the peer may take long to close; what was done is counted.
// What it returns is called without the lock.
func (c *Conn) last(now time.Time) (after func()) {
	c.write(now)
	c.giveBack(c.m.Taken(len(c.m.Output())))
	c.ended = true
	c.info.End()
	return c.afterwards(c.count(), false, false)
}

// Evict implements registry.Attachment.
func (c *Conn) Evict(now time.Time, code mqtt.ReasonCode, reason string) {
	if c.ended {
		return
	}
	c.srv.Log.Info("connection ended by the broker", c.who("reason", code.String())...)
	c.m.Disconnect(code, reason)
	c.finish(now, errEnded, true)
}
