package session

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/store"
)

// softOutput is how many bytes are encoded ahead of the socket from the queue;
// the rest waits unencoded.
const softOutput = 64 << 10

// Deliver takes one message for the client: into the output if it may go at
// once, into the queue else. A message that b stores waits in the queue until b
// is submitted, as does each one while deliveries are vetted. What the queue
// drops for it is tallied, and b takes the completion.
func (m *Machine) Deliver(now time.Time, it mqtt.Queued, b *store.Batch) {
	if !m.vets && m.st.Queue.Len() == 0 && !m.resume && m.st.backlog.count == 0 {
		if it.Delivery.QoS == mqtt.AtMostOnce && m.assigning == 0 {
			if len(m.out)-m.taken >= int(m.cfg.MaxOutputBytes) {
				m.did().drop(it, mqtt.DropOutputFull)
				return
			}
			m.emit(now, it, nil, b)
			return
		}
		kept := it.Ticket != nil || m.st.stored && it.Delivery.QoS == mqtt.ExactlyOnce
		if !kept && m.mayFly(it.Delivery.QoS) && len(m.out)-m.taken < softOutput && !m.overtakes(it.Delivery.QoS) {
			m.emit(now, it, nil, b)
			return
		}
	}
	l := m.limits(it.Delivery.QoS)
	if m.vets && it.Delivery.QoS == mqtt.AtMostOnce && m.follows() && m.st.Queue.Bytes()+len(m.out)-m.taken >= int(m.cfg.MaxOutputBytes) {
		m.did().drop(it, mqtt.DropOutputFull)
		return
	}
	if d, ok := m.st.Push(it, l); !ok {
		m.Drop(d, mqtt.DropQueueFull, b)
	}
}

// follows reports whether the client acknowledges as fast as it is sent.
func (m *Machine) follows() bool { return m.onWire < m.params.MaxInflight }

// limits are those of the queue for one more message of that QoS: what the next
// Flow sends does not wait, nor does a message of QoS 0 that waits for nothing
// but a verdict. Of those as many bytes may wait as would in the output.
func (m *Machine) limits(q mqtt.QoS) queue.Limits {
	l := m.params.Online
	if l.Messages < 0 {
		return l
	}
	l.Messages += max(0, m.params.MaxInflight-m.st.window.live)
	switch {
	case !m.vets:
	case q > mqtt.AtMostOnce:
		l.Messages += m.st.Queue.AtMostOnce()
	case m.follows():
		l.Messages = -1
	}
	return l
}

// HasRoom reports whether the queue takes one more message of usual size.
func (m *Machine) HasRoom() bool {
	l := m.params.Online
	n, bytes := m.st.Queued()
	if m.vets {
		n -= m.st.Queue.AtMostOnce()
	}
	return l.LIFO || (l.Messages < 0 || n < l.Messages) && (l.Bytes == 0 || bytes < l.Bytes)
}

// Drop tallies a dropped message and completes it in the store.
func (m *Machine) Drop(it mqtt.Queued, r mqtt.DropReason, b *store.Batch) {
	m.did().drop(it, r)
	m.st.Complete(it, b)
}

// Complete notes in b that the store may forget the message.
func (s *State) Complete(it mqtt.Queued, b *store.Batch) {
	if s.stored && it.Delivery.QoS > mqtt.AtMostOnce {
		b.Add(store.Op{Kind: store.Complete, Key: s.Key, Entry: store.Entry{Queued: it}})
	}
}

// mayFly reports whether one more message of that QoS may be sent.
func (m *Machine) mayFly(q mqtt.QoS) bool {
	return q == mqtt.AtMostOnce || m.onWire < m.params.MaxInflight && m.st.window.live < maxID
}

// overtakes reports whether a message of that QoS would be sent before a QoS 2
// message whose packet identifier is still on its way to the store.
func (m *Machine) overtakes(q mqtt.QoS) bool { return m.assigning > 0 && q < mqtt.ExactlyOnce }

