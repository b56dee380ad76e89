package broker

import (
	"log/slog"
	"sync"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// dropLog writes at most one line per reason and interval, with the number of
// drops since the last. Safe for concurrent use; its lock is a leaf.
type dropLog struct {
	log *slog.Logger
	mu  sync.Mutex
	of  [mqtt.DropReasons]struct {
		last time.Time
		more int
	}
}

// dropInterval is the least time between two lines about one reason.
const dropInterval = 10 * time.Second

func newDropLog(log *slog.Logger) *dropLog { return &dropLog{log: log} }

// note takes one drop. Reasons that are ordinary life (expired, QoS 0 for an
// offline client, a session that ended) are logged at debug level.
func (d *dropLog) note(key mqtt.SessionKey, m *mqtt.Message, r mqtt.DropReason) {
	d.mu.Lock()
	x := &d.of[r]
	now := time.Now()
	if now.Sub(x.last) < dropInterval {
		x.more++
		d.mu.Unlock()
		return
	}
	more := x.more
	x.last, x.more = now, 0
	d.mu.Unlock()
	log := d.log.Warn
	if r == mqtt.DropExpired || r == mqtt.DropOffline || r == mqtt.DropSessionEnded {
		log = d.log.Debug
	}
	log("message dropped", "reason", r.String(), "client_id", key.ClientID, "topic", m.Topic, "more_since_last_line", more)
}
