package session

import (
	"iter"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/broker/topic"
)

// State is a session: what may survive its connection. Owned by the holder of
// the client's lock.
//
// Spec: MQTT 5.0 §4.1; MQTT 3.1.1 §4.1.
type State struct {
	Key      mqtt.SessionKey
	Username string
	// Expiry is how long the session outlives its connection: 0 = it ends with
	// it, store.Forever = always.
	Expiry time.Duration
	Queue  queue.Queue
	Since  time.Time // when the session began
	// Started is when its present or last connection began.
	Started time.Time

	window  window
	backlog backlog
	inbound map[uint16]struct{} // QoS 2 packet identifiers accepted and not released
	base    uint64              // numbers up to it are of earlier sessions of the client
	number  uint64              // of the last message that entered
	doubt   uint64              // QoS 1 messages up to this number may have been sent before a crash
	stored  bool                // has a record in the store

	subscriptions subscriptions
}

// Subscriptions gives the subscriptions by filter as the client sent it,
// "$share/..." included, in no order; they must not change meanwhile.
func (s *State) Subscriptions() iter.Seq2[string, mqtt.Subscription] { return s.subscriptions.all() }

// Subscription returns the subscription to a filter as the client sent it.
func (s *State) Subscription(sent string) (sub mqtt.Subscription, had bool) {
	return s.subscriptions.get(sent)
}

// NewState returns an empty session. Its messages are numbered from a base
// above after, that no earlier session of the client has reached: a change of
// that one which is still on its way to the store can then not be taken for one
// of this. The first message gets packet identifier 1, see numberID.
func NewState(key mqtt.SessionKey, now time.Time, after uint64) *State {
	base := (max(uint64(max(0, now.UnixNano())), after) + maxID - 1) / maxID * maxID
	return &State{Key: key, Since: now, base: base, number: base}
}

// Durable reports whether the session outlives its connection, so that its
// messages and identifiers are kept in the store.
func (s *State) Durable() bool { return s.Expiry > 0 }

// Inflight returns the number of messages sent and not completed.
func (s *State) Inflight() int { return s.window.live }

// NextNumber returns the number of the next message that enters the session.
// One of QoS 0, which is never stored nor acknowledged, has none.
func (s *State) NextNumber(q mqtt.QoS) uint64 {
	if q == mqtt.AtMostOnce {
		return 0
	}
	s.number++
	return s.number
}

// Number returns the number of the last message that entered the session, or
// its base.
func (s *State) Number() uint64 { return s.number }

// Record is the session as the store keeps it, but for its subscriptions.
func (s *State) Record() *store.Session {
	return &store.Session{Key: s.Key, Username: s.Username, Expiry: s.Expiry}
}

// PutRecord adds the session's record to b if the session is durable, and
// deletes it if it is no longer.
func (s *State) PutRecord(b *store.Batch, sync bool) {
	switch {
	case s.Durable():
		b.Add(store.Op{Kind: store.PutSession, Key: s.Key, Session: s.Record()})
		if !s.stored {
			s.stored = true
			for sent := range s.subscriptions.all() {
				s.PutSubscription(b, sent)
			}
		}
	case s.stored:
		b.Add(store.Op{Kind: store.DeleteSession, Key: s.Key})
		s.stored = false
	default:
		return
	}
	b.Sync = b.Sync || sync
}

// Restore fills an empty session from the store. entries are those in flight
// and the oldest others; more and moreBytes say what else is in the store
// behind them. QoS 1 messages with a number below sent were in flight although
// the store does not say so: they keep their places among those of QoS 2, under
// the identifiers foreseen for them.
//
// Spec: MQTT 3.1.1 §4.6 [MQTT-4.6.0-1].
func (s *State) Restore(r *store.Session, entries []store.Entry, inbound []uint16, more, moreBytes int, sent uint64) {
	s.Username, s.Expiry, s.stored = r.Username, r.Expiry, true
	s.subscriptions.grow(len(r.Subscriptions))
	for _, sub := range r.Subscriptions {
		s.subscriptions.put(topic.Join(sub.ShareName, sub.Filter), optionsOf(sub))
	}
	var used map[uint16]bool // identifiers in the store
	if sent > 0 {
		used = make(map[uint16]bool)
		for _, e := range entries {
			used[e.PacketID] = true
		}
	}
	for _, e := range entries {
		s.number = max(s.number, e.Number)
		id := numberID(e.Number)
		switch {
		case e.Released:
			s.window.restore(e.Queued, e.PacketID, stepReleased)
		case e.PacketID != 0:
			s.window.restore(e.Queued, e.PacketID, stepSent)
		case e.Number < sent && e.Delivery.QoS == mqtt.AtLeastOnce && !used[id]:
			used[id] = true
			s.backlog.after = e.Number
			s.window.restore(e.Queued, id, stepSent)
		default:
			s.backlog.after = e.Number
			s.Queue.Push(e.Queued, queue.Limits{Messages: -1})
		}
	}
	s.backlog.count, s.backlog.bytes = more, moreBytes
	for _, id := range inbound {
		s.accept(id)
	}
}