// Flow encodes what quota and output allow: first what was in flight before a
// reconnect, then the queue. QoS 2 messages of a durable session are put into
// b with their packet identifier; the caller calls Assigned when b is
// committed. It reports whether b was written to for that reason, by Flow or by
// Vetted. While deliveries are vetted it sends nothing that was not.
func (m *Machine) Flow(now time.Time, b *store.Batch) (assigns bool) {
	if m.phase < Connected || m.phase == Ended {
		return false
	}
	if m.resume {
		m.repeat(now, b)
	}
	for {
		it, ok := m.next()
		if !ok || m.vets && !it.Message.Expired(now) {
			break
		}
		m.st.Queue.Pop(m.params.Online.LIFO)
		m.emit(now, it, nil, b)
	}
	assigns, m.assigns = m.assigns, false
	return assigns
}

// next returns the head of the queue if it may be sent now.
func (m *Machine) next() (it mqtt.Queued, ok bool) {
	if m.resume || len(m.out)-m.taken >= softOutput {
		return it, false
	}
	it, ok = m.st.Queue.Next(m.params.Online.LIFO)
	return it, ok && !it.Ticket.Held() && m.mayFly(it.Delivery.QoS) && !m.overtakes(it.Delivery.QoS)
}

// emit sends one message, or another in its place unless that is nil, or drops
// it as expired or too large.
func (m *Machine) emit(now time.Time, it mqtt.Queued, sent *mqtt.Message, b *store.Batch) {
	if it.Message.Expired(now) { // [MQTT-3.3.2-5]
		m.Drop(it, mqtt.DropExpired, b)
		return
	}
	if it.Delivery.QoS == mqtt.AtMostOnce {
		if !m.encode(now, as(it, sent), 0, false) {
			m.did().drop(it, mqtt.DropTooLarge)
			return
		}
		m.did().Completed++
		return
	}
	if !m.fits(now, as(it, sent)) { // [MQTT-3.1.2-25]
		m.Drop(it, mqtt.DropTooLarge, b)
		return
	}
	twoSteps := it.Delivery.QoS == mqtt.ExactlyOnce && m.st.stored
	s := stepSent
	if twoSteps {
		s = stepAssigning
	}
	// With queue_type lifo the sequence would jump with every message.
	f, foreseen := m.st.window.add(it, s, !m.params.Online.LIFO)
	m.onWire++
	f.onWire, f.vetted, f.sent = true, true, sent
	if twoSteps {
		m.assign(f, b)
		return
	}
	if !foreseen && m.st.stored { // nobody waits for it
		m.st.putIdentifier(f, b)
	}
	m.encode(now, f.out(), f.id(), it.Delivery.QoS == mqtt.AtLeastOnce && it.Number <= m.st.doubt)
}

// assign puts the packet identifier of a QoS 2 message into b; Assigned sends
// the message.
func (m *Machine) assign(f *inflight, b *store.Batch) {
	m.assigning++
	m.assigns = true
	m.st.putIdentifier(f, b)
	b.Sync = true
}

// Assigned sends the QoS 2 messages whose packet identifiers are now stored,
// those before upTo, see Assigning.
func (m *Machine) Assigned(now time.Time, upTo uint64) {
	m.st.window.each(func(f *inflight) {
		if f.step == stepAssigning && f.seq < upTo && f.onWire {
			f.step = stepSent
			m.assigning--
			m.encode(now, f.out(), f.id(), false)
		}
	})
}

// Assigning returns what Assigned must be told after the commit of the batch
// that Flow or Deliver has just written to.
func (m *Machine) Assigning() uint64 {
	if m.st == nil {
		return 0
	}
	return m.st.window.next
}

// repeat sends again, after a reconnect, what was in flight: PUBLISH with DUP,
// PUBREL, in the original order and within the quota.
//
// Spec: MQTT 5.0 §4.4 [MQTT-4.4.0-1].
func (m *Machine) repeat(now time.Time, b *store.Batch) {
	w := &m.st.window
	for i := w.head; i < len(w.list); i++ {
		f := &w.list[i]
		if f.onWire || f.step == stepDone {
			continue
		}
		if m.onWire >= m.params.MaxInflight || len(m.out)-m.taken >= softOutput {
			return
		}
		if f.unvetted() {
			if m.vets {
				return
			}
			f.vetted = true
		}
		f.onWire = true
		m.onWire++
		if f.step == stepAssigning { // never sent, and perhaps never stored
			m.assign(f, b)
			continue
		}
		m.sendAgain(now, f)
	}
	m.resume = false
}

