package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// Pubrec answers a PUBLISH with QoS 2. Owned by the caller; one returned by
// Decoder.Decode is used again by the next call, its strings are not.
//
// Spec: MQTT 5.0 §3.5; MQTT 3.1.1 §3.5.
type Pubrec struct{ Ack }

// Type returns TypePubrec.
func (a *Pubrec) Type() Type { return TypePubrec }

// Append appends the packet in its shortest form. A packet above MaxRemaining
// appends nothing.
//
// Spec: MQTT 5.0 §3.5.2.
func (a *Pubrec) Append(dst []byte, v mqtt.Version) []byte { return a.append(dst, v, TypePubrec, 0x00) }
