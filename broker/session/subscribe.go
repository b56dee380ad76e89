package session

import (
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/topic"
)

// subscribe hands a SUBSCRIBE to the broker.
//
// Spec: MQTT 5.0 §3.8.
func (m *Machine) subscribe(p *packet.Subscribe) (Event, error) {
	slot := m.responses.add(packet.TypeSuback, p.PacketID)
	return Event{Kind: WantSubscribe, Packet: p, Slot: slot}, nil
}

// Check turns one entry of a SUBSCRIBE into a subscription. The code is the
// granted QoS, or an error that refuses just this entry: TopicFilterInvalid,
// SharedSubsNotSupported, QuotaExceeded.
//
// Spec: MQTT 5.0 §3.8.3, §3.9.3; MQTT 3.1.1 §3.9.3.
func (m *Machine) Check(f packet.TopicFilter, id uint32, shared bool) (mqtt.Subscription, mqtt.ReasonCode, error) {
	share, filter, err := topic.Split(f.Filter)
	if err == nil {
		err = topic.ValidateFilter(filter, m.cfg.TopicMaxDepth)
	}
	if err != nil {
		return mqtt.Subscription{}, mqtt.TopicFilterInvalid, err
	}
	if share != "" && !shared {
		return mqtt.Subscription{}, mqtt.SharedSubsNotSupported, nil
	}
	if share != "" && f.NoLocal { // [MQTT-3.8.3-4]
		return mqtt.Subscription{}, mqtt.ProtocolError, mqtt.Errorf("session: subscribe", mqtt.ProtocolError, "no local on the shared subscription %q", f.Filter)
	}
	if m.Full(f.Filter) {
		return mqtt.Subscription{}, mqtt.QuotaExceeded, nil
	}
	qos := min(f.QoS, mqtt.QoS(m.cfg.MaxQoS))
	s := mqtt.Subscription{Filter: filter, ShareName: share, ID: id, QoS: qos, NoLocal: f.NoLocal || m.bridge && share == "",
		RetainAsPublished: f.RetainAsPublished || m.bridge, RetainHandling: f.RetainHandling, UpgradeQoS: m.params.UpgradeQoS}
	return s, mqtt.ReasonCode(qos), nil
}

// Full reports whether a subscription to the filter as sent would be one more
// than the session may have.
func (m *Machine) Full(sent string) bool {
	if m.cfg.MaxSubscriptions == 0 || m.st.subscriptions.len() < m.cfg.MaxSubscriptions {
		return false
	}
	_, replaces := m.st.Subscription(sent)
	return !replaces
}

// Subscribed stores a granted subscription under the filter as sent and
// reports whether it is new.
func (s *State) Subscribed(sent string, sub mqtt.Subscription) (isNew bool) {
	return s.subscriptions.put(sent, optionsOf(sub))
}

// SettleSubscribe answers a SUBSCRIBE with one code per entry. 5.0 clients see
// the reason string and user properties, unless they do not want them.
//
// Spec: MQTT 5.0 §3.9.2.1 [MQTT-3.1.2-29].
func (m *Machine) SettleSubscribe(s Slot, codes []mqtt.ReasonCode, reason string, user []mqtt.UserProperty) {
	if r := m.responses.get(s); r != nil {
		p := &packet.Suback{PacketID: r.id, Codes: codes}
		if !m.noProblemInfo {
			p.ReasonString, p.UserProperties = reason, user
		}
		r.full, r.ready = p, true
		m.answer()
	}
}