// Continue says that the store has messages up to number n, 0 = none: those to
// come are numbered above, and their packet identifiers follow on. With doubt
// the session was connected when the broker ended without an orderly stop: what
// was sent is not known then, so that each QoS 1 message of the store may have
// been. It is sent under the identifier it would have had, marked as a repeat.
//
// Spec: MQTT 5.0 §3.3.1.1, §4.4 [MQTT-4.4.0-1].
func (s *State) Continue(n uint64, doubt bool) {
	s.base, s.number = 0, max(s.number, n)
	if n > 0 {
		s.number += (n%maxID + maxID - s.number%maxID) % maxID
	}
	if doubt {
		s.doubt = n
	}
}

// Inbound returns the packet identifier a response is owed for, and whether
// the session is durable, so that it must be stored.
func (m *Machine) Inbound(s Slot) (id uint16, durable bool) {
	if r := m.responses.get(s); r != nil {
		return r.id, m.st.stored
	}
	return 0, false
}

// Forget makes the packet identifier of a QoS 2 message that was refused free
// where no answer can do so, because the connection ends: if the client sends
// the message again, it is not taken for a repeat.
func (m *Machine) Forget(s Slot) {
	if r := m.responses.get(s); r != nil && r.kind == packet.TypePubrec {
		delete(m.st.inbound, r.id)
	}
}

// accept remembers an inbound QoS 2 identifier.
func (s *State) accept(id uint16) {
	if s.inbound == nil {
		s.inbound = make(map[uint16]struct{})
	}
	s.inbound[id] = struct{}{}
}

// Each calls f for every message in flight and in the queue, oldest first.
func (s *State) Each(f func(mqtt.Queued)) {
	s.window.each(func(x *inflight) { f(x.item) })
	s.Queue.Each(func(it mqtt.Queued) bool {
		f(it)
		return true
	})
}

// PutIdentifiers adds to b the packet identifiers of QoS 1 messages in flight,
// so that after an orderly stop it is known which were sent. Those of QoS 2 are
// stored before they are used.
//
// Spec: MQTT 5.0 §4.4 [MQTT-4.4.0-1].
func (s *State) PutIdentifiers(b *store.Batch) {
	if !s.stored {
		return
	}
	s.window.each(func(f *inflight) {
		if f.step == stepSent && f.item.Delivery.QoS == mqtt.AtLeastOnce {
			s.putIdentifier(f, b)
		}
	})
}

// putIdentifier adds to b that f is in flight under its packet identifier.
func (s *State) putIdentifier(f *inflight, b *store.Batch) {
	b.Add(store.Op{Kind: store.Assign, Key: s.Key, Entry: store.Entry{Queued: f.item, PacketID: f.id()}})
}

// End empties a session that ends. Every message is given to drop, or, when it
// was made for a share group and the client cannot have dealt with it (never
// sent, or QoS 1 and not acknowledged), to move, oldest first.
//
// Spec: MQTT 5.0 §4.8.2.
func (s *State) End(drop, move func(mqtt.Queued)) {
	s.window.each(func(x *inflight) {
		if x.item.Delivery.Share != nil && (x.item.Delivery.QoS == mqtt.AtLeastOnce || x.step == stepAssigning) {
			move(x.item)
			return
		}
		drop(x.item)
	})
	s.window = window{next: s.window.next}
	for {
		it, ok := s.Queue.Pop(false)
		if !ok {
			return
		}
		if it.Delivery.Share != nil {
			move(it)
			continue
		}
		drop(it)
	}
}
