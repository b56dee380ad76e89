package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// Pubcomp answers a PUBREL and completes QoS 2. Owned by the caller; one returned by
// Decoder.Decode is used again by the next call, its strings are not.
//
// Spec: MQTT 5.0 §3.7; MQTT 3.1.1 §3.7.
type Pubcomp struct{ Ack }

// Type returns TypePubcomp.
func (a *Pubcomp) Type() Type { return TypePubcomp }

// Append appends the packet in its shortest form. A packet above MaxRemaining
// appends nothing.
//
// Spec: MQTT 5.0 §3.7.2.
func (a *Pubcomp) Append(dst []byte, v mqtt.Version) []byte {
	return a.append(dst, v, TypePubcomp, 0x00)
}
