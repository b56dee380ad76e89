package registry

import (
	"time"

	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
)

// Restore puts a session from the store back, offline, and returns its client.
// A session that was connected when the broker stopped counts as offline since
// now. limits are those of its offline queue until it connects.
//
// Spec: MQTT 5.0 §4.1; the interval goes on over a restart.
func (r *Registry) Restore(now time.Time, rec *store.Session, entries []store.Entry, inbound []uint16, limits queue.Limits) *Client {
	c, _ := r.locked(rec.Key)
	defer c.mu.Unlock()
	c.st = session.NewState(rec.Key, now)
	c.st.Restore(rec, entries, inbound)
	c.offline, c.left = limits, rec.Offline
	if c.left.IsZero() {
		c.left = now
	}
	if rec.Expiry != store.Forever {
		c.expires = c.left.Add(rec.Expiry)
	}
	c.will, c.willDue = rec.Will, rec.WillDue
	for _, sub := range rec.Subscriptions {
		c.st.Subscribed(joined(sub), sub)
	}
	r.Metrics.QueueInitializedFromStorage.Inc(1)
	r.Metrics.CopiesRestored.Inc(int64(len(entries)))
	r.arm(c)
	return c
}
