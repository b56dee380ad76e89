package packet

import (
	"strings"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// property is a property identifier. All of the standard fit in one byte.
//
// Spec: MQTT 5.0 §2.2.2.2.
type property uint8

const (
	propPayloadFormat       property = 0x01
	propMessageExpiry       property = 0x02
	propContentType         property = 0x03
	propResponseTopic       property = 0x08
	propCorrelationData     property = 0x09
	propSubscriptionID      property = 0x0B
	propSessionExpiry       property = 0x11
	propAssignedClientID    property = 0x12
	propServerKeepAlive     property = 0x13
	propAuthMethod          property = 0x15
	propAuthData            property = 0x16
	propRequestProblemInfo  property = 0x17
	propWillDelay           property = 0x18
	propRequestResponseInfo property = 0x19
	propResponseInfo        property = 0x1A
	propServerReference     property = 0x1C
	propReasonString        property = 0x1F
	propReceiveMaximum      property = 0x21
	propTopicAliasMaximum   property = 0x22
	propTopicAlias          property = 0x23
	propMaximumQoS          property = 0x24
	propRetainAvailable     property = 0x25
	propUserProperty        property = 0x26
	propMaximumPacketSize   property = 0x27
	propWildcardAvailable   property = 0x28
	propSubIDAvailable      property = 0x29
	propSharedAvailable     property = 0x2A
)

// place is a set of places where properties occur: bit 1<<Type for a packet,
// and two that are no packets.
type place uint32

const (
	inWill    place = 1 << 0
	inMessage place = 1 << 16 // mqtt.Message.Properties
)

func in(types ...Type) (p place) {
	for _, t := range types {
		p |= 1 << t
	}
	return p
}

// allowed says where each property may occur; 0 = no such property.
//
// Spec: MQTT 5.0 §2.2.2.2, table 2-4.
var allowed = [...]place{
	propPayloadFormat:       in(TypePublish) | inWill | inMessage,
	propMessageExpiry:       in(TypePublish) | inWill,
	propContentType:         in(TypePublish) | inWill | inMessage,
	propResponseTopic:       in(TypePublish) | inWill | inMessage,
	propCorrelationData:     in(TypePublish) | inWill | inMessage,
	propSubscriptionID:      in(TypePublish, TypeSubscribe),
	propSessionExpiry:       in(TypeConnect, TypeConnack, TypeDisconnect),
	propAssignedClientID:    in(TypeConnack),
	propServerKeepAlive:     in(TypeConnack),
	propAuthMethod:          in(TypeConnect, TypeConnack, TypeAuth),
	propAuthData:            in(TypeConnect, TypeConnack, TypeAuth),
	propRequestProblemInfo:  in(TypeConnect),
	propWillDelay:           inWill,
	propRequestResponseInfo: in(TypeConnect),
	propResponseInfo:        in(TypeConnack),
	propServerReference:     in(TypeConnack, TypeDisconnect),
	propReasonString: in(TypeConnack, TypePuback, TypePubrec, TypePubrel, TypePubcomp, TypeSuback, TypeUnsuback,
		TypeDisconnect, TypeAuth),
	propReceiveMaximum:    in(TypeConnect, TypeConnack),
	propTopicAliasMaximum: in(TypeConnect, TypeConnack),
	propTopicAlias:        in(TypePublish),
	propMaximumQoS:        in(TypeConnack),
	propRetainAvailable:   in(TypeConnack),
	propUserProperty: in(TypeConnect, TypeConnack, TypePublish, TypePuback, TypePubrec, TypePubrel, TypePubcomp,
		TypeSubscribe, TypeSuback, TypeUnsubscribe, TypeUnsuback, TypeDisconnect, TypeAuth) | inWill | inMessage,
	propMaximumPacketSize: in(TypeConnect, TypeConnack),
	propWildcardAvailable: in(TypeConnack),
	propSubIDAvailable:    in(TypeConnack),
	propSharedAvailable:   in(TypeConnack),
}

// openProperties reads the property length and confines the reader to the
// properties until nextProperty has returned false.
//
// Spec: MQTT 5.0 §2.2.2.1.
func (r *reader) openProperties(where place) {
	n := r.varint()
	if int(n) > len(r.p) {
		r.fail(mqtt.MalformedPacket, "property length %d with %d bytes left", n, len(r.p))
		return
	}
	r.p, r.after = r.p[:n:n], r.p[n:]
	r.where, r.seen = where, 0
}

// nextProperty reads the next identifier; the caller reads the value. It is
// false at the end and after a failure. An identifier that is unknown, or
// stands in the wrong packet, is malformed; a doubled one is a protocol error.
func (r *reader) nextProperty() (id property, ok bool) {
	if r.err != nil {
		return 0, false
	}
	if len(r.p) == 0 {
		r.p, r.after = r.after, nil
		return 0, false
	}
	id = property(r.u8())
	if int(id) >= len(allowed) || allowed[id] == 0 {
		r.fail(mqtt.MalformedPacket, "unknown property 0x%02x", uint8(id))
		return 0, false
	}
	if allowed[id]&r.where == 0 {
		r.fail(mqtt.MalformedPacket, "property 0x%02x is not allowed here", uint8(id))
		return 0, false
	}
	repeatable := id == propUserProperty || id == propSubscriptionID && r.t == TypePublish
	if r.seen&(1<<id) != 0 && !repeatable {
		r.fail(mqtt.ProtocolError, "property 0x%02x occurs twice", uint8(id))
		return 0, false
	}
	r.seen |= 1 << id
	return id, true
}

// has reports whether the property occurred.
func (r *reader) has(id property) bool { return r.seen&(1<<id) != 0 }

// flag reads a byte that is 0 or 1.
func (r *reader) flag() bool {
	b := r.u8()
	if b > 1 {
		r.fail(mqtt.ProtocolError, "value %d of a property that is 0 or 1", b)
	}
	return b == 1
}

// positive16 reads a two byte integer that must not be 0.
func (r *reader) positive16(name string) uint16 {
	v := r.u16()
	if v == 0 {
		r.fail(mqtt.ProtocolError, "%s is 0", name)
	}
	return v
}

// positive32 reads a four byte integer that must not be 0.
func (r *reader) positive32(name string) uint32 {
	v := r.u32()
	if v == 0 {
		r.fail(mqtt.ProtocolError, "%s is 0", name)
	}
	return v
}

// subscriptionID reads a subscription identifier, 1 to 268435455.
//
// Spec: MQTT 5.0 §3.8.2.1.2, §3.3.2.3.8.
func (r *reader) subscriptionID() uint32 {
	id := r.varint()
	if id == 0 {
		r.fail(mqtt.ProtocolError, "subscription identifier 0")
	}
	return id
}

// userProperty reads a name and value pair and appends an owned copy.
// [MQTT-1.5.7-1]
func (r *reader) userProperty(dst []mqtt.UserProperty) []mqtt.UserProperty {
	key := r.text()
	value := r.text()
	if r.err != nil {
		return dst
	}
	return append(dst, mqtt.UserProperty{Key: strings.Clone(key), Value: strings.Clone(value)})
}

// The writing half: an absent value writes nothing.

func (w *writer) propFlag(id property, v bool) {
	w.u8(byte(id))
	if v {
		w.u8(1)
	} else {
		w.u8(0)
	}
}

func (w *writer) prop16(id property, v uint16, has bool) {
	if has {
		w.u8(byte(id))
		w.u16(v)
	}
}

func (w *writer) prop32(id property, v uint32, has bool) {
	if has {
		w.u8(byte(id))
		w.u32(v)
	}
}

func (w *writer) propText(id property, s string, has bool) {
	if has {
		w.u8(byte(id))
		w.text(s)
	}
}

func (w *writer) propBinary(id property, b []byte, has bool) {
	if has {
		w.u8(byte(id))
		w.binary(b)
	}
}

func (w *writer) userProperties(user []mqtt.UserProperty) {
	for i := range user {
		w.u8(byte(propUserProperty))
		w.text(user[i].Key)
		w.text(user[i].Value)
	}
}
