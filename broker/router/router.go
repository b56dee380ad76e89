package router

import (
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/retain"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/subtrie"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// Subscriber receives messages: a client's session, or a peer node.
// Implementations are safe for concurrent use and comparable.
type Subscriber interface {
	// Key names the session; zero for a peer node.
	Key() mqtt.SessionKey
	// Deliver puts one copy of m on its way and adds to b what must be stored
	// before the publisher gets its acknowledgement. It does not block. flush
	// says that Flush must be called when the batch is at its end.
	Deliver(now time.Time, m *mqtt.Message, d mqtt.Delivery, b *store.Batch) (flush bool)
	// Flush sends what Deliver has gathered. It does not block.
	Flush(now time.Time)
	// Durable reports whether what is delivered with QoS 1 or 2 must be stored
	// before the publisher gets its acknowledgement.
	Durable() bool
	// Readiness tells how soon the subscriber can send a message.
	Readiness() mqtt.Readiness
}

// Router holds the routing table and the retained messages. Safe for
// concurrent use.
type Router struct {
	subs     *subtrie.Trie[Subscriber]
	retained *retain.Store
	metrics  *metric.Broker
	each     bool // overlapping_subscriptions = each
	policy   atomic.Uint32
}

// New returns an empty router. With each, overlapping subscriptions of one
// session get one copy each, else one copy at the highest QoS.
func New(m *metric.Broker, each bool) *Router {
	return &Router{subs: subtrie.New[Subscriber](), retained: retain.New(), metrics: m, each: each}
}

// Subscribe adds or replaces a subscription.
func (r *Router) Subscribe(mountpoint string, sub mqtt.Subscription, s Subscriber) {
	r.subs.Insert(mountpoint, sub, s)
}

// Unsubscribe removes a subscription.
func (r *Router) Unsubscribe(mountpoint string, sub mqtt.Subscription, s Subscriber) {
	r.subs.Remove(mountpoint, sub.ShareName, sub.Filter, s)
}

// Retained returns the retained messages.
func (r *Router) Retained() *retain.Store { return r.retained }

// Subscriptions returns the number of subscriptions.
func (r *Router) Subscriptions() int { return r.subs.Len() }

// Memory returns an estimate of the routing table's size in bytes.
func (r *Router) Memory() int64 { return r.subs.Bytes() }
