package session

import (
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// unsubscribe hands an UNSUBSCRIBE to the broker.
//
// Spec: MQTT 5.0 §3.10.
func (m *Machine) unsubscribe(p *packet.Unsubscribe) (Event, error) {
	slot := m.responses.add(packet.TypeUnsuback, p.PacketID)
	return Event{Kind: WantUnsubscribe, Packet: p, Slot: slot}, nil
}

// Unsubscribed forgets a subscription and returns it, if there was one.
func (s *State) Unsubscribed(sent string) (mqtt.Subscription, bool) {
	sub, had := s.Subscription(sent)
	s.subscriptions.remove(sent)
	return sub, had
}

// SettleUnsubscribe answers an UNSUBSCRIBE with one code per filter.
//
// Spec: MQTT 5.0 §3.11.3.
func (m *Machine) SettleUnsubscribe(s Slot, codes []mqtt.ReasonCode) {
	if r := m.responses.get(s); r != nil {
		r.full, r.ready = &packet.Unsuback{PacketID: r.id, Codes: codes}, true
		m.answer()
	}
}
