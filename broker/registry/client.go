package registry

import (
	"sync"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
)

// Attachment is the network connection of a client, as the registry sees it.
// All methods are called with the client's lock held and must not block.
type Attachment interface {
	// Joined says that c is the connection's client from now on: its lock is
	// the connection's.
	Joined(c *Client)
	// Deliver takes one message for the client; taken = false when the
	// connection is at its end.
	Deliver(now time.Time, it mqtt.Queued, b *store.Batch) (taken bool)
	// HasRoom reports whether the queue takes one more message.
	HasRoom() bool
	// Flush sends what Deliver has gathered. What it returns, if anything, is
	// called after the lock is released.
	Flush(now time.Time) (after func())
	// Evict ends the connection because of code; the client is already
	// detached from it.
	Evict(now time.Time, code mqtt.ReasonCode, reason string)
	// Idle reports whether the connection, which has lost its client, has
	// nothing of the client's in hand any longer: packets taken but not yet
	// routed. Otherwise f is called as soon as that is so, without the lock.
	Idle(f func()) bool
}

// Client is one client identifier with its session and its connection.
// Safe for concurrent use.
type Client struct {
	key mqtt.SessionKey
	reg *Registry

	mu      sync.Mutex
	*away                  // nil while there is a connection
	st      *session.State // nil once the client is dead
	conn    Attachment     // nil while offline
	info    *hook.Client   // of the present or last connection
	online  bool           // conn was accepted
	dirty   bool           // somebody will call Flush
	dead    bool           // no longer in the registry
	passed  []func()       // flushes others that got what came after its end
	busy    []busy         // connections before, which are not idle yet
	will    *mqtt.Will     // of the connection, or delayed after it
	offline queue.Limits
}

// away is what there is to know of a client without a connection. Guarded by
// the client's lock, the timer by that of the timers.
type away struct {
	left    time.Time // when the last connection ended
	expires time.Time // end of the session; zero = never
	willDue time.Time // of a delayed will
	timer   timer
}

// Key returns the client's mountpoint and identifier.
func (c *Client) Key() mqtt.SessionKey { return c.key }

// Lock takes the client's lock; Unlock gives it back.
func (c *Client) Lock() { c.mu.Lock() }

// Unlock gives the client's lock back.
func (c *Client) Unlock() { c.mu.Unlock() }

// Session returns the session while the caller holds the lock; nil once it has
// ended.
func (c *Client) Session() *session.State { return c.st }

// Connection returns the present connection while the caller holds the lock, nil
// while there is none.
func (c *Client) Connection() Attachment { return c.conn }

// Attached reports whether a is the client's connection. The caller holds the
// lock.
func (c *Client) Attached(a Attachment) bool { return c.conn == a && !c.dead }

// Accepted says that CONNACK was sent through the present connection, which
// takes deliveries from now on. The caller holds the lock.
func (c *Client) Accepted() { c.online = true }

// giveBack puts messages of share groups back that no other member can take. It
// returns those whose session has ended.
func (c *Client) giveBack(items []mqtt.Queued, b *store.Batch) (lost []mqtt.Queued) {
	if len(items) == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return items
	}
	return c.st.GiveBack(items, b)
}

// TakeUnsent takes the messages of a share group that an offline client has
// not been sent, for a member that is online.
func (c *Client) TakeUnsent(of *mqtt.Share, b *store.Batch) []mqtt.Queued {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead || c.online {
		return nil
	}
	return c.st.Unsent(of, b)
}

// Durable reports whether what the client is to get with QoS 1 or 2 must be
// stored.
func (c *Client) Durable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.dead && c.st.Durable()
}

// Readiness tells how soon the client can be sent a message.
func (c *Client) Readiness() mqtt.Readiness {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.online:
		return mqtt.Offline
	case c.queued() == 0:
		return mqtt.Idle
	case c.conn.HasRoom():
		return mqtt.Busy
	}
	return mqtt.Full
}

// queued is the number of messages that wait. Called with the lock held.
func (c *Client) queued() int {
	n, _ := c.st.Queued()
	return n
}

// Spill leaves the messages of an offline client to the store.
func (c *Client) Spill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dead && c.conn == nil {
		c.st.Spill(c.offline)
	}
}

// Deliver puts one copy of m on its way to the client: to its connection, or
// into its offline queue. What must be stored goes into b. It reports whether
// the caller must call Flush at the end of its batch.
func (c *Client) Deliver(now time.Time, m *mqtt.Message, d mqtt.Delivery, b *store.Batch) (flush bool) {
	return c.delivered(now, m, d, b, c.deliver(now, m, d, b))
}

// delivered does what is left to do without the lock, see Deliver.
func (c *Client) delivered(now time.Time, m *mqtt.Message, d mqtt.Delivery, b *store.Batch, o outcome) (flush bool) {
	switch o.to {
	case nobody:
		return c.pass(now, m, d, b)
	case connection:
		return true
	case dirtyConnection:
		return false
	}
	if o.reason != mqtt.DropNone {
		c.reg.Dropped(c.key, o.lost, o.reason)
	}
	if o.to == offline {
		c.reg.chain().OnOfflineMessage(c.key, d, m)
	}
	return false
}

// DeliverPicked is Deliver, but for Flush, of what pick returns, which is called
// with the lock held: nothing reaches the client between the choice and the
// delivery. A nil message is none; delivered says that there was one.
func (c *Client) DeliverPicked(now time.Time, b *store.Batch, pick func() (*mqtt.Message, mqtt.Delivery)) (delivered bool) {
	m, d, o := c.deliverPicked(now, b, pick)
	if m != nil {
		c.delivered(now, m, d, b, o)
	}
	return m != nil
}

