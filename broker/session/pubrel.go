package session

import (
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/store"
)

// pubrel releases an inbound QoS 2 identifier and answers with PUBCOMP, for a
// durable session after the release is stored. An unknown identifier is
// answered too: the client may have missed the PUBCOMP.
//
// Spec: MQTT 5.0 §3.6, §4.3.3 [MQTT-4.3.3-11].
func (m *Machine) pubrel(p *packet.Pubrel, b *store.Batch) (Event, error) {
	if _, known := m.st.inbound[p.PacketID]; !known {
		slot := m.responses.add(packet.TypePubcomp, p.PacketID)
		m.awaiting++ // answered takes it back
		if m.version == mqtt.V5 {
			m.Settle(slot, mqtt.PacketIDNotFound, "")
		} else {
			m.Settle(slot, mqtt.Success, "")
		}
		return Event{}, nil
	}
	slot := m.responses.add(packet.TypePubcomp, p.PacketID)
	delete(m.st.inbound, p.PacketID)
	if !m.st.stored {
		m.Settle(slot, mqtt.Success, "")
		return Event{}, nil
	}
	b.Add(store.Op{Kind: store.DropInbound, Key: m.st.Key, PacketID: p.PacketID})
	b.Sync = true
	return Event{Kind: WantSettle, Slot: slot}, nil
}
