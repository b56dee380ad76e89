package conn

import (
	"sync"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/pressure"
)

// intake accounts for a Receive that was given size bytes and has consumed n.
// Bytes count when they arrive, not when their packet is whole: near the memory
// limit those that send much are slowed down, and at last whoever has sent most
// of a packet that is not whole is ended. Called without the lock.
func (c *Conn) intake(now time.Time, size, n int) {
	arrived, left := size-c.unread, size-n
	if left >= bigPart || c.unread >= bigPart {
		c.srv.parts.set(c, left, c.srv.Pressure)
	}
	c.unread = left
	most := c.srv.Pressure.Allowance()
	if most == 0 || arrived <= 0 {
		return
	}
	c.consume(now, arrived, most)
	if left >= bigPart && c.srv.Pressure.Short() {
		c.srv.shed(now)
	}
}

// bigPart is how many bytes of a packet, in front of which or in which we
// stopped, make a connection one to be looked at when memory is short.
const bigPart = 64 << 10

// parts are the connections that hold so much. Safe for concurrent use; its
// lock is a leaf.
type parts struct {
	mu    sync.Mutex
	bytes map[*Conn]int
}

// set says how much c holds.
func (p *parts) set(c *Conn, n int, w *pressure.Watch) {
	if n < bigPart {
		n = 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	had := p.bytes[c]
	if n > 0 {
		if p.bytes == nil {
			p.bytes = map[*Conn]int{}
		}
		p.bytes[c] = n
	} else {
		delete(p.bytes, c)
	}
	w.Hold(int64(n - had))
}

// biggest returns who holds most, nil if nobody is there.
func (p *parts) biggest() (c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	most := 0
	for x, n := range p.bytes {
		if n > most {
			c, most = x, n
		}
	}
	return c
}

// shed ends the connection that holds most. Called without any lock.
func (s *Server) shed(now time.Time) {
	c := s.parts.biggest()
	if c == nil {
		return
	}
	s.Metrics.ConnectionsShed.Inc(1)
	s.parts.set(c, 0, s.Pressure)
	cl := c.lock()
	defer c.unlock(cl)
	c.fail(now, mqtt.Errorf("conn: receive", mqtt.QuotaExceeded, "memory_limit is nearly reached, and it holds most of all that is not whole"))
}
