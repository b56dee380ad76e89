package session

import (
	"slices"
	"testing"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// TestRestore_Order: QoS 1 messages that were sent before one whose identifier
// is stored keep their places before it, unless their identifier is another's.
// What is read again from the store later is behind them.
func TestRestore_Order(t *testing.T) {
	for _, c := range []struct {
		name         string
		sent         uint64
		flight, wait []uint64
	}{
		{"crash", 7, []uint64{1, 2, 3, 5, 7}, []uint64{4, 6, 8, 9}},
		{"orderly", 0, []uint64{2, 5, 7}, []uint64{1, 3, 4, 6, 8, 9}},
	} {
		var entries []store.Entry
		for _, n := range []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9} {
			e := store.Entry{Queued: message(n, mqtt.AtLeastOnce)}
			switch n {
			case 2, 5:
				e.Delivery.QoS, e.PacketID = mqtt.ExactlyOnce, uint16(n)
			case 7: // under the identifier foreseen for 4
				e.Delivery.QoS, e.PacketID = mqtt.ExactlyOnce, 4
			case 6, 9: // not sent
				e.Delivery.QoS = mqtt.ExactlyOnce
			}
			entries = append(entries, e)
		}
		st := NewState(mqtt.SessionKey{ClientID: "c"}, t0, 0)
		st.Restore(&store.Session{Expiry: store.Forever}, entries, nil, 1, 10, c.sent)
		var flight, wait []uint64
		st.window.each(func(f *inflight) {
			flight = append(flight, f.item.Number)
			if want := f.item.Number; f.id() != uint16(want) && want != 7 {
				t.Errorf("%s: number %d has identifier %d", c.name, want, f.id())
			}
		})
		st.Queue.Each(func(it mqtt.Queued) bool {
			wait = append(wait, it.Number)
			return true
		})
		if !slices.Equal(flight, c.flight) || !slices.Equal(wait, c.wait) {
			t.Errorf("%s: in flight %v, waiting %v; want %v, %v", c.name, flight, wait, c.flight, c.wait)
		}
		if st.backlog.after != 9 {
			t.Errorf("%s: the backlog begins behind %d", c.name, st.backlog.after)
		}
	}
}
