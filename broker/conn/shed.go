package conn

import (
	"cmp"
	"slices"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/pressure"
	"github.com/lunemq/lunemq/broker/registry"
)

// A client does not move if for that long its socket takes nothing, or if it
// has sent less than minMoved bytes of its packet although it was read.
const (
	stopped  = 10 * time.Second
	minMoved = 4 << 10
)

// holder is a connection with what it holds in memory, in bytes.
type holder struct {
	c      *Conn
	bytes  int
	weight int  // by which they are compared
	stops  bool // it does not move
}

// lenience is by how much less a part of a packet weighs while we do not read
// the rest of it.
const lenience = 8

// Shed ends connections because memory is short, those that hold most first:
// those that do not move, and if they are not enough, others. It reports whether
// it has ended any. Called without any lock.
func (s *Server) Shed(now time.Time, x pressure.Shortage) (ended bool) {
	list := s.holders(now)
	slices.SortFunc(list, func(a, b holder) int { return cmp.Compare(b.weight, a.weight) })
	freed := int64(0)
	for _, h := range list {
		if h.stops && freed < x.Stopped {
			freed += int64(h.bytes)
			ended = h.c.shed(now, "memory_limit is nearly reached, and it holds much and does not move") || ended
		}
	}
	for _, h := range list {
		if !h.stops && freed < x.Any {
			freed += int64(h.bytes)
			ended = h.c.shed(now, "memory is short, and it holds most") || ended
		}
	}
	return ended
}

// holders returns the connections that hold much.
func (s *Server) holders(now time.Time) (list []holder) {
	parts := s.parts.all()
	add := func(c *Conn, p part, waiting int, stuck bool) {
		n := p.bytes + waiting
		if n < bigPart {
			return
		}
		ended, unread := c.unreadByUs()
		weight := n
		if unread {
			weight -= p.bytes - p.bytes/lenience
		}
		if !ended {
			list = append(list, holder{c, n, weight, stuck || p.bytes >= bigPart && now.Sub(p.since) >= stopped && !unread})
		}
	}
	s.Registry.Each(func(cl *registry.Client) bool {
		if c, waiting, stuck := waits(cl, now); c != nil {
			add(c, parts[c], waiting, stuck)
			delete(parts, c)
		}
		return true
	})
	for c, p := range parts { // not yet accepted
		add(c, p, 0, false)
	}
	return list
}

// waits returns a client's connection, nil if it has none, with the bytes that
// wait for it, sent and not acknowledged or not sent, and whether its socket is
// stuck.
func waits(cl *registry.Client, now time.Time) (c *Conn, bytes int, stuck bool) {
	cl.Lock()
	defer cl.Unlock()
	c, _ = cl.Connection().(*Conn)
	if c == nil {
		return nil, 0, false
	}
	bytes = cap(c.m.Output()) // of a large message it is all that is left, however much has gone
	cl.Session().Each(func(it mqtt.Queued) { bytes += it.Message.Size() })
	return c, bytes, c.blocked && now.Sub(c.stuck) >= stopped
}

// unreadByUs reports whether it is we who do not read, or have ended the
// connection.
func (c *Conn) unreadByUs() (ended, unread bool) {
	cl := c.lock()
	defer c.unlock(cl)
	return c.ended, c.held()
}

// shed ends the connection, unless it has ended.
func (c *Conn) shed(now time.Time, why string) bool {
	cl := c.lock()
	defer c.unlock(cl)
	if c.ended {
		return false
	}
	c.srv.Metrics.ConnectionsShed.Inc(1)
	c.fail(now, mqtt.Errorf("conn: memory", mqtt.QuotaExceeded, "%s", why))
	return true
}