// sendAgain repeats one packet of a message in flight.
func (m *Machine) sendAgain(now time.Time, f *inflight) {
	switch f.step {
	case stepSent:
		m.encode(now, f.out(), f.id(), true)
	case stepReleasing, stepReleased:
		f.step = stepReleased
		m.send(&packet.Pubrel{Ack: packet.Ack{PacketID: f.id()}})
	}
}

// retry repeats what is unacknowledged for a whole retry interval, 3.x only.
func (m *Machine) retry(now time.Time) {
	mark := m.retryMark
	m.st.window.each(func(f *inflight) {
		if f.seq < mark && f.onWire && (f.step == stepSent || f.step == stepReleased) {
			m.sendAgain(now, f)
		}
	})
	m.retryMark = m.st.window.next
	m.nextRetry = now.Add(m.params.RetryInterval)
}

// fits reports whether the client's maximum packet size allows the message.
func (m *Machine) fits(now time.Time, it mqtt.Queued) bool {
	if m.maxPacket == 0 {
		return true
	}
	return m.fill(now, it, 1, false).Size(m.version) <= m.maxPacket
}

// encode appends the PUBLISH of one message; false = larger than the client
// accepts.
func (m *Machine) encode(now time.Time, it mqtt.Queued, id uint16, dup bool) bool {
	p := m.fill(now, it, id, dup)
	if m.maxPacket > 0 && p.Size(m.version) > m.maxPacket && !dup {
		return false
	}
	if m.aliasMax > 0 {
		m.alias(p)
	}
	m.out = p.AppendHeader(m.out, m.version)
	if m.version == mqtt.V5 {
		m.out = append(m.out, p.Properties...)
	}
	m.out = append(m.out, p.Payload...)
	m.tally.Sent[packet.TypePublish]++
	return true
}

// fill puts the PUBLISH of one message into the scratch packet.
func (m *Machine) fill(now time.Time, it mqtt.Queued, id uint16, dup bool) *packet.Publish {
	msg, scratch := it.Message, m.did()
	p := &scratch.pub
	*p = packet.Publish{Dup: dup, Retain: it.Delivery.Retain, QoS: it.Delivery.QoS, Topic: msg.Topic, PacketID: id,
		Properties: msg.Properties, Payload: msg.Payload}
	if id := it.Delivery.SubscriptionID; id != 0 {
		scratch.ids = append(append(scratch.ids[:0], id), it.Delivery.MoreIDs...)
		p.SubscriptionIDs = scratch.ids
	}
	if !msg.Expires.IsZero() { // [MQTT-3.3.2-6]
		left := (msg.Expires.Sub(now) + time.Second - 1) / time.Second
		p.HasMessageExpiry, p.MessageExpiry = true, uint32(max(1, left))
	}
	return p
}

// alias replaces the topic name of the scratch packet by an alias the client
// knows, or teaches it one. The first topics get one; none is taken away.
//
// Spec: MQTT 5.0 §3.3.2.3.4.
func (m *Machine) alias(p *packet.Publish) {
	if a, known := m.aliasOut[p.Topic]; known {
		p.HasTopicAlias, p.TopicAlias, p.Topic = true, a, ""
		return
	}
	if len(m.aliasOut) >= m.aliasMax {
		return
	}
	if m.aliasOut == nil {
		m.aliasOut = make(map[string]uint16)
	}
	a := uint16(len(m.aliasOut) + 1)
	m.aliasOut[p.Topic] = a
	p.HasTopicAlias, p.TopicAlias = true, a
	if m.maxPacket > 0 && p.Size(m.version) > m.maxPacket { // the alias' own bytes are too many
		delete(m.aliasOut, p.Topic)
		p.HasTopicAlias, p.TopicAlias = false, 0
	}
}
