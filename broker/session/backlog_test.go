package session

import (
	"math"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/packet"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/store"
)

// TestBacklog_Pending: batches of several publishers are committed in any
// order, so a page ends before the first message that readers of the store may
// not see yet.
func TestBacklog_Pending(t *testing.T) {
	st := NewState(mqtt.SessionKey{ClientID: "c"}, t0, 0)
	st.Restore(&store.Session{Expiry: store.Forever}, nil, nil, 1, 10, 0)
	var early, late mqtt.Ticket
	for i, ticket := range []*mqtt.Ticket{&early, &late} {
		it := message(uint64(5+i), mqtt.AtLeastOnce)
		it.Ticket = ticket
		st.Push(it, queue.Limits{Messages: -1})
	}
	late.Submitted()
	late.Settled() // the later one is committed first
	early.Submitted()
	if _, before, wants := st.WantsLoad(); before != 5 || !wants {
		t.Errorf("a page may reach up to %d, want 5", before)
	}
	early.Settled()
	if _, before, _ := st.WantsLoad(); before != math.MaxUint64 {
		t.Errorf("a page may reach up to %d, want no bound", before)
	}
}

// TestFlow_HeldBack: a message waits until the batch that stores it has been
// handed to the store.
func TestFlow_HeldBack(t *testing.T) {
	m, st := connected(t, mqtt.V5, nil)
	st.Expiry = time.Hour
	var b store.Batch
	st.PutRecord(&b, true)
	it := message(1, mqtt.AtLeastOnce)
	it.Ticket = new(mqtt.Ticket)
	m.Deliver(t0, it, &b)
	m.Deliver(t0, message(2, mqtt.AtMostOnce), &b)
	m.Flow(t0, &b)
	if got := received(t, m); len(got) != 0 {
		t.Fatalf("sent %d packets before the batch was submitted", len(got))
	}
	it.Ticket.Submitted()
	m.Flow(t0, &b)
	if got := received(t, m); len(got) != 2 {
		t.Fatalf("sent %d packets, want 2", len(got))
	}
}

// TestFlow_Identifiers: the identifier of a QoS 1 message follows from its
// number, and nothing is stored for it; where it cannot, with queue_type lifo or
// because another message has it, it is stored without anybody waiting.
func TestFlow_Identifiers(t *testing.T) {
	for name, c := range map[string]struct {
		lifo   bool
		number uint64
		id     uint16
		stored bool
	}{
		"from the number": {false, 7, 7, false},
		"lifo":            {true, 7, 6, true},
		"taken":           {false, 5 + maxID, 6, true},
	} {
		m, st := connected(t, mqtt.V5, func(p *Params) { p.Online.LIFO = c.lifo })
		st.Expiry = time.Hour
		var b store.Batch
		st.PutRecord(&b, true)
		st.window.restore(message(5, mqtt.AtLeastOnce), 5, stepSent)
		b.Reset()
		m.Deliver(t0, message(c.number, mqtt.AtLeastOnce), &b)
		if m.Flow(t0, &b) || b.Sync {
			t.Errorf("%s: somebody waits for the store", name)
		}
		if got := received(t, m); len(got) != 1 || got[0].(*packet.Publish).PacketID != c.id {
			t.Errorf("%s: got %v, want identifier %d", name, got, c.id)
		}
		if got := len(b.Ops) == 1 && b.Ops[0].Kind == store.Assign && b.Ops[0].Entry.PacketID == c.id; got != c.stored || len(b.Ops) > 1 {
			t.Errorf("%s: to be stored: %v, want %v", name, b.Ops, c.stored)
		}
	}
}
