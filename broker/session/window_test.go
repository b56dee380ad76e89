package session

import (
	"math/rand"
	"testing"
	"time"

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
			f, _ := w.add(mqtt.Queued{Number: n}, stepSent, false)
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

// TestWindow_ByNumber sends messages whose numbers have gaps, some so wide that
// the identifiers go round, and loses the window at times: what was in flight
// gets the same identifiers again, and none is used twice.
func TestWindow_ByNumber(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	var w window
	flight, alone := map[uint16]uint64{}, 0 // identifier -> number; those not foreseen
	for step, n := 0, uint64(0); step < 50_000; step++ {
		if n++; r.Intn(10) == 0 {
			n += uint64(r.Intn(maxID))
		}
		f, foreseen := w.add(mqtt.Queued{Number: n}, stepSent, true)
		if _, used := flight[f.id()]; used || f.id() == 0 || foreseen && f.id() != numberID(n) {
			t.Fatalf("number %d: identifier %d, in use: %v, foreseen: %v", n, f.id(), used, foreseen)
		}
		flight[f.id()] = n
		if !foreseen {
			alone++
		}
		for id := range flight {
			if len(flight) < 40 {
				break
			}
			if f := w.find(id); f == nil || f.item.Number != flight[id] {
				t.Fatalf("find(%d) = %v, want number %d", id, f, flight[id])
			}
			w.done(w.find(id))
			delete(flight, id)
		}
		if step%1000 == 999 { // a crash; what was not foreseen is in the store
			old := w
			w = window{}
			old.each(func(f *inflight) {
				if f.id() != numberID(f.item.Number) {
					w.restore(f.item, f.id(), stepSent)
				}
			})
			old.each(func(f *inflight) {
				if f.id() != numberID(f.item.Number) {
					return
				}
				if again, _ := w.add(f.item, stepSent, true); again.id() != f.id() {
					t.Fatalf("number %d had identifier %d and has %d", f.item.Number, f.id(), again.id())
				}
			})
		}
	}
	if alone == 0 || alone > 5000 {
		t.Errorf("%d identifiers were taken", alone)
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
	if f, _ := w.add(mqtt.Queued{Number: 9}, stepSent, false); f.id() != 8 {
		t.Errorf("next identifier %d, want 8", f.id())
	}
	for _, id := range []uint16{0, 2, 64999} {
		if w.find(id) != nil {
			t.Errorf("find(%d) found something", id)
		}
	}
}

// TestContinue_Identifiers: the messages after a restart get the identifiers
// that follow those of the messages before it.
func TestContinue_Identifiers(t *testing.T) {
	for _, last := range []uint64{0, 1, 5, maxID, 3*maxID + 17} {
		if last > 0 {
			last += NewState(mqtt.SessionKey{}, t0, 0).Number()
		}
		st := NewState(mqtt.SessionKey{}, t0.Add(time.Hour), 0)
		st.Continue(last, false)
		n := st.NextNumber(mqtt.AtLeastOnce)
		if want := numberID(last + 1); numberID(n) != want || n <= last || st.NextNumber(mqtt.AtMostOnce) != 0 {
			t.Errorf("after %d comes %d with identifier %d, want %d", last, n, numberID(n), want)
		}
	}
}

func TestResponses_Order(t *testing.T) {
	m := NewMachine(&Config{MaxOutputBytes: 1 << 20}, t0)
	m.phase, m.version, m.st = Connected, mqtt.V5, NewState(mqtt.SessionKey{}, t0, 0)
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
