package epoll

import (
	"io"
	"syscall"
	"time"
)

// share is how many bytes are read from one connection before others have
// their turn; resumeShare is what a call without a read counts for.
const (
	share       = 64 << 10
	resumeShare = 4 << 10
)

// writePiece is how many bytes a peer must take within the write timeout.
const writePiece = 16 << 10

// serve does what is to be done for the connection, but not more than its share
// of a turn. Called by the loop.
func (c *conn) serve(now time.Time) {
	if c.gone {
		return
	}
	if err := c.call(now); err != nil {
		c.mu.Lock()
		c.fail(err)
		c.mu.Unlock()
	}
	if c.closing.Load() {
		c.finish(now)
	}
}

// call is serve without what follows the end.
func (c *conn) call(now time.Time) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = c.l.s.panicked(r)
		}
	}()
	if c.expired {
		c.expired = false
		c.timeout(now)
	}
	if c.takes {
		c.takes = false
		c.unblock(now)
	}
	for left := share; ; {
		switch c.next() {
		case stop:
			return nil
		case resume:
			left -= resumeShare
			c.receive(now, c.rest.bytes())
		case read:
			if left <= 0 {
				c.l.again(c)
				return nil
			}
			n, err := c.read(now)
			if err != nil {
				c.mu.Lock()
				c.end(err)
				c.mu.Unlock()
			}
			left -= n
		}
		if left <= 0 {
			c.l.again(c)
			return nil
		}
	}
}

// step is what comes next for a connection.
type step uint8

const (
	stop step = iota
	resume
	read
)

// next decides what is next.
func (c *conn) next() step {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing.Load():
		return stop
	case c.parked && c.woken:
		c.parked = false
		return resume
	case c.parked || !c.readable:
		return stop
	}
	return read
}

// read reads once and gives the handler what it has not consumed. Bytes left
// from before are copied in front, unless they are many: those are read behind.
// The error is the connection's end.
func (c *conn) read(now time.Time) (int, error) {
	left := c.rest.bytes()
	own := len(left) > len(c.l.buf)/2
	var room []byte
	if own {
		room = c.rest.room()
		room = room[:min(len(room), share)] // who is read more slowly is so by this
	} else {
		room = c.l.buf[copy(c.l.buf, left):]
	}
	n, err := rawRead(c.fd, room)
	switch {
	case err == syscall.EAGAIN:
		c.readable = false
		return 0, nil
	case err != nil:
		c.sawEnd = true
		return 0, failure("read", err)
	case n == 0:
		c.sawEnd = true
		return 0, io.EOF
	}
	// What fills no buffer was all there is; if the peer has closed, that is
	// still to be seen.
	c.readable = n == len(room) || c.hungUp
	if own {
		c.receive(now, c.rest.added(n))
	} else {
		c.receive(now, c.l.buf[:len(left)+n])
	}
	return n, nil
}

// receive calls the handler with p, which is what c.rest holds or begins with
// that, and keeps what it does not consume.
func (c *conn) receive(now time.Time, p []byte) {
	c.mu.Lock()
	c.woken = false
	c.mu.Unlock()
	n, park := c.h.Receive(now, p)
	if n < 0 || n > len(p) {
		panic("engine: handler consumed more than it was given")
	}
	c.rest = c.l.spares.keep(c.rest, p[n:])
	if park {
		c.mu.Lock()
		c.parked = true
		c.mu.Unlock()
	}
}

// timeout looks at the times of the connection: the handler's, and the limit
// for the peer.
func (c *conn) timeout(now time.Time) {
	at := c.l.s.nanos(now)
	c.mu.Lock()
	due := c.deadline <= at && !c.closing.Load()
	if due {
		c.deadline = never
	}
	if c.limit <= at {
		c.limit = never
		c.overdue(at)
	}
	if next := min(c.deadline, c.limit); next != never {
		c.l.arm(c, next)
	}
	c.mu.Unlock()
	if due {
		c.h.Deadline(now)
	}
}

// overdue ends a connection whose peer takes nothing, or has not closed after
// the end. Called with mu held.
func (c *conn) overdue(at int64) {
	switch left := unsent(c.fd); {
	case c.closing.Load():
		c.broken = true
	case !c.starved:
	case left > 0 && left > c.left-writePiece:
		c.fail(failure("write", syscall.ETIMEDOUT))
	default:
		c.left, c.limit = left, at+int64(c.l.s.opts.WriteTimeout)
	}
}

// unblock calls Writable if that is due.
func (c *conn) unblock(now time.Time) {
	c.out.Lock()
	c.mu.Lock()
	due := c.starved && !c.closing.Load()
	if c.starved {
		c.starved = false
		if !c.closing.Load() {
			c.limit = never
		}
		if err := c.l.watch(syscall.EPOLL_CTL_MOD, c, false); err != nil {
			c.fail(failure("epoll_ctl", err))
		}
	}
	c.mu.Unlock()
	c.out.Unlock()
	if due {
		c.h.Writable(now)
	}
}

// finish lets the peer take what was written: it hears that no more will come,
// and what it still sends is discarded until it has closed too, but for no
// longer than the linger time. Bytes that arrive at a closed socket, or are
// unread in it, would make the system discard what the peer has not yet taken.
// Then it closes and tells the handler.
func (c *conn) finish(now time.Time) {
	c.mu.Lock()
	lingers := c.lingers && !c.broken && !c.sawEnd
	c.mu.Unlock()
	if lingers && (c.draining || c.drain(now)) && (c.discard() || !c.sawEnd) {
		return
	}
	c.leave(now)
}

// drain ends output and limits how long the peer may take to close; false if
// nothing can be lost any more.
func (c *conn) drain(now time.Time) bool {
	c.draining = true
	if rawShutdown(c.fd) != nil {
		return false
	}
	c.mu.Lock()
	c.limit = c.l.s.nanos(now) + c.l.s.linger.Load()
	c.l.arm(c, c.limit)
	c.mu.Unlock()
	return true
}

// discard reads what has come, up to a buffer; more says that there may be
// more.
func (c *conn) discard() (more bool) {
	c.rest = c.l.spares.keep(c.rest, nil)
	n, err := rawRead(c.fd, c.l.buf)
	switch {
	case err == syscall.EAGAIN:
		return false
	case err != nil || n == 0:
		c.sawEnd = true
		return false
	}
	c.l.again(c)
	return true
}

// leave closes the descriptor and tells the handler.
func (c *conn) leave(now time.Time) {
	c.gone = true
	c.l.remove(c)
	c.out.Lock()
	rawClose(c.fd)
	c.fd = -1
	c.out.Unlock()
	_ = c.nc.Close()
	c.rest = c.l.spares.keep(c.rest, nil)
	_ = c.l.s.guard(func() { c.h.Closed(now, c.cause) })
	c.l.left()
}
