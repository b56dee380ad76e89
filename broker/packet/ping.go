package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// Pingreq asks the server for a sign of life. Immutable.
//
//	fixed header       1     1100 0000
//	remaining length   1     0
//
// Spec: MQTT 5.0 §3.12; MQTT 3.1.1 §3.12.
type Pingreq struct{}

// Type returns TypePingreq.
func (*Pingreq) Type() Type { return TypePingreq }

// Append appends the two bytes of the packet.
//
// Spec: MQTT 5.0 §3.12.1.
func (*Pingreq) Append(dst []byte, _ mqtt.Version) []byte {
	return append(dst, byte(TypePingreq)<<4, 0)
}

// Pingresp is the answer to a PINGREQ. Immutable.
//
//	fixed header       1     1101 0000
//	remaining length   1     0
//
// Spec: MQTT 5.0 §3.13; MQTT 3.1.1 §3.13.
type Pingresp struct{}

// Type returns TypePingresp.
func (*Pingresp) Type() Type { return TypePingresp }

// Append appends the two bytes of the packet.
//
// Spec: MQTT 5.0 §3.13.1.
func (*Pingresp) Append(dst []byte, _ mqtt.Version) []byte {
	return append(dst, byte(TypePingresp)<<4, 0)
}
