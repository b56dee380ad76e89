package session

import (
	"strings"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/topic"
)

// publish checks an inbound PUBLISH. A repeat of a QoS 2 message that was
// accepted before is answered, not routed again.
//
// Errors: TopicAliasInvalid, ProtocolError, TopicNameInvalid, QoSNotSupported,
// RetainNotSupported, ReceiveMaximumExceeded, PacketTooLarge.
//
// Spec: MQTT 5.0 §3.3, §4.3; MQTT 3.1.1 §3.3.
func (m *Machine) publish(p *packet.Publish) (Event, error) {
	const op = "session: publish"
	name, err := m.resolve(p)
	if err != nil {
		return Event{}, err
	}
	if len(p.SubscriptionIDs) > 0 { // [MQTT-3.3.4-6]
		return Event{}, mqtt.Errorf(op, mqtt.ProtocolError, "subscription identifier from a client")
	}
	if int(p.QoS) > m.cfg.MaxQoS { // [MQTT-3.2.2-11]
		return Event{}, mqtt.Errorf(op, mqtt.QoSNotSupported, "QoS %d, max_qos is %d", p.QoS, m.cfg.MaxQoS)
	}
	if p.Retain && !m.cfg.RetainAvailable { // [MQTT-3.2.2-14]
		return Event{}, mqtt.Errorf(op, mqtt.RetainNotSupported, "retain_available is off")
	}
	if limit := m.params.MaxMessageSize; limit > 0 && p.Size(m.version) > limit {
		return Event{}, mqtt.Errorf(op, mqtt.PacketTooLarge, "%d bytes, max_message_size is %d", p.Size(m.version), limit)
	}
	switch p.QoS {
	case mqtt.AtLeastOnce:
		if err := m.admit(); err != nil {
			return Event{}, err
		}
		return Event{Kind: WantPublish, Packet: p, Topic: name, Slot: m.responses.add(packet.TypePuback, p.PacketID)}, nil
	case mqtt.ExactlyOnce:
		if _, known := m.st.inbound[p.PacketID]; known { // [MQTT-4.3.3-10]
			if !m.responses.pending(packet.TypePubrec, p.PacketID) {
				s := m.responses.add(packet.TypePubrec, p.PacketID)
				m.Settle(s, mqtt.Success, "")
			}
			return Event{}, nil
		}
		if err := m.admit(); err != nil {
			return Event{}, err
		}
		m.st.accept(p.PacketID)
		return Event{Kind: WantPublish, Packet: p, Topic: name, Slot: m.responses.add(packet.TypePubrec, p.PacketID)}, nil
	}
	return Event{Kind: WantPublish, Packet: p, Topic: name}, nil
}

// admit takes one of the receive maximum.
//
// Spec: MQTT 5.0 §3.3.4 [MQTT-3.3.4-7], §4.9.
func (m *Machine) admit() error {
	if m.version == mqtt.V5 && m.awaiting >= m.params.ReceiveMaximum {
		return mqtt.Errorf("session: publish", mqtt.ReceiveMaximumExceeded, "more than %d messages unacknowledged", m.params.ReceiveMaximum)
	}
	m.awaiting++
	return nil
}

// resolve returns the topic name of a PUBLISH, from its alias if need be, and
// remembers a new alias.
//
// Spec: MQTT 5.0 §3.3.2.1, §3.3.2.3.4.
func (m *Machine) resolve(p *packet.Publish) (string, error) {
	const op = "session: topic alias"
	if p.HasTopicAlias && (p.TopicAlias == 0 || int(p.TopicAlias) > m.cfg.TopicAliasMaxClient) { // [MQTT-3.3.2-8], [MQTT-3.3.2-9]
		return "", mqtt.Errorf(op, mqtt.TopicAliasInvalid, "alias %d, topic_alias_max_client is %d", p.TopicAlias, m.cfg.TopicAliasMaxClient)
	}
	if p.Topic == "" && p.HasTopicAlias {
		if name, known := m.aliasIn[p.TopicAlias]; known {
			return name, nil
		}
		return "", mqtt.Errorf(op, mqtt.ProtocolError, "alias %d was never set", p.TopicAlias) // [MQTT-3.3.2-7]
	}
	if err := topic.ValidateName(p.Topic, m.cfg.TopicMaxDepth); err != nil {
		if p.Topic == "" && m.version == mqtt.V5 {
			return "", mqtt.Errorf(op, mqtt.ProtocolError, "no topic name and no alias")
		}
		return "", err
	}
	if p.HasTopicAlias {
		if m.aliasIn == nil {
			m.aliasIn = map[uint16]string{}
		}
		m.aliasIn[p.TopicAlias] = strings.Clone(p.Topic)
	}
	return p.Topic, nil
}
