package conn

import (
	"sync"
	"sync/atomic"

	"github.com/lunemq/lunemq/broker/packet"
)

// Gate holds back what must not happen before all durable subscriptions are
// loaded: PUBLISH, SUBSCRIBE, UNSUBSCRIBE and DISCONNECT packets are left
// unread, and messages of the broker's own wait. A nil Gate is open. Safe for
// concurrent use; its lock is a leaf.
type Gate struct {
	open atomic.Bool

	mu    sync.Mutex
	first []func() // in order, before it opens
	wakes []func() // after it has opened
}

// Opened reports whether the gate is open, as it then stays.
func (g *Gate) Opened() bool { return g == nil || g.open.Load() }

// Open does what waits, in order, and opens the gate.
func (g *Gate) Open() {
	for {
		g.mu.Lock()
		list := g.first
		g.first = nil
		if len(list) == 0 {
			break
		}
		g.mu.Unlock()
		for _, f := range list {
			f()
		}
	}
	g.open.Store(true)
	wakes := g.wakes
	g.wakes = nil
	g.mu.Unlock()
	for _, f := range wakes {
		f()
	}
}

// before calls f just before the gate opens; it does not, and returns false,
// when it is open.
func (g *Gate) before(f func()) (waits bool) { return !g.Opened() && g.add(&g.first, f) }

// after calls f once the gate is open; it does not, and returns false, when it
// is already.
func (g *Gate) after(f func()) (waits bool) { return !g.Opened() && g.add(&g.wakes, f) }

func (g *Gate) add(list *[]func(), f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open.Load() {
		return false
	}
	*list = append(*list, f)
	return true
}

// early reports whether the packet with this first byte must stay unread until
// the gate opens. A DISCONNECT may end the session, and then its messages of
// share groups need the other members. Called with the lock held.
func (c *Conn) early(first byte) bool {
	if c.srv.Gate.Opened() || c.client.Load() == nil {
		return false
	}
	switch packet.Type(first >> 4) {
	case packet.TypePublish, packet.TypeSubscribe, packet.TypeUnsubscribe, packet.TypeDisconnect:
		c.gated = c.gated || c.srv.Gate.after(c.ec.Wake)
		return c.gated && !c.srv.Gate.Opened()
	}
	return false
}
