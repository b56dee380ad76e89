package session

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/store"
)

// pubrec answers the first half of an outgoing QoS 2 message with PUBREL, for a
// durable session after the release is stored. An unknown identifier closes
// 3.x connections and is answered with PacketIDNotFound in 5.0.
//
// Spec: MQTT 5.0 §3.5, §4.3.3 [MQTT-4.3.3-4].
func (m *Machine) pubrec(_ time.Time, p *packet.Pubrec, b *store.Batch) (Event, error) {
	f := m.st.window.find(p.PacketID)
	if f == nil || f.item.Delivery.QoS != mqtt.ExactlyOnce || !f.onWire || f.step == stepAssigning {
		m.did().unknown(packet.TypePubrec)
		if m.version != mqtt.V5 {
			return Event{}, mqtt.Errorf("session: pubrec", mqtt.PacketIDNotFound, "packet identifier %d is not in flight", p.PacketID)
		}
		if !p.Code.IsError() {
			m.Settle(m.responses.add(packet.TypePubrel, p.PacketID), mqtt.PacketIDNotFound, "")
		}
		return Event{}, nil
	}
	if p.Code.IsError() {
		m.complete(f, p.Code, b)
		return Event{}, nil
	}
	if f.step == stepReleasing || f.step == stepReleased { // a repeat
		if !m.responses.pending(packet.TypePubrel, p.PacketID) {
			m.Settle(m.responses.add(packet.TypePubrel, p.PacketID), mqtt.Success, "")
		}
		return Event{}, nil
	}
	slot := m.responses.add(packet.TypePubrel, p.PacketID)
	f.step = stepReleased
	if !m.st.stored {
		m.Settle(slot, mqtt.Success, "")
		return Event{}, nil
	}
	b.Add(store.Op{Kind: store.Release, Key: m.st.Key, Entry: store.Entry{Queued: f.item, PacketID: p.PacketID, Released: true}})
	b.Sync = true
	return Event{Kind: WantSettle, Slot: slot}, nil
}
