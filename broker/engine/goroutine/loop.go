package goroutine

import (
	"errors"
	"os"
	"time"
)

// run is the reader goroutine.
func (c *conn) run() {
	if err := c.s.guard(c.loop); err != nil {
		c.mu.Lock()
		c.fail(err)
		c.mu.Unlock()
	}
	c.finish()
	c.s.leave(c)
}

// step is what the reader does next.
type step uint8

const (
	again step = iota
	stop
	receive
	deadline
)

// loop calls the handler until the connection ends.
func (c *conn) loop() {
	now := time.Now()
	var next step
	for {
		switch next, now = c.step(now); next {
		case stop:
			return
		case deadline:
			c.h.Deadline(now)
		case receive:
			n, park := c.h.Receive(now, c.in.bytes())
			c.in.consume(&c.s.pools, n)
			if park {
				c.mu.Lock()
				c.parked = true
				c.mu.Unlock()
			}
		}
	}
}

// step decides what is next at now. If nothing is to be done it waits, for
// input or anything else, and returns the time at which that came.
func (c *conn) step(now time.Time) (step, time.Time) {
	c.mu.Lock()
	switch {
	case c.closing:
		c.mu.Unlock()
		return stop, now
	case !c.deadline.IsZero() && !now.Before(c.deadline):
		c.deadline = time.Time{}
		c.mu.Unlock()
		return deadline, now
	case c.parked && c.woken:
		c.parked, c.woken = false, false
		c.mu.Unlock()
		return receive, now
	case c.parked:
		c.sleep(c.deadline)
		c.mu.Unlock()
		return again, time.Now()
	}
	if c.stale(now) {
		c.apply(c.deadline)
	}
	c.reading = true
	c.mu.Unlock()
	return c.read()
}

// stale reports whether nc's read deadline would come too late, or at once
// without need. Called with mu held.
func (c *conn) stale(now time.Time) bool {
	switch {
	case c.applied.IsZero():
		return !c.deadline.IsZero()
	case !c.applied.After(now):
		return true
	}
	return !c.deadline.IsZero() && c.deadline.Before(c.applied)
}

// read waits for input.
func (c *conn) read() (step, time.Time) {
	n, err := 0, c.readErr
	if err == nil {
		n, err = c.fill()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil // the caller looks at what time it is
		}
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	switch {
	case c.closing:
		return stop, now
	case n > 0:
		c.readErr = err
		c.woken = false
		return receive, now
	case err != nil:
		c.end(err)
		return stop, now
	}
	return again, now
}

// fill reads once. The error of a raw read is like that of net.Conn.
func (c *conn) fill() (int, error) {
	if c.raw == nil {
		room := c.in.room(&c.s.pools)
		n, err := c.nc.Read(room)
		c.in.added(n)
		if n < len(room) {
			c.in.shrink(&c.s.pools)
		}
		return n, err
	}
	c.pass = transfer{}
	if err := c.raw.Read(c.onRead); err != nil {
		return 0, err
	}
	c.in.added(c.pass.n)
	return c.pass.n, c.pass.err
}

// finish lets what was written go out, closes, and tells the handler.
func (c *conn) finish() {
	c.in.release(&c.s.pools) // it may be much
	c.mu.Lock()
	for c.until = c.s.until(); c.writer && !c.broken && time.Now().Before(c.until); {
		c.sleep(c.until)
	}
	linger := !c.writer && !c.broken && c.lingers
	c.mu.Unlock()
	if linger {
		c.drain()
	}
	_ = c.nc.Close()
	c.mu.Lock()
	c.broken = true
	for c.writer {
		c.sleep(time.Time{})
	}
	cause := c.cause
	c.mu.Unlock()
	_ = c.s.guard(func() { c.h.Closed(time.Now(), cause) })
}

// drain says that nothing more will come and discards what the peer still
// sends, until it has closed too. Bytes that arrive at a closed socket, or are
// unread in it, would make the system discard what the peer has not yet taken.
func (c *conn) drain() {
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok {
		return
	}
	c.mu.Lock()
	c.drains = true
	_ = c.nc.SetWriteDeadline(c.until)
	_ = c.nc.SetReadDeadline(c.until)
	c.mu.Unlock()
	if half.CloseWrite() != nil {
		return
	}
	p := c.s.pools.get(firstRead)
	defer c.s.pools.put(p)
	for {
		if _, err := c.nc.Read(p[:cap(p)]); err != nil {
			return
		}
	}
}
