package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// Pubrel answers a PUBREC. Owned by the caller; one returned by
// Decoder.Decode is used again by the next call, its strings are not.
//
// Spec: MQTT 5.0 §3.6; MQTT 3.1.1 §3.6.
type Pubrel struct{ Ack }

// Type returns TypePubrel.
func (a *Pubrel) Type() Type { return TypePubrel }

// Append appends the packet in its shortest form. A packet above MaxRemaining
// appends nothing.
//
// Spec: MQTT 5.0 §3.6.2.
func (a *Pubrel) Append(dst []byte, v mqtt.Version) []byte { return a.append(dst, v, TypePubrel, 0x02) }
