package conn

import (
	"sync"
	"time"

	"github.com/lunemq/lunemq/broker/pressure"
)

// intake accounts for a Receive that was given size bytes and has consumed n.
// Bytes count when they arrive, not when their packet is whole, and so does what
// their packets put into queues and batches: near the memory limit those that
// send much are read more slowly. Called without the lock.
func (c *Conn) intake(now time.Time, size, n int) {
	arrived, left := size-c.unread, size-n
	part := left >= bigPart || c.unread >= bigPart
	if part {
		c.srv.parts.set(c, left, arrived, now, c.srv.Pressure)
	}
	c.unread = left
	if c.fresh += arrived + opBytes*len(c.batch.Store.Ops); c.fresh >= minFresh {
		c.srv.Pressure.Took(c.fresh)
		c.fresh = 0
	}
	if c.pace(now, arrived) && part {
		c.srv.parts.excuse(c, now.Add(look))
	}
}

// minFresh is how many bytes are counted together, so that small ones cost
// little.
const minFresh = 4 << 10

// Bounds of one pause: moment waits for the sample that says whether what has
// come was worth a pause, look is how often a long one is thought over.
const (
	moment  = 20 * time.Millisecond
	look    = time.Second
	maxDebt = 5 // seconds
)

// pace leaves a client, of which so many bytes have arrived, unread for a while
// if memory is scarce and these are too many. Without a new byte it is one that
// has just been woken from such a pause.
func (c *Conn) pace(now time.Time, arrived int) (paused bool) {
	most := c.srv.Pressure.Allowance()
	switch {
	case most == 0:
		c.owed = nil
		return false
	case arrived <= 0 && c.owed == nil:
		return false
	case c.owed == nil:
		c.owed = &owed{}
	}
	longest := look
	if c.srv.Pressure.Level() < pressure.Severe {
		longest = moment
	} else if arrived > 0 {
		c.consume(now, arrived, most)
	}
	d := min(c.owed.add(now, arrived, most), longest)
	if d <= 0 {
		return false
	}
	c.throttle(now, d)
	return true
}

// owed is what a client has sent above what it may, in bytes.
type owed struct {
	debt int
	at   time.Time
}

// add counts n bytes of a client that may send most per second and returns how
// long it takes until those above a second's worth are made up for.
func (o *owed) add(now time.Time, n, most int) time.Duration {
	paid := min(now.Sub(o.at).Seconds()*float64(most), float64(o.debt))
	o.debt = min(o.debt-int(paid)+n, most*(1+maxDebt))
	o.at = now
	return time.Duration(max(0, o.debt-most)) * time.Second / time.Duration(most)
}

// bigPart is how many bytes of a packet, in front of which or in which we
// stopped, make a connection one to be looked at when memory is short.
const bigPart = 64 << 10

// part is what a connection holds of packets that are not whole.
type part struct {
	bytes int
	since time.Time // from then on it was read,
	moved int       // and has sent so much
}

// parts are the connections that hold so much. Safe for concurrent use; its
// lock is a leaf.
type parts struct {
	mu   sync.Mutex
	list map[*Conn]part
}

// set says how much c holds now that so much has arrived: nothing, when it was
// not read until now.
func (p *parts) set(c *Conn, n, arrived int, now time.Time, w *pressure.Watch) {
	if n < bigPart {
		n = 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	had, was := p.list[c]
	if n == 0 {
		delete(p.list, c)
	} else {
		if p.list == nil {
			p.list = map[*Conn]part{}
		}
		x := part{n, had.since, had.moved + arrived}
		if !was || arrived <= 0 || x.moved >= minMoved {
			x.since, x.moved = now, 0
		}
		p.list[c] = x
	}
	w.Hold(int64(n - had.bytes))
}

// excuse says that c is not read until then.
func (p *parts) excuse(c *Conn, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if x, is := p.list[c]; is {
		x.since, x.moved = until, 0
		p.list[c] = x
	}
}

// all returns a copy.
func (p *parts) all() map[*Conn]part {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make(map[*Conn]part, len(p.list))
	for c, x := range p.list {
		list[c] = x
	}
	return list
}
