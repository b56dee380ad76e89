package registry

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// Deps is what the registry is composed with.
type Deps struct {
	Store   store.Store
	Metrics *metric.Broker
	// Chain returns the hooks in force.
	Chain func() *hook.Chain
	// Unsubscribe takes one subscription out of the routing table. Called with
	// the client's lock held.
	Unsubscribe func(c *Client, sub mqtt.Subscription)
	// Publish routes a will. Called without any lock.
	Publish func(now time.Time, info *hook.Client, w *mqtt.Will)
	// Redistribute gives messages of share groups that from will not deliver to
	// other members, in order, and adds to b what must be stored; it returns
	// what nobody gets, and what must be called once b is submitted. Unless from
	// has left for good, only members that are online get any. Called without
	// any lock.
	Redistribute func(now time.Time, from *Client, forGood bool, items []mqtt.Queued, b *store.Batch) (left []mqtt.Queued, flush func())
	// HighMemory reports whether queues of offline clients should be left to
	// the store; nil = never.
	HighMemory func() bool
	// OnDrop is told of drops for the operator's log; it must not block.
	OnDrop func(key mqtt.SessionKey, m *mqtt.Message, r mqtt.DropReason)
}

const (
	shardBits = 6
	shards    = 1 << shardBits
)

// Registry holds the clients. Safe for concurrent use. Lock order: a client's
// lock before a shard's, a shard's before the timer's.
type Registry struct {
	Deps
	seed   maphash.Seed
	shard  [shards]shard
	timers timers
	// reached is the highest message number of any session whose client is
	// gone: no later session of that client may use it again.
	reached atomic.Uint64
}

type shard struct {
	mu      sync.RWMutex
	clients index
}

// New returns an empty registry. Its owner calls Close.
func New(d Deps) *Registry {
	return &Registry{Deps: d, seed: maphash.MakeSeed()}
}

// Close stops the timers. Clients stay as they are.
func (r *Registry) Close() { r.timers.close() }

func (r *Registry) chain() *hook.Chain { return r.Deps.Chain() }

// at returns the hash of a key and its shard.
func (r *Registry) at(key mqtt.SessionKey) (hash uint64, s *shard) {
	hash = maphash.Comparable(r.seed, key)
	return hash, &r.shard[hash%shards]
}

// Get returns the client of a key, nil if there is none.
func (r *Registry) Get(key mqtt.SessionKey) *Client {
	hash, s := r.at(key)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.clients.get(hash, key)
}

// locked returns the client of a key, made if need be, with its lock held.
func (r *Registry) locked(key mqtt.SessionKey) (c *Client, isNew bool) {
	hash, s := r.at(key)
	for {
		s.mu.Lock()
		c, isNew = s.clients.obtain(hash, key, func() *Client {
			c := &Client{key: key, reg: r}
			c.mu.Lock()
			return c
		})
		s.mu.Unlock()
		if isNew {
			return c, true
		}
		c.mu.Lock()
		if !c.dead {
			return c, c.st == nil
		}
		c.mu.Unlock()
	}
}

// forget takes a client out. Called with its lock held.
func (r *Registry) forget(c *Client) {
	c.dead = true
	for n := c.st.Number(); ; {
		if old := r.reached.Load(); old >= n || r.reached.CompareAndSwap(old, n) {
			break
		}
	}
	r.back(c)
	hash, s := r.at(c.key)
	s.mu.Lock()
	s.clients.remove(hash, c.key)
	s.mu.Unlock()
}

// Each calls f for every client until it returns false, without any lock held
// during f; clients that come or go meanwhile may be missed or seen.
func (r *Registry) Each(f func(*Client) bool) {
	var page []*Client
	for i := range r.shard {
		s := &r.shard[i]
		s.mu.RLock()
		page = s.clients.appendTo(page[:0])
		s.mu.RUnlock()
		for _, c := range page {
			if !f(c) {
				return
			}
		}
	}
}

// Len returns the number of clients, connected or not.
func (r *Registry) Len() (n int) {
	for i := range r.shard {
		s := &r.shard[i]
		s.mu.RLock()
		n += s.clients.n
		s.mu.RUnlock()
	}
	return n
}

// Lost counts n copies that a store did not keep.
func (r *Registry) Lost(n int) {
	r.Metrics.Dropped(int(mqtt.DropStoreFailed)).Inc(int64(n))
	r.Metrics.QueueMessageDrop.Inc(int64(n))
}

// SpillsNow reports whether queues of offline clients are left to the store.
func (r *Registry) SpillsNow() bool { return r.HighMemory != nil && r.HighMemory() }

// SpillAll leaves the queues of all offline clients to the store.
func (r *Registry) SpillAll() {
	r.Each(func(c *Client) bool {
		c.Spill()
		return true
	})
}

// Dropped counts a dropped copy and tells hooks and log. Called without any
// client's lock.
func (r *Registry) Dropped(key mqtt.SessionKey, m *mqtt.Message, reason mqtt.DropReason) {
	r.Metrics.Dropped(int(reason)).Inc(1)
	switch reason {
	case mqtt.DropExpired:
		r.Metrics.QueueMessageExpired.Inc(1)
	case mqtt.DropOffline:
		r.Metrics.QueueMessageUnhandled.Inc(1)
	default:
		r.Metrics.QueueMessageDrop.Inc(1)
	}
	if ch := r.chain(); ch.HasOnMessageDrop() {
		ch.OnMessageDrop(&hook.Drop{Key: key, Message: m, Reason: reason})
	}
	if r.OnDrop != nil {
		r.OnDrop(key, m, reason)
	}
}
