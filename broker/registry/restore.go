package registry

import (
	"time"

	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
)

// Kept is what the store has of one session's queue. Entries are those in
// flight and the oldest of the others; More and MoreBytes say what is behind
// them, and Last the highest number of all.
type Kept struct {
	Entries         []store.Entry
	Inbound         []uint16
	More, MoreBytes int
	Last            uint64
}

// Read reads a session's queue from the store; of sessions without shared
// subscriptions only as many messages as are sent soon after the client's
// return.
func Read(rec *store.Session, queue store.QueueReader) (k Kept, err error) {
	whole := false
	for _, sub := range rec.Subscriptions {
		whole = whole || sub.ShareName != ""
	}
	waiting := 0
	k.Inbound, err = queue(func(e store.Entry) bool {
		k.Last = e.Number
		if e.PacketID == 0 {
			waiting++
		}
		if whole || e.PacketID != 0 || waiting <= session.LoadPage {
			k.Entries = append(k.Entries, e)
			return true
		}
		k.More++
		k.MoreBytes += e.Message.Size()
		return true
	})
	return k, err
}

// Restore puts a session from the store back, offline, and returns its client.
// A session that was connected when the broker crashed counts as offline since
// now. limits are those of its offline queue until it connects.
//
// Spec: MQTT 5.0 §4.1; the interval goes on over a restart.
func (r *Registry) Restore(now time.Time, rec *store.Session, kept Kept, limits queue.Limits) *Client {
	c, _ := r.locked(rec.Key)
	defer c.mu.Unlock()
	c.st = session.NewState(rec.Key, now, 0)
	c.st.Restore(rec, kept.Entries, kept.Inbound, kept.More, kept.MoreBytes)
	c.st.Continue(kept.Last, rec.Offline.IsZero())
	if c.away == nil {
		c.away = &away{}
	}
	c.offline, c.left = limits, rec.Offline
	if c.left.IsZero() {
		c.left = now
	}
	if rec.Expiry != store.Forever {
		c.expires = c.left.Add(rec.Expiry)
	}
	c.will, c.willDue = rec.Will, rec.WillDue
	r.Metrics.QueueInitializedFromStorage.Inc(1)
	r.Metrics.CopiesRestored.Inc(int64(len(kept.Entries) + kept.More))
	r.arm(c)
	return c
}
