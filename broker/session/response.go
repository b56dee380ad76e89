package session

import (
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// Slot names a response that is owed to the client.
type Slot uint64

// response is an answer that waits for the broker's decision, for a commit, or
// for the answers before it.
type response struct {
	kind  packet.Type
	id    uint16
	code  mqtt.ReasonCode
	ready bool
	full  packet.Packet // SUBACK, UNSUBACK, or an acknowledgement with more than a code
}

// responses is the queue of answers owed: they leave in the order of the
// packets they answer. Owned by the holder of the client's lock.
//
// Spec: MQTT 5.0 §4.6 [MQTT-4.6.0-2], [MQTT-4.6.0-3], [MQTT-4.6.0-4].
type responses struct {
	list []response
	head int
	base Slot // slot of list[0]
}

func (r *responses) add(kind packet.Type, id uint16) Slot {
	r.list = append(r.list, response{kind: kind, id: id})
	return r.base + Slot(len(r.list)-1)
}

// get returns the response of a slot, nil when it is gone.
func (r *responses) get(s Slot) *response {
	if i := int(s - r.base); s >= r.base && i >= r.head && i < len(r.list) {
		return &r.list[i]
	}
	return nil
}

// pop removes and returns the first response if it is ready.
func (r *responses) pop() (response, bool) {
	if r.head == len(r.list) || !r.list[r.head].ready {
		return response{}, false
	}
	x := r.list[r.head]
	r.list[r.head] = response{}
	r.head++
	switch {
	case r.head == len(r.list):
		r.base += Slot(len(r.list))
		r.list, r.head = r.list[:0], 0
		if cap(r.list) > 256 {
			r.list = nil
		}
	case r.head > 64 && r.head > len(r.list)/2:
		n := copy(r.list, r.list[r.head:])
		clear(r.list[n:])
		r.base += Slot(r.head)
		r.list, r.head = r.list[:n], 0
	}
	return x, true
}

// pending reports whether a response of that kind and identifier is owed and
// not yet decided.
func (r *responses) pending(kind packet.Type, id uint16) bool {
	for i := r.head; i < len(r.list); i++ {
		if r.list[i].kind == kind && r.list[i].id == id {
			return true
		}
	}
	return false
}

// Settle answers a PUBLISH, PUBREC or PUBREL: code Success or an error, which
// only 5.0 clients see. It sends all answers that have become ready.
func (m *Machine) Settle(s Slot, code mqtt.ReasonCode, reason string) {
	r := m.responses.get(s)
	if r == nil {
		return
	}
	r.code, r.ready = code, true
	if reason != "" && !m.noProblemInfo && m.version == mqtt.V5 {
		r.full = acknowledgement(r.kind, packet.Ack{PacketID: r.id, Code: code, ReasonString: reason})
	}
	m.answer()
}

// acknowledgement makes the packet of a kind.
func acknowledgement(t packet.Type, a packet.Ack) packet.Packet {
	switch t {
	case packet.TypePuback:
		return &packet.Puback{Ack: a}
	case packet.TypePubrec:
		return &packet.Pubrec{Ack: a}
	case packet.TypePubrel:
		return &packet.Pubrel{Ack: a}
	}
	return &packet.Pubcomp{Ack: a}
}

// answer sends the ready responses at the head.
func (m *Machine) answer() {
	if m.phase < Connected || m.phase == Ended {
		return
	}
	for {
		r, ok := m.responses.pop()
		if !ok {
			return
		}
		if r.full != nil {
			m.sendFull(r)
			m.answered(r)
			continue
		}
		a := packet.Ack{PacketID: r.id, Code: r.code}
		switch r.kind {
		case packet.TypePuback:
			p := packet.Puback{Ack: a}
			m.out = p.Append(m.out, m.version)
		case packet.TypePubrec:
			p := packet.Pubrec{Ack: a}
			m.out = p.Append(m.out, m.version)
		case packet.TypePubrel:
			p := packet.Pubrel{Ack: a}
			m.out = p.Append(m.out, m.version)
		case packet.TypePubcomp:
			p := packet.Pubcomp{Ack: a}
			m.out = p.Append(m.out, m.version)
		}
		m.did().Sent[r.kind]++
		if r.code != mqtt.Success {
			m.did().code(r.kind, r.code)
		}
		m.answered(r)
	}
}

// answered books an answer that has just been sent.
func (m *Machine) answered(r response) {
	switch r.kind {
	case packet.TypePuback, packet.TypePubcomp:
		m.awaiting = max(0, m.awaiting-1)
	case packet.TypePubrec:
		if r.code.IsError() { // the identifier is free again
			m.awaiting = max(0, m.awaiting-1)
			delete(m.st.inbound, r.id)
		}
	}
}

// sendFull sends an answer that is more than an identifier and a code. Reason
// strings, and then user properties, that would make it larger than the client
// accepts are left out.
//
// Spec: MQTT 5.0 §3.4.2.2.2 [MQTT-3.4.2-2] and its like in each packet.
func (m *Machine) sendFull(r response) {
	start := len(m.out)
	m.send(r.full)
	tooLarge := func() bool { return m.maxPacket > 0 && len(m.out)-start > m.maxPacket }
	if tooLarge() {
		switch p := r.full.(type) {
		case *packet.Suback:
			p.ReasonString = ""
		case *packet.Puback:
			p.ReasonString = ""
		case *packet.Pubrec:
			p.ReasonString = ""
		}
		m.out = r.full.Append(m.out[:start], m.version)
	}
	if p, ok := r.full.(*packet.Suback); ok && tooLarge() {
		p.UserProperties = nil
		m.out = p.Append(m.out[:start], m.version)
	}
	if r.code != mqtt.Success {
		m.did().code(r.kind, r.code)
	}
}
