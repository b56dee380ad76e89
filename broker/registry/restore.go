package registry

import (
	"time"

	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
)

// Kept is what the store has of one session's queue. Entries are those in
// flight and the oldest of the others; More and MoreBytes say what is behind
// them, and Last the highest number of all. Messages with a number below Sent
// were taken out of the queue to be sent before the one with that number, whose
// packet identifier was stored.
type Kept struct {
	Entries         []store.Entry
	Inbound         []uint16
	More, MoreBytes int
	Last, Sent      uint64
}

// Read reads a session's queue from the store; of sessions without shared
// subscriptions only as many messages as are sent soon after the client's
// return, and all that may have been sent before a crash.
func Read(rec *store.Session, queue store.QueueReader) (k Kept, err error) {
	whole := false
	for _, sub := range rec.Subscriptions {
		whole = whole || sub.ShareName != ""
	}
	k, left, err := read(queue, whole, 0)
	if err == nil && left && rec.Offline.IsZero() { // rare: very many were in flight
		k, _, err = read(queue, whole, k.Sent)
	}
	return k, err
}

// read reads a queue up to the number upTo, and a page behind it unless it is
// to be read whole. It reports whether messages before k.Sent were left out.
func read(queue store.QueueReader, whole bool, upTo uint64) (k Kept, left bool, err error) {
	waiting := 0
	k.Inbound, err = queue(func(e store.Entry) bool {
		k.Last = e.Number
		if e.PacketID == 0 {
			waiting++
		} else {
			k.Sent, left = e.Number, k.More > 0
		}
		if whole || e.PacketID != 0 || e.Number < upTo || waiting <= session.LoadPage {
			k.Entries = append(k.Entries, e)
			return true
		}
		k.More++
		k.MoreBytes += e.Message.Size()
		return true
	})
	return k, left, err
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
	sent := kept.Sent
	if limits.LIFO || !rec.Offline.IsZero() { // no order to keep, or what was sent is in the store
		sent = 0
	}
	c.st.Restore(rec, kept.Entries, kept.Inbound, kept.More, kept.MoreBytes, sent)
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
