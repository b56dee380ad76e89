package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// Ack is what PUBACK, PUBREC, PUBREL and PUBCOMP have in common. Part of those
// packets and no packet itself.
//
//	fixed header       1     0100, 0101, 0111: flags 0; PUBREL 0110 0010
//	remaining length   1..4
//	packet identifier  2
//	reason code        1     5.0 only; left out with the rest when 0
//	properties         1+n   5.0 only, with their length; may be left out
//
// Spec: MQTT 5.0 §3.4 to §3.7; MQTT 3.1.1 §3.4 to §3.7.
type Ack struct {
	PacketID       uint16 // 1..65535
	Code           mqtt.ReasonCode
	ReasonString   string // 5.0, "" = absent
	UserProperties []mqtt.UserProperty
}

// decode fills a; it allocates only for properties.
func (a *Ack) decode(r *reader, v mqtt.Version) {
	*a = Ack{PacketID: r.packetID()}
	if v < mqtt.V5 || len(r.p) == 0 {
		return // remaining length 2: success
	}
	a.Code = r.reasonCode()
	if len(r.p) == 0 {
		return // remaining length 3: no properties
	}
	r.openProperties(in(r.t))
	for id, ok := r.nextProperty(); ok; id, ok = r.nextProperty() {
		switch id {
		case propReasonString:
			a.ReasonString = r.owned()
		case propUserProperty:
			a.UserProperties = r.userProperty(a.UserProperties)
		}
	}
}

// Size returns the length in bytes of the whole packet as Append writes it.
func (a *Ack) Size(v mqtt.Version) int {
	w := writer{count: true}
	a.body(&w, v)
	return wholeSize(w.n)
}

func (a *Ack) append(dst []byte, v mqtt.Version, t Type, flags byte) []byte {
	size := writer{count: true}
	a.body(&size, v)
	w := writer{dst: dst}
	if !w.begin(t, flags, size.n) {
		return dst
	}
	a.body(&w, v)
	return w.dst
}

func (a *Ack) body(w *writer, v mqtt.Version) {
	w.u16(a.PacketID)
	if v < mqtt.V5 {
		return
	}
	section := writer{count: true}
	section.reasonAndUser(a.ReasonString, a.UserProperties)
	if section.n == 0 {
		if a.Code != mqtt.Success {
			w.u8(byte(a.Code))
		}
		return
	}
	w.u8(byte(a.Code))
	w.varint(uint32(section.n))
	w.reasonAndUser(a.ReasonString, a.UserProperties)
}