func (c *Client) deliverPicked(now time.Time, b *store.Batch, pick func() (*mqtt.Message, mqtt.Delivery)) (m *mqtt.Message, d mqtt.Delivery, o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, d = pick(); m != nil {
		o = c.place(now, m, d, b)
	}
	return m, d, o
}

// destination is where a copy went.
type destination uint8

const (
	nobody          destination = iota // the session has ended
	connection                         // to be flushed
	dirtyConnection                    // that is to be flushed already
	refused                            // by the full queue: it is the one that was dropped
	offline
)

// outcome is what became of a copy, and the message that was lost for it.
type outcome struct {
	to     destination
	lost   *mqtt.Message
	reason mqtt.DropReason
}

// deliver is Deliver under the lock. A panic of the machine leaves it free.
func (c *Client) deliver(now time.Time, m *mqtt.Message, d mqtt.Delivery, b *store.Batch) outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.place(now, m, d, b)
}

// place is deliver with the lock held.
func (c *Client) place(now time.Time, m *mqtt.Message, d mqtt.Delivery, b *store.Batch) outcome {
	if c.dead {
		return outcome{to: nobody}
	}
	it := mqtt.Queued{Number: c.st.NextNumber(d.QoS), Message: m, Delivery: d}
	if d.QoS > mqtt.AtMostOnce && c.st.Durable() {
		b.Add(store.Op{Kind: store.Append, Key: c.key, Entry: store.Entry{Queued: it}})
		b.Sync = true
		it.Ticket = b.Ticket()
	}
	if c.online && c.conn.Deliver(now, it, b) {
		was := c.dirty
		if c.dirty = true; was {
			return outcome{to: dirtyConnection}
		}
		return outcome{to: connection}
	}
	out, reason := c.keep(it, b)
	if c.reg.SpillsNow() && c.conn == nil {
		c.st.Spill(c.offline)
	}
	to := offline
	if reason != mqtt.DropNone && out.Number == it.Number {
		to = refused
	}
	return outcome{to, out.Message, reason}
}

// pass deals with a message that comes after the client's end: one of a share
// group goes to another member, in the same commit. It reports whether Flush
// must be called.
//
// Spec: MQTT 5.0 §4.8.2.
func (c *Client) pass(now time.Time, m *mqtt.Message, d mqtt.Delivery, b *store.Batch) (flush bool) {
	if d.Share == nil {
		c.reg.Dropped(c.key, m, mqtt.DropSessionEnded)
		return false
	}
	others := c.reg.HandOver(now, c, true, []mqtt.Queued{{Message: m, Delivery: d}}, b)
	c.mu.Lock()
	c.passed = append(c.passed, others)
	c.mu.Unlock()
	return true
}

// keep puts a message into the offline queue. Called with the lock held.
func (c *Client) keep(it mqtt.Queued, b *store.Batch) (dropped mqtt.Queued, reason mqtt.DropReason) {
	if it.Delivery.QoS == mqtt.AtMostOnce {
		return it, mqtt.DropOffline
	}
	if d, ok := c.st.Push(it, c.offline); !ok {
		c.st.Complete(d, b)
		return d, mqtt.DropQueueFull
	}
	return mqtt.Queued{}, mqtt.DropNone
}

// Flush sends what was delivered since the last Flush.
func (c *Client) Flush(now time.Time) {
	after, passed, left := c.flush(now)
	if after != nil {
		after()
	}
	for _, f := range passed {
		f()
	}
	if left {
		c.passOn(now)
	}
}

// flush is Flush under the lock: left says that the client has left between
// Deliver and now. A panic of the machine leaves the lock free.
func (c *Client) flush(now time.Time) (after func(), passed []func(), left bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left = c.dirty && !c.online && !c.dead
	c.dirty = false
	if c.online {
		after = c.conn.Flush(now)
	}
	passed, c.passed = c.passed, nil
	return after, passed, left
}

// passOn gives messages of share groups that came just before the client left
// to other members.
func (c *Client) passOn(now time.Time) {
	var late finale
	var b store.Batch
	c.mu.Lock()
	if !c.online && !c.dead {
		late.moved = c.st.Unsent(nil, &b)
	}
	c.mu.Unlock()
	if len(late.moved) > 0 {
		c.reg.handOverAndCommit(now, c, &late, &b, nil)
	}
}

// InMemory returns how many messages of the queue are in memory; the others are
// only in the store.
func (c *Client) InMemory() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return 0
	}
	return c.st.Queue.Len()
}

// Info is what commands show of a client.
type Info struct {
	Client        *hook.Client // nil if it has not connected since the start
	Key           mqtt.SessionKey
	Username      string
	Online        bool
	Durable       bool
	Queued        int
	QueueBytes    int
	Inflight      int
	Since         time.Time // of the session
	Started       time.Time // of the connection
	Subscriptions map[string]mqtt.Subscription
}

// Info returns a copy of what there is to show; ok = false when the client is
// gone.
func (c *Client) Info(subscriptions bool) (i Info, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return Info{}, false
	}
	s := c.st
	queued, bytes := s.Queued()
	i = Info{Client: c.info, Key: c.key, Username: s.Username, Online: c.online, Durable: s.Durable(), Queued: queued,
		QueueBytes: bytes, Inflight: s.Inflight(), Since: s.Since, Started: s.Started}
	if subscriptions {
		i.Subscriptions = map[string]mqtt.Subscription{}
		for f, sub := range s.Subscriptions() {
			i.Subscriptions[f] = sub
		}
	}
	return i, true
}
