package session

import (
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/queue"
	"github.com/lunemq/lunemq/broker/store"
)

// TestGiveBack takes the messages of a share group and gives some of them back
// after others have come: these stay in front, and in the store.
func TestGiveBack(t *testing.T) {
	share := &mqtt.Share{Name: "g", Filter: "a/b"}
	st := NewState(mqtt.SessionKey{ClientID: "c"}, t0, 0)
	st.Expiry = store.Forever
	var b store.Batch
	st.PutRecord(&b, true)
	b.Reset()
	first := st.base
	push := func(n uint64, s *mqtt.Share) {
		it := message(first+n, mqtt.AtLeastOnce)
		it.Delivery.Share = s
		st.Push(it, queue.Limits{Messages: -1})
	}
	push(1, share)
	push(2, nil)
	push(3, share)
	push(4, share)
	items := st.Unsent(share, &b)
	push(5, nil)
	old := message(first, mqtt.AtLeastOnce)
	late := message(0, mqtt.AtMostOnce)
	lost := st.GiveBack([]mqtt.Queued{old, items[0], late, items[2]}, &b) // the other has a new place
	if len(lost) != 2 || lost[0].Number != first || lost[1].Number != 0 {
		t.Errorf("lost %v, want the one of an earlier session and that of QoS 0", lost)
	}
	if len(b.Ops) != 1 || b.Ops[0].Kind != store.Complete || b.Ops[0].Entry.Number != first+3 {
		t.Errorf("to be stored: %v, want that 3 has gone", b.Ops)
	}
	var got []uint64
	st.Queue.Each(func(it mqtt.Queued) bool {
		got = append(got, it.Number-first)
		return true
	})
	if len(got) != 4 || got[0] != 1 || got[1] != 2 || got[2] != 4 || got[3] != 5 {
		t.Errorf("queued %v, want 1 2 4 5", got)
	}
}

// TestGiveBack_Backlog: what follows a message that was left to the store is
// left to it as well.
func TestGiveBack_Backlog(t *testing.T) {
	st := NewState(mqtt.SessionKey{ClientID: "c"}, t0, 0)
	st.Restore(&store.Session{Expiry: store.Forever}, nil, nil, 2, 300, 0)
	st.Continue(9, false)
	st.backlog.after = 5
	var b store.Batch
	st.GiveBack([]mqtt.Queued{message(4, mqtt.AtLeastOnce), message(7, mqtt.AtLeastOnce)}, &b)
	if n, _ := st.Queued(); st.Queue.Len() != 1 || n != 4 {
		t.Errorf("%d in memory of %d, want 1 of 4", st.Queue.Len(), n)
	}
}
