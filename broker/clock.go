package broker

import (
	"fmt"
	"time"

	"github.com/lunemq/lunemq/broker/store"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

// clockDoubt is how long expiry waits when the clock is not to be trusted, and
// clockJump how far ahead of the store's newest stamp it may stand.
const (
	clockDoubt = time.Minute
	clockJump  = 24 * time.Hour
)

// checkClock compares the clock with what the store saw last: one that stands
// before it, or more than a day after it, may be wrong, and sessions that
// would have expired get a minute to return. The alarm about it lasts as long.
func (b *Broker) checkClock(now time.Time, kept store.Store) {
	s, ok := kept.(interface{ Newest() time.Time })
	if !ok || s.Newest().IsZero() {
		return
	}
	newest := s.Newest()
	if !now.Before(newest) && now.Sub(newest) <= clockJump {
		return
	}
	where := "before"
	if now.After(newest) {
		where = "more than a day after"
	}
	b.Alarms.Raise(alarm.ClockDoubt, "", fmt.Sprintf("the clock (%s) stands %s the newest time in the store (%s): nothing expires for a minute",
		now.Format(time.RFC3339), where, newest.Format(time.RFC3339)))
	b.Registry.Suspend(now.Add(clockDoubt))
	b.background.Go(func() {
		t := time.NewTimer(clockDoubt)
		defer t.Stop()
		select {
		case <-t.C:
			b.Alarms.Clear(alarm.ClockDoubt, "")
		case <-b.stopping:
		}
	})
}
