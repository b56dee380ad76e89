package epoll

import (
	"math"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
)

// never is the time of what does not come.
const never = math.MaxInt64

// conn is one connection; it implements engine.Conn. Its loop calls the handler
// until Closed has returned. Times are counted by server.nanos.
//
// Order of the locks: out, mu, loop.mu.
type conn struct {
	l  *loop
	nc engine.NetConn // told to close when the descriptor is closed
	h  engine.Handler // constant once served

	// Owned by the loop.
	rest     *rest // received and not consumed; nil for none
	listed   bool  // in the loop's work
	readable bool  // the socket may have bytes, or its end
	hungUp   bool  // the end has come: read until it is seen
	takes    bool  // the socket takes more output
	expired  bool  // a time has come
	draining bool  // output is shut, input is discarded
	sawEnd   bool  // input was read to its end
	gone     bool  // Closed was called

	out sync.Mutex // held while the descriptor is written to, or closed
	fd  int32      // -1 once closed; changed with out held, by the loop

	mu       sync.Mutex // guards what follows
	served   bool       // the loop knows the connection
	queued   bool       // in the loop's queue
	parked   bool       // no read until woken
	woken    bool       // Wake since the present Receive began
	starved  bool       // Write has taken less than offered: Writable is due
	lingers  bool       // ended by Close: the peer is to get all that was written
	broken   bool       // nothing can be written any more
	closing  atomic.Bool
	left     int32 // bytes the peer had not taken when limit was set
	cause    error // for Closed, once closing
	deadline int64 // of SetDeadline
	limit    int64 // until when the peer must take output, or close

	// Guarded by loop.mu.
	slot  int32 // in the loop's table
	place int32 // in the loop's heap, from 1; 0 = not there
	due   int64 // its time there
}

// Write implements engine.Conn: nothing is kept but what the socket has taken.
func (c *conn) Write(p []byte) int {
	if len(p) == 0 || c.closing.Load() {
		return 0
	}
	c.out.Lock()
	defer c.out.Unlock()
	if c.fd < 0 {
		return 0
	}
	n, err := rawWrite(c.fd, p)
	switch {
	case n == len(p):
		return n
	case err != nil && err != syscall.EAGAIN:
		c.mu.Lock()
		c.fail(failure("write", err))
		c.mu.Unlock()
		return n
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.starved = true
	if c.served {
		c.watchOutput()
	}
	return n
}

// watchOutput asks to be told when the socket takes more, which must be within
// the write timeout. Called with out and mu held.
func (c *conn) watchOutput() {
	if err := c.l.watch(syscall.EPOLL_CTL_MOD, c, true); err != nil {
		c.fail(failure("epoll_ctl", err))
		return
	}
	c.left = unsent(c.fd)
	c.limit = c.l.s.nanos(time.Now().Add(c.l.s.opts.WriteTimeout))
	c.l.arm(c, c.limit)
}

// SetDeadline implements engine.Conn. A later deadline leaves the loop's heap
// as it is: the loop looks once too early then, which is cheaper.
func (c *conn) SetDeadline(t time.Time) {
	at := int64(never)
	if !t.IsZero() {
		at = c.l.s.nanos(t)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing.Load() {
		return
	}
	c.deadline = at
	if c.served && at != never {
		c.l.arm(c, at)
	}
}

// Wake implements engine.Conn.
func (c *conn) Wake() {
	c.mu.Lock()
	c.woken = true
	if c.parked {
		c.enqueue()
	}
	c.mu.Unlock()
}

// Close implements engine.Conn.
func (c *conn) Close(err error) {
	c.mu.Lock()
	c.lingers = c.lingers || !c.closing.Load()
	c.end(err)
	c.mu.Unlock()
}

// fail ends the connection without lingering. Called with mu held.
func (c *conn) fail(err error) {
	c.broken = true
	c.end(err)
	c.enqueue() // it may be lingering
}

// end makes the loop finish the connection; the first cause counts. Called
// with mu held.
func (c *conn) end(err error) {
	if c.closing.Load() {
		return
	}
	c.cause, c.deadline = err, never
	c.closing.Store(true)
	c.enqueue()
}

// enqueue makes the loop look at the connection. Called with mu held.
func (c *conn) enqueue() {
	if c.queued || !c.served {
		return
	}
	c.queued = true
	c.l.enqueue(c)
}
