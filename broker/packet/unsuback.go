package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// Unsuback answers an UNSUBSCRIBE. Owned by the caller; decoded, it has memory
// of its own.
//
//	fixed header       1     1011 0000
//	remaining length   1..4
//	packet identifier  2
//	properties         1+n   5.0 only, with their length
//	reason codes       n     5.0 only, one per topic filter
//
// Spec: MQTT 5.0 §3.11; MQTT 3.1.1 §3.11; MQTT 3.1 §3.11.
type Unsuback struct {
	PacketID       uint16            // 1..65535
	Codes          []mqtt.ReasonCode // one per topic filter in its order; 5.0
	ReasonString   string            // 5.0, "" = absent
	UserProperties []mqtt.UserProperty
}

// Type returns TypeUnsuback.
func (u *Unsuback) Type() Type { return TypeUnsuback }

func decodeUnsuback(r *reader, v mqtt.Version) *Unsuback {
	u := &Unsuback{PacketID: r.packetID()}
	if v >= mqtt.V5 {
		u.ReasonString, u.UserProperties = r.reasonAndUser()
		u.Codes = r.reasonCodes()
	}
	return u
}

// Size returns the length in bytes of the whole packet as Append writes it.
func (u *Unsuback) Size(v mqtt.Version) int {
	w := writer{count: true}
	u.body(&w, v)
	return wholeSize(w.n)
}

// Append appends the packet for version v. A packet above MaxRemaining appends
// nothing.
//
// Spec: MQTT 5.0 §3.11; MQTT 3.1.1 §3.11.
func (u *Unsuback) Append(dst []byte, v mqtt.Version) []byte {
	size := writer{count: true}
	u.body(&size, v)
	w := writer{dst: dst}
	if !w.begin(TypeUnsuback, 0, size.n) {
		return dst
	}
	u.body(&w, v)
	return w.dst
}

func (u *Unsuback) body(w *writer, v mqtt.Version) {
	w.u16(u.PacketID)
	if v < mqtt.V5 {
		return
	}
	w.reasonSection(u.ReasonString, u.UserProperties)
	for _, c := range u.Codes {
		w.u8(byte(c))
	}
}
