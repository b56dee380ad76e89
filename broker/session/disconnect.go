package session

import (
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// disconnect takes the client's goodbye. A session expiry interval in it
// replaces that of CONNECT, unless that was 0.
//
// Spec: MQTT 5.0 §3.14, §3.14.2.2.2.
func (m *Machine) disconnect(p *packet.Disconnect) (Event, error) {
	if m.st != nil && p.HasSessionExpiry {
		if m.st.Expiry == 0 && p.SessionExpiry != 0 {
			return Event{}, mqtt.Errorf("session: disconnect", mqtt.ProtocolError, "session expiry interval %d after 0 in CONNECT", p.SessionExpiry)
		}
	}
	return Event{Kind: WantDisconnect, Packet: p}, nil
}
