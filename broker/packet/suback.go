package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// Suback answers a SUBSCRIBE. Owned by the caller; decoded, it has memory of
// its own.
//
//	fixed header       1     1001 0000
//	remaining length   1..4
//	packet identifier  2
//	properties         1+n   5.0 only, with their length
//	reason codes       n     one per topic filter; 3.x: return codes
//
// Spec: MQTT 5.0 §3.9; MQTT 3.1.1 §3.9; MQTT 3.1 §3.9.
type Suback struct {
	PacketID uint16 // 1..65535
	// Codes has one code per topic filter in its order. For 3.x Append writes
	// all codes from 0x80 on as 0x80.
	Codes          []mqtt.ReasonCode
	ReasonString   string // 5.0, "" = absent
	UserProperties []mqtt.UserProperty
}

// Type returns TypeSuback.
func (s *Suback) Type() Type { return TypeSuback }

func decodeSuback(r *reader, v mqtt.Version) *Suback {
	s := &Suback{PacketID: r.packetID()}
	if v >= mqtt.V5 {
		s.ReasonString, s.UserProperties = r.reasonAndUser()
	}
	s.Codes = r.reasonCodes()
	for _, c := range s.Codes {
		if v < mqtt.V5 && c > mqtt.GrantedQoS2 && c != mqtt.UnspecifiedError { // 3.1.1: [MQTT-3.9.3-2]
			r.fail(mqtt.ProtocolError, "return code 0x%02x", uint8(c))
			break
		}
	}
	return s
}

// Size returns the length in bytes of the whole packet as Append writes it.
func (s *Suback) Size(v mqtt.Version) int {
	w := writer{count: true}
	s.body(&w, v)
	return wholeSize(w.n)
}

// Append appends the packet for version v. A packet above MaxRemaining appends
// nothing.
//
// Spec: MQTT 5.0 §3.9; MQTT 3.1.1 §3.9.
func (s *Suback) Append(dst []byte, v mqtt.Version) []byte {
	size := writer{count: true}
	s.body(&size, v)
	w := writer{dst: dst}
	if !w.begin(TypeSuback, 0, size.n) {
		return dst
	}
	s.body(&w, v)
	return w.dst
}

func (s *Suback) body(w *writer, v mqtt.Version) {
	w.u16(s.PacketID)
	if v >= mqtt.V5 {
		w.reasonSection(s.ReasonString, s.UserProperties)
	}
	for _, c := range s.Codes {
		if v < mqtt.V5 && c.IsError() {
			c = mqtt.UnspecifiedError
		}
		w.u8(byte(c))
	}
}
