package broker

import (
	"fmt"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// Imbalance checks that every message and every copy is accounted for:
//
//	received = refused + routed + unrouted
//	made + restored = completed + queued + in flight + dropped
//
// It returns "" when both hold, else what does not. Only at rest must they.
func (b *Broker) Imbalance() string {
	m := b.Metrics
	if in, out := m.MessagesReceived.Count(), m.MessagesRefused.Count()+m.MessagesRouted.Count()+m.MessagesUnrouted.Count(); in != out {
		return fmt.Sprintf("broker: %d messages received, %d refused + %d routed + %d unrouted", in,
			m.MessagesRefused.Count(), m.MessagesRouted.Count(), m.MessagesUnrouted.Count())
	}
	g := b.gauges()
	queued, inflight, dropped := g.CopiesQueued(), g.CopiesInflight(), int64(0)
	for r := 1; r < mqtt.DropReasons; r++ {
		dropped += m.Dropped(r).Count()
	}
	if in, out := m.CopiesMade.Count()+m.CopiesRestored.Count(), m.CopiesCompleted.Count()+queued+inflight+dropped; in != out {
		return fmt.Sprintf("broker: %d copies made + %d restored, %d completed + %d queued + %d in flight + %d dropped (difference %d)",
			m.CopiesMade.Count(), m.CopiesRestored.Count(), m.CopiesCompleted.Count(), queued, inflight, dropped, in-out)
	}
	return ""
}
