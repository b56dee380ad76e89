package goroutine

import "time"

// How many bytes Write takes beyond what the socket does. A raw connection
// needs some, since nothing else tells when its socket is writable again.
const (
	rawSpool   = 4 << 10
	otherSpool = 64 << 10
)

// writePiece is how many bytes a peer must take within WriteTimeout.
const writePiece = 16 << 10

// Write implements engine.Conn: to a socket directly, while nothing is
// spooled; what is left goes to the spool as far as there is room, for the
// writer goroutine.
func (c *conn) Write(p []byte) int {
	c.mu.Lock()
	if c.closing || len(p) == 0 {
		c.mu.Unlock()
		return 0
	}
	direct := c.raw != nil && len(c.spool)+c.sending == 0
	if !direct {
		n := c.enqueue(p)
		c.mu.Unlock()
		return n
	}
	c.mu.Unlock()
	c.out = transfer{p: p}
	err := c.raw.Write(c.onWrite)
	n := c.out.n
	if err == nil {
		err = c.out.err
	}
	c.out = transfer{}
	if n == len(p) && err == nil {
		return n
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.fail(err)
		return n
	}
	if c.closing {
		return n
	}
	return n + c.enqueue(p[n:])
}

// enqueue takes what there is room for. Called with mu held.
func (c *conn) enqueue(p []byte) int {
	limit := otherSpool
	if c.raw != nil {
		limit = rawSpool
	}
	n := max(min(len(p), limit-len(c.spool)-c.sending), 0)
	if need := len(c.spool) + n; need > cap(c.spool) {
		larger := append(c.s.pools.get(need), c.spool...)
		c.s.pools.put(c.spool)
		c.spool = larger
	}
	c.spool = append(c.spool, p[:n]...)
	c.starved = c.starved || n < len(p)
	if !c.writer {
		c.writer = true
		if c.h != nil {
			go c.write()
		}
	}
	return n
}

// write is the writer goroutine: it lives while the peer takes less than it is
// sent. Only while the spool is empty does it call Writable, and Write may then
// write directly.
func (c *conn) write() {
	if err := c.s.guard(c.unspool); err != nil {
		c.mu.Lock()
		c.fail(err)
		c.retire()
		c.mu.Unlock()
	}
}

// retire ends the writer. Called with mu held, and nothing of the connection
// may be used by the writer afterwards.
func (c *conn) retire() {
	c.s.pools.put(c.spool)
	c.spool, c.writer = nil, false
	c.rouse()
}

// unspool writes until the spool is empty and nobody wants to write more.
func (c *conn) unspool() {
	for {
		p, done := c.take()
		switch {
		case done:
			return
		case p == nil:
			c.h.Writable(time.Now())
			continue
		}
		err := c.send(p)
		c.s.pools.put(p)
		c.mu.Lock()
		c.sending = 0
		if err != nil {
			c.fail(err)
		}
		c.mu.Unlock()
	}
}

// send writes p in pieces, each of which has the whole time limit.
func (c *conn) send(p []byte) (err error) {
	for len(p) > 0 && err == nil {
		piece := p[:min(len(p), writePiece)]
		p = p[len(piece):]
		_ = c.nc.SetWriteDeadline(time.Now().Add(c.s.opts.WriteTimeout))
		_, err = c.nc.Write(piece)
	}
	_ = c.nc.SetWriteDeadline(time.Time{})
	return err
}

// take returns the spooled bytes to write, or none when Writable is due. done
// means that the writer has retired.
func (c *conn) take() (p []byte, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.broken && len(c.spool) > 0:
		p, c.spool = c.spool, nil
		c.sending = len(p)
		return p, false
	case !c.closing && c.starved:
		c.starved = false
		return nil, false
	}
	c.retire()
	return nil, true
}
