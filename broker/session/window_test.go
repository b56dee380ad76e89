package session

import (
	"math/rand"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// TestWindow_Model compares the window with a map over random sends and
// acknowledgements, with a few messages that stay in flight while the
// identifiers go round several times.
func TestWindow_Model(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	var w window
	twin := map[uint16]uint64{} // identifier -> number
	var order []uint16
	stuck := 0
	for n := uint64(1); n < 400_000; n++ {
		if len(twin) < 200 {
			f := w.add(mqtt.Queued{Number: n}, stepSent)
			if _, used := twin[f.id()]; used || f.id() == 0 {
				t.Fatalf("identifier %d is in use", f.id())
			}
			twin[f.id()] = n
			if n%90_000 == 5 {
				stuck++ // never acknowledged
			} else {
				order = append(order, f.id())
			}
		}
		if len(order) == 0 || r.Intn(3) == 0 && len(twin) < 200 {
			continue
		}
		i := 0
		if r.Intn(4) == 0 {
			i = r.Intn(len(order))
		}
		id := order[i]
		order = append(order[:i], order[i+1:]...)
		f := w.find(id)
		if f == nil || f.item.Number != twin[id] {
			t.Fatalf("find(%d) = %v, want number %d", id, f, twin[id])
		}
		w.done(f)
		delete(twin, id)
		if w.find(id) != nil {
			t.Fatalf("%d is still in flight", id)
		}
	}
	if w.live != len(twin) || stuck < 3 {
		t.Fatalf("live %d, want %d; stuck %d", w.live, len(twin), stuck)
	}
	last := uint64(0)
	w.each(func(f *inflight) {
		if f.item.Number <= last {
			t.Fatalf("number %d after %d", f.item.Number, last)
		}
		last = f.item.Number
	})
	if n := len(w.list); n > 400_000/2 {
		t.Errorf("%d entries kept for %d in flight", n, w.live)
	}
}

func TestWindow_Restore(t *testing.T) {
	var w window
	for i, id := range []uint16{65000, 65535, 1, 7} {
		w.restore(mqtt.Queued{Number: uint64(i + 1)}, id, stepSent)
	}
	for i, id := range []uint16{65000, 65535, 1, 7} {
		if f := w.find(id); f == nil || f.item.Number != uint64(i+1) {
			t.Errorf("find(%d) = %v", id, f)
		}
	}
	if f := w.add(mqtt.Queued{Number: 9}, stepSent); f.id() != 8 {
		t.Errorf("next identifier %d, want 8", f.id())
	}
	for _, id := range []uint16{0, 2, 64999} {
		if w.find(id) != nil {
			t.Errorf("find(%d) found something", id)
		}
	}
}

func TestResponses_Order(t *testing.T) {
	m := NewMachine(&Config{MaxOutputBytes: 1 << 20}, t0)
	m.phase, m.version, m.st = Connected, mqtt.V5, NewState(mqtt.SessionKey{}, t0)
	var slots []Slot
	for id := uint16(1); id <= 300; id++ {
		slots = append(slots, m.responses.add(4, id))
	}
	for i := len(slots) - 1; i >= 0; i-- {
		if len(m.Output()) != 0 {
			t.Fatal("answered before the first was ready")
		}
		m.Settle(slots[i], mqtt.Success, "")
	}
	out := m.Output()
	for id := 1; id <= 300; id++ {
		p := out[(id-1)*4 : id*4]
		if got := int(p[2])<<8 | int(p[3]); p[0] != 0x40 || got != id {
			t.Fatalf("answer %d is % x", id, p)
		}
	}
	m.Settle(slots[0], mqtt.Success, "") // a second time
	if len(m.Output()) != 300*4 {
		t.Error("answered twice")
	}
}
