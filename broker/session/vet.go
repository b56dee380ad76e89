package session

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// Question is a message that waits for a verdict: it may be sent now, unless
// somebody objects.
type Question struct {
	Item mqtt.Queued
	// Sent says that it has been in flight before the broker was restarted, and
	// is about to be repeated.
	Sent bool
	seq  uint64 // if Sent
}

// Answer is the verdict: Drop, or send Message in its place unless that is nil.
type Answer struct {
	Drop    bool
	Message *mqtt.Message // immutable
}

// Vet switches on or off that each message needs a verdict before it is sent.
// What was sent already needs none.
func (m *Machine) Vet(on bool) { m.vets = on }

// Question returns the next message that needs a verdict; none while the client
// or the store must do something first. It is the same until it is answered.
// What may go without one is sent by Flow before.
func (m *Machine) Question() (q Question, ok bool) {
	if !m.vets || m.phase < Connected || m.phase == Ended {
		return q, false
	}
	if m.resume {
		return m.resumed()
	}
	q.Item, ok = m.next()
	return q, ok
}

// resumed asks about the first message in flight that has not been repeated.
func (m *Machine) resumed() (q Question, ok bool) {
	if m.onWire >= m.params.MaxInflight || len(m.out)-m.taken >= softOutput {
		return q, false
	}
	w := &m.st.window
	for i := w.head; i < len(w.list); i++ {
		if f := &w.list[i]; !f.onWire && f.step != stepDone {
			return Question{Item: f.item, Sent: true, seq: f.seq}, f.unvetted()
		}
	}
	return q, false
}

// unvetted reports whether the message came from the store, so that how it was
// sent, and whether, is not known.
func (f *inflight) unvetted() bool {
	return !f.vetted && (f.step == stepSent || f.step == stepAssigning)
}

// Vetted takes the answer to a question and sends or drops the message, if it
// still is what waits: else it has been dealt with meanwhile, or is asked about
// again. A message in flight is sent by the next Flow. b takes what is to be
// stored, see Flow.
func (m *Machine) Vetted(now time.Time, q Question, a Answer, b *store.Batch) {
	if m.phase < Connected || m.phase == Ended {
		return
	}
	if q.Sent {
		m.vettedAgain(q, a, b)
		return
	}
	if m.resume || !m.mayFly(q.Item.Delivery.QoS) || m.overtakes(q.Item.Delivery.QoS) {
		return
	}
	it, ok := m.st.Queue.Take(m.params.Online.LIFO, q.about)
	switch {
	case !ok:
	case a.Drop:
		m.Drop(it, mqtt.DropHook, b)
	default:
		m.emit(now, it, a.Message, b)
	}
}

// about reports whether the question was asked about it. Copies of one message
// that cannot be told apart are the same.
func (q *Question) about(it mqtt.Queued) bool {
	d := &q.Item.Delivery
	return it.Number == q.Item.Number && it.Message == q.Item.Message && it.Delivery.QoS == d.QoS && it.Delivery.Retain == d.Retain &&
		it.Delivery.SubscriptionID == d.SubscriptionID && it.Delivery.Share == d.Share
}

// vettedAgain takes the answer about a message in flight. One of QoS 2 cannot be
// dropped: it was let through when it was sent, and the client may hold its
// packet identifier, which must not name another message before both have
// finished with it.
//
// Spec: MQTT 5.0 §4.3.3, §4.4.
func (m *Machine) vettedAgain(q Question, a Answer, b *store.Batch) {
	f := m.st.window.find(seqID(q.seq))
	if f == nil || f.seq != q.seq || f.onWire || !f.unvetted() {
		return
	}
	if a.Drop && q.Item.Delivery.QoS == mqtt.AtLeastOnce {
		m.st.window.done(f)
		m.Drop(q.Item, mqtt.DropHook, b)
		return
	}
	f.vetted = true
	if a.Message != nil && !a.Drop && m.fits(time.Time{}, as(f.item, a.Message)) { // [MQTT-3.1.2-24]
		f.sent = a.Message
	}
}
