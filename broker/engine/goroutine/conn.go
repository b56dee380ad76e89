package goroutine

import (
	"sync"
	"syscall"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
)

// conn is one connection; it implements engine.Conn. Its reader goroutine runs
// from start until the handler's Closed has returned.
type conn struct {
	s   *server
	nc  engine.NetConn
	raw syscall.RawConn // nil when nc has no descriptor
	h   engine.Handler  // set by start, constant afterwards

	// Owned by the reader.
	in      inbuf
	readErr error    // to act on when what came before it is delivered
	pass    transfer // of the present raw read
	onRead  func(uintptr) bool

	// Owned by the caller of Write.
	out     transfer // of the present raw write
	onWrite func(uintptr) bool

	mu sync.Mutex // guards what follows; no other lock is taken under it

	deadline time.Time // asked for; zero is none
	applied  time.Time // what nc has as read deadline; zero is none
	reading  bool      // the reader is in a read, or about to enter it
	parked   bool      // no read until woken
	woken    bool      // Wake since the present Receive began
	nap      *nap      // what the reader sleeps on, if it sleeps

	closing bool      // no more calls but Closed
	cause   error     // for Closed, once closing
	lingers bool      // ended by Close: the peer is to get all that was written
	broken  bool      // nothing can be written any more
	until   time.Time // until when the peer may linger; zero before the end
	drains  bool      // nc has that as its deadline

	spool   []byte // taken by Write, not yet handed to nc; nil when empty
	sending int    // bytes that the writer is handing to nc
	writer  bool   // the writer goroutine exists
	starved bool   // Write has taken less than offered: Writable is due
}

// transfer is the argument and result of a raw read or write; a closure would
// be allocated each time.
type transfer struct {
	p   []byte
	n   int
	err error
}

// longAgo as a deadline makes a read return at once.
var longAgo = time.Unix(1, 0)

func newConn(s *server, nc engine.NetConn) *conn {
	c := &conn{s: s, nc: nc, raw: rawConn(nc)}
	c.in.base = smallRead
	if c.raw != nil {
		c.in.base = firstRead
		c.onRead, c.onWrite = c.readOnce, c.writeOnce
	}
	c.in.next = c.in.base
	return c
}

// start begins to serve. The handler may have used the connection before.
func (c *conn) start(h engine.Handler) {
	c.mu.Lock()
	c.h = h
	if c.writer {
		go c.write()
	}
	c.mu.Unlock()
	go c.run()
}

// SetDeadline implements engine.Conn. A later deadline leaves nc's as it is:
// the reader wakes once too early then, which is cheaper.
func (c *conn) SetDeadline(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if t.IsZero() || c.closing {
		return
	}
	if c.reading && (c.applied.IsZero() || t.Before(c.applied)) {
		c.apply(t)
	}
	c.rouse()
}

// apply gives nc a read deadline. Called with mu held. An error means that nc
// is closed, of which the reader learns by itself.
func (c *conn) apply(t time.Time) {
	c.applied = t
	_ = c.nc.SetReadDeadline(t)
}

// Wake implements engine.Conn.
func (c *conn) Wake() {
	c.mu.Lock()
	c.woken = true
	c.rouse()
	c.mu.Unlock()
}

// Close implements engine.Conn.
func (c *conn) Close(err error) {
	c.mu.Lock()
	c.lingers = c.lingers || !c.closing
	c.end(err)
	c.mu.Unlock()
}

// fail ends the connection without lingering. Called with mu held.
func (c *conn) fail(err error) {
	c.broken = true
	c.end(err)
	c.rouse()
}

// end makes the reader stop; the first cause counts. Called with mu held.
func (c *conn) end(err error) {
	if c.closing {
		return
	}
	c.closing, c.cause = true, err
	if c.reading {
		c.apply(longAgo)
	}
	c.rouse()
}

// hurry shortens how long the peer may linger.
func (c *conn) hurry(until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until.IsZero() || !until.Before(c.until) {
		return
	}
	c.until = until
	if c.drains {
		_ = c.nc.SetWriteDeadline(until)
		_ = c.nc.SetReadDeadline(until)
	}
	c.rouse()
}

// nap is what a reader sleeps on while it does not read.
type nap struct {
	rouse chan struct{} // holds one
	timer *time.Timer
}

func newNap() any {
	n := &nap{rouse: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	n.timer.Stop()
	return n
}

// rouse ends a sleep. Called with mu held.
func (c *conn) rouse() {
	if c.nap == nil {
		return
	}
	select {
	case c.nap.rouse <- struct{}{}:
	default:
	}
}

// sleep waits for rouse, or until (zero: for ever). Called by the reader with
// mu held, which is released meanwhile.
func (c *conn) sleep(until time.Time) {
	n := c.s.naps.Get().(*nap)
	c.nap = n
	c.mu.Unlock()
	if until.IsZero() {
		<-n.rouse
	} else {
		n.timer.Reset(time.Until(until))
		select {
		case <-n.rouse:
		case <-n.timer.C:
		}
		n.timer.Stop()
	}
	c.mu.Lock()
	c.nap = nil
	select {
	case <-n.rouse:
	default:
	}
	c.s.naps.Put(n)
}
