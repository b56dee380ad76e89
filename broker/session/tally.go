package session

import (
	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// Tally is what the machine did since it was last taken, for the caller to
// count.
type Tally struct {
	Sent      [16]uint32 // packets by packet.Type
	Codes     []Coded    // of the packets above that carry a code other than success, and of every DISCONNECT and AUTH
	Drops     []Drop
	Completed uint32     // copies: QoS 0 written to the output, QoS 1 and 2 acknowledged
	Unknown   [16]uint32 // acknowledgements of an unknown packet identifier, by packet.Type
	Unknowns  uint32     // sum of Unknown
}

// Coded is one packet sent with a reason code.
type Coded struct {
	Type packet.Type
	Code mqtt.ReasonCode
}

// Drop is one message discarded on purpose.
type Drop struct {
	Item   mqtt.Queued
	Reason mqtt.DropReason
}

func (t *Tally) code(typ packet.Type, code mqtt.ReasonCode) {
	t.Codes = append(t.Codes, Coded{typ, code})
}

func (t *Tally) drop(it mqtt.Queued, r mqtt.DropReason) {
	t.Drops = append(t.Drops, Drop{it, r})
}

func (t *Tally) unknown(typ packet.Type) {
	t.Unknown[typ]++
	t.Unknowns++
}

// TakeTally gives the counts to into and begins anew. The slices of into are
// used again.
func (m *Machine) TakeTally(into *Tally) {
	*into, m.tally = m.tally, Tally{Codes: into.Codes[:0], Drops: into.Drops[:0]}
}
