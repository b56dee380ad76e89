package session

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/store"
)

// puback completes an outgoing QoS 1 message. An unknown identifier is only
// counted.
//
// Spec: MQTT 5.0 §3.4, §4.3.2.
func (m *Machine) puback(_ time.Time, p *packet.Puback, b *store.Batch) error {
	f := m.st.window.find(p.PacketID)
	if f == nil || f.item.Delivery.QoS != mqtt.AtLeastOnce || !f.onWire {
		m.did().unknown(packet.TypePuback)
		return nil
	}
	m.complete(f, p.Code, b)
	return nil
}

// complete ends a message in flight: delivered, or refused by the client.
//
// Spec: MQTT 5.0 §4.4 (no retransmission after an error code).
func (m *Machine) complete(f *inflight, code mqtt.ReasonCode, b *store.Batch) {
	it := f.item
	m.st.window.done(f)
	m.onWire--
	if code.IsError() {
		m.Drop(it, mqtt.DropClientRejected, b)
		return
	}
	m.did().Completed++
	m.st.Complete(it, b)
}
