package session

import (
	"sync"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
)

// Tally is what the machine did since it was last taken, for the caller to
// count. Owned by the machine until TakeTally, then by the caller until Free.
type Tally struct {
	Sent      [16]uint32 // packets by packet.Type
	Codes     []Coded    // of the packets above that carry a code other than success, and of every DISCONNECT and AUTH
	Drops     []Drop
	Completed uint32     // copies: QoS 0 written to the output, QoS 1 and 2 acknowledged
	Unknown   [16]uint32 // acknowledgements of an unknown packet identifier, by packet.Type
	Unknowns  uint32     // sum of Unknown

	// Scratch of the machine, for encoding: whoever encodes has something to
	// count.
	pub packet.Publish
	ids []uint32 // of pub.SubscriptionIDs
}

var tallies = sync.Pool{New: func() any { return new(Tally) }}

// did returns the present tally.
func (m *Machine) did() *Tally {
	if m.tally == nil {
		m.tally = tallies.Get().(*Tally)
	}
	return m.tally
}

// maxScratch is how many elements of its slices a tally keeps for others.
const maxScratch = 256

// Free gives the tally back. Slices that the caller keeps must be set to nil
// before.
func (t *Tally) Free() {
	clear(t.Drops)
	next := Tally{Codes: t.Codes[:0], Drops: t.Drops[:0], ids: t.ids[:0]}
	if cap(next.Codes) > maxScratch || cap(next.Drops) > maxScratch || cap(next.ids) > maxScratch {
		next = Tally{}
	}
	*t = next
	tallies.Put(t)
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

// TakeTally returns the counts, nil when there are none, and begins anew.
func (m *Machine) TakeTally() (t *Tally) {
	t, m.tally = m.tally, nil
	return t
}
