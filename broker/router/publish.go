package router

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/subtrie"
)

// Batch is the work of one publisher between two Flush calls: what its
// messages leave to be stored, and who waits to be flushed. Owned by one
// goroutine; reused.
type Batch struct {
	Store store.Batch
	// Untold says that nobody learns whether the messages to come are stored: no
	// publisher waits for an acknowledgement.
	Untold bool

	changes []change
	dirty   []Subscriber
	result  subtrie.Result[Subscriber]
	place   map[Subscriber]int // of a subscriber in merged
	merged  []copyFor
	counts  counts

	policy *Policy // of the publisher, nil = the router's
}

// copyFor is one copy to be made.
type copyFor struct {
	to Subscriber
	d  mqtt.Delivery
}

// counts are added to the metrics once per batch.
type counts struct{ received, routed, unrouted, copies int64 }

// Publish routes m and returns the number of copies made. m must not change
// afterwards. Receivers that are to be flushed are remembered in b.
//
// Spec: MQTT 5.0 §3.3.4 [MQTT-3.3.4-2].
func (r *Router) Publish(now time.Time, m *mqtt.Message, b *Batch) (copies int) {
	b.counts.received++
	if m.Retain {
		r.retain(m, b)
	}
	b.result.Reset()
	r.subs.Match(m.Mountpoint, m.Topic, &b.result)
	plain := b.result.Plain
	if r.each || b.result.Filters <= 1 {
		for i := range plain {
			if d, ok := delivery(m, plain[i]); ok {
				copies += b.deliver(now, m, plain[i].Subscriber, d)
			}
		}
	} else {
		copies = r.merge(now, m, b)
	}
	for i := range b.result.Groups {
		copies += r.share(now, m, &b.result.Groups[i], b)
	}
	if copies > 0 {
		b.counts.routed++
		b.counts.copies += int64(copies)
	} else {
		b.counts.unrouted++
	}
	return copies
}

// deliver makes one copy.
func (b *Batch) deliver(now time.Time, m *mqtt.Message, s Subscriber, d mqtt.Delivery) int {
	if s.Deliver(now, m, d, &b.Store) {
		b.dirty = append(b.dirty, s)
	}
	return 1
}

// delivery applies one subscription's options; ok = false when no local keeps
// the message from it.
//
// Spec: MQTT 5.0 §3.8.3.1 [MQTT-3.8.3-3], [MQTT-3.3.1-12], [MQTT-3.3.1-13].
func delivery(m *mqtt.Message, x subtrie.Match[Subscriber]) (d mqtt.Delivery, ok bool) {
	o := x.Options
	if o.NoLocal() && x.Subscriber.Key() == m.Publisher {
		return d, false
	}
	d = mqtt.Delivery{QoS: min(m.QoS, o.QoS), Retain: m.Retain && o.RetainAsPublished(), SubscriptionID: o.ID}
	if o.UpgradeQoS() {
		d.QoS = o.QoS
	}
	return d, true
}

// merge makes one copy per subscriber: the highest QoS, and the identifiers of
// all its matching subscriptions.
//
// Spec: MQTT 5.0 §3.3.4 [MQTT-3.3.4-3], [MQTT-3.3.4-4].
func (r *Router) merge(now time.Time, m *mqtt.Message, b *Batch) (copies int) {
	if b.place == nil {
		b.place = map[Subscriber]int{}
	}
	b.merged = b.merged[:0]
	for _, x := range b.result.Plain {
		d, ok := delivery(m, x)
		if !ok {
			continue
		}
		i, again := b.place[x.Subscriber]
		if !again {
			b.place[x.Subscriber] = len(b.merged)
			b.merged = append(b.merged, copyFor{x.Subscriber, d})
			continue
		}
		have := &b.merged[i].d
		have.QoS = max(have.QoS, d.QoS)
		have.Retain = have.Retain || d.Retain
		switch {
		case d.SubscriptionID == 0:
		case have.SubscriptionID == 0:
			have.SubscriptionID = d.SubscriptionID
		default:
			have.MoreIDs = append(have.MoreIDs, d.SubscriptionID)
		}
	}
	for _, x := range b.merged {
		copies += b.deliver(now, m, x.to, x.d)
	}
	clear(b.place)
	clear(b.merged)
	return copies
}

// Flush sends what the batch's messages left with their receivers and adds up
// the counts. The store's part is the caller's.
func (b *Batch) Flush(now time.Time, r *Router) {
	for i, s := range b.dirty {
		s.Flush(now)
		b.dirty[i] = nil
	}
	b.dirty = b.dirty[:0]
	c := &b.counts
	if c.received > 0 {
		r.metrics.MessagesReceived.Inc(c.received)
		r.metrics.MessagesRouted.Inc(c.routed)
		r.metrics.MessagesUnrouted.Inc(c.unrouted)
		r.metrics.CopiesMade.Inc(c.copies)
		r.metrics.QueueMessageIn.Inc(c.copies)
		r.metrics.RouterMatchesLocal.Inc(c.copies)
		*c = counts{}
	}
}
