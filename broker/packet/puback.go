package packet

import "github.com/lunemq/lunemq/broker/mqtt"

// Puback answers a PUBLISH with QoS 1. Owned by the caller; one returned by
// Decoder.Decode is used again by the next call, its strings are not.
//
// Spec: MQTT 5.0 §3.4; MQTT 3.1.1 §3.4.
type Puback struct{ Ack }

// Type returns TypePuback.
func (a *Puback) Type() Type { return TypePuback }

// Append appends the packet in its shortest form. A packet above MaxRemaining
// appends nothing.
//
// Spec: MQTT 5.0 §3.4.2.
func (a *Puback) Append(dst []byte, v mqtt.Version) []byte { return a.append(dst, v, TypePuback, 0x00) }
