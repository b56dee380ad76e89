package scripting

import (
	"sync"
	"time"

	"github.com/lunemq/lunemq/telemetry/metric"
)

// stats are the instruments of one hook of one script.
type stats = metric.ScriptRow

// Failing calls of one script are logged at this rate, after a burst.
const (
	logEvery = time.Second
	logBurst = 20
)

// logLimit bounds log lines about one thing. Safe for concurrent use; its lock
// is a leaf.
type logLimit struct {
	mu      sync.Mutex
	spent   int // of the burst
	since   time.Time
	skipped int64
}

// allow reports whether a line may be logged, and how many were not since the
// last one.
func (l *logLimit) allow(now time.Time) (skipped int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if back := int(now.Sub(l.since) / logEvery); back > 0 {
		l.spent, l.since = max(0, l.spent-back), now
	}
	if l.spent >= logBurst {
		l.skipped++
		return 0, false
	}
	l.spent++
	skipped, l.skipped = l.skipped, 0
	return skipped, true
}
