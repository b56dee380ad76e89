package packet

import (
	"strings"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Subscribe asks for one or more subscriptions. Owned by the caller; decoded,
// it has memory of its own.
//
//	fixed header          1     1000 0010
//	remaining length      1..4
//	packet identifier     2
//	properties            1+n   5.0 only, with their length
//	topic filter          2+n   } once or more
//	subscription options  1     } 3.x: QoS
//
// Spec: MQTT 5.0 §3.8; MQTT 3.1.1 §3.8; MQTT 3.1 §3.8.
type Subscribe struct {
	PacketID       uint16        // 1..65535
	SubscriptionID uint32        // 1..268435455, 0 = absent; 5.0
	Topics         []TopicFilter // at least one, in the order sent
	UserProperties []mqtt.UserProperty
}

// TopicFilter is one filter of a SUBSCRIBE with its options. Part of its
// Subscribe.
//
//	bits 7-6  reserved, 0
//	bits 5-4  retain handling      } reserved, 0 in 3.x
//	bit  3    retain as published  }
//	bit  2    no local             }
//	bits 1-0  maximum QoS
//
// Spec: MQTT 5.0 §3.8.3.1; MQTT 3.1.1 §3.8.3.
type TopicFilter struct {
	Filter            string // as sent, "$share/{ShareName}/" included; not checked
	QoS               mqtt.QoS
	NoLocal           bool
	RetainAsPublished bool
	RetainHandling    mqtt.RetainHandling
}

// Subscription options, MQTT 5.0 §3.8.3.1.
const (
	optionNoLocal           = 0x04
	optionRetainAsPublished = 0x08
	retainHandlingShift     = 4
)

// Type returns TypeSubscribe.
func (s *Subscribe) Type() Type { return TypeSubscribe }

func decodeSubscribe(r *reader, v mqtt.Version) *Subscribe {
	s := &Subscribe{PacketID: r.packetID()}
	if v >= mqtt.V5 {
		r.openProperties(in(TypeSubscribe))
		for id, ok := r.nextProperty(); ok; id, ok = r.nextProperty() {
			switch id {
			case propSubscriptionID:
				s.SubscriptionID = r.subscriptionID()
			case propUserProperty:
				s.UserProperties = r.userProperty(s.UserProperties)
			}
		}
	}
	for len(r.p) > 0 {
		f := TopicFilter{Filter: r.owned()}
		f.decodeOptions(r, v)
		s.Topics = append(s.Topics, f)
	}
	if len(s.Topics) == 0 { // [MQTT-3.8.3-2]
		r.fail(mqtt.ProtocolError, "no topic filter")
	}
	return s
}

func (f *TopicFilter) decodeOptions(r *reader, v mqtt.Version) {
	o := r.u8()
	f.QoS = mqtt.QoS(o & 3)
	if v < mqtt.V5 {
		if o > 2 { // 3.1.1: [MQTT-3.8.3-4]
			r.fail(mqtt.MalformedPacket, "requested QoS byte 0x%02x", o)
		}
		return
	}
	f.NoLocal = o&optionNoLocal != 0
	f.RetainAsPublished = o&optionRetainAsPublished != 0
	f.RetainHandling = mqtt.RetainHandling(o >> retainHandlingShift & 3)
	switch {
	case o&0xC0 != 0: // [MQTT-3.8.3-5]
		r.fail(mqtt.MalformedPacket, "reserved subscription options 0x%02x", o)
	case f.QoS == 3:
		r.fail(mqtt.ProtocolError, "maximum QoS 3")
	case f.RetainHandling == 3:
		r.fail(mqtt.ProtocolError, "retain handling 3")
	case f.NoLocal && strings.HasPrefix(f.Filter, "$share/"): // [MQTT-3.8.3-4]
		r.fail(mqtt.ProtocolError, "no local for the shared subscription %.64q", f.Filter)
	}
}

// Append appends the packet for version v. A packet above MaxRemaining appends
// nothing.
//
// Spec: MQTT 5.0 §3.8.
func (s *Subscribe) Append(dst []byte, v mqtt.Version) []byte {
	size := writer{count: true}
	s.body(&size, v)
	w := writer{dst: dst}
	if !w.begin(TypeSubscribe, 0x02, size.n) {
		return dst
	}
	s.body(&w, v)
	return w.dst
}

func (s *Subscribe) body(w *writer, v mqtt.Version) {
	w.u16(s.PacketID)
	if v >= mqtt.V5 {
		section := writer{count: true}
		s.properties(&section)
		w.varint(uint32(section.n))
		s.properties(w)
	}
	for i := range s.Topics {
		w.text(s.Topics[i].Filter)
		w.u8(s.Topics[i].options(v))
	}
}

func (s *Subscribe) properties(w *writer) {
	if s.SubscriptionID != 0 {
		w.u8(byte(propSubscriptionID))
		w.varint(s.SubscriptionID)
	}
	w.userProperties(s.UserProperties)
}

func (f *TopicFilter) options(v mqtt.Version) byte {
	o := byte(f.QoS & 3)
	if v < mqtt.V5 {
		return o
	}
	if f.NoLocal {
		o |= optionNoLocal
	}
	if f.RetainAsPublished {
		o |= optionRetainAsPublished
	}
	return o | byte(f.RetainHandling&3)<<retainHandlingShift
}
