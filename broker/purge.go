package broker

import "time"

// purgeInterval is how often expired retained messages are looked for.
const purgeInterval = 5 * time.Minute

// purge removes expired retained messages until the broker stops.
func (b *Broker) purge() {
	tick := time.NewTicker(purgeInterval)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			b.Router.PurgeExpired(now, b.Store, func(err error) {
				if err != nil {
					b.Metrics.StoreErrors.Inc(1)
				}
			})
		case <-b.stopping:
			return
		}
	}
}
