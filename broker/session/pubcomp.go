package session

import (
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/store"
)

// pubcomp completes an outgoing QoS 2 message. An unknown identifier closes 3.x
// connections; in 5.0 it is only counted.
//
// Spec: MQTT 5.0 §3.7, §4.3.3.
func (m *Machine) pubcomp(_ time.Time, p *packet.Pubcomp, b *store.Batch) error {
	f := m.st.window.find(p.PacketID)
	if f == nil || f.step != stepReleased || !f.onWire {
		m.did().unknown(packet.TypePubcomp)
		if m.version != mqtt.V5 {
			return mqtt.Errorf("session: pubcomp", mqtt.PacketIDNotFound, "packet identifier %d is not released", p.PacketID)
		}
		return nil
	}
	// An error here says that the client does not know the identifier: the
	// message has reached it before.
	m.complete(f, mqtt.Success, b)
	return nil
}
