package registry

import (
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/session"
	"github.com/lunemq/lunemq/broker/store"
)

// TestRead_Sent: of a long queue a page is read, and all that was sent before
// the last message with an identifier, if the client was connected when the
// broker ended. The others are counted.
func TestRead_Sent(t *testing.T) {
	const all, last = 5 * session.LoadPage, 3*session.LoadPage + 1
	for _, c := range []struct {
		offline       time.Time
		last, entries int
	}{
		{time.Time{}, last, last},
		{time.Now(), last, session.LoadPage + 1},
		{time.Time{}, 1, session.LoadPage + 1},
		{time.Time{}, 0, session.LoadPage},
	} {
		k, err := Read(&store.Session{Offline: c.offline}, func(f func(store.Entry) bool) ([]uint16, error) {
			for n := 1; n <= all; n++ {
				e := store.Entry{Queued: mqtt.Queued{Number: uint64(n), Message: &mqtt.Message{Payload: []byte("x")}}}
				if n == c.last {
					e.PacketID = uint16(n)
				}
				if !f(e) {
					break
				}
			}
			return []uint16{7}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(k.Entries) != c.entries || k.More != all-c.entries || k.Last != all || k.Sent != uint64(c.last) || len(k.Inbound) != 1 {
			t.Errorf("%+v: %d entries, %d more, last %d, sent %d", c, len(k.Entries), k.More, k.Last, k.Sent)
		}
	}
}
