package listener

import (
	"errors"
	"runtime"
	"sync/atomic"
	"time"
)

// perCPU is how many TLS handshakes may be in progress for each CPU unless
// configured: enough to hide the network's delay, few enough that clients
// which connect all at once are served one after the other, not all too late.
const perCPU = 64

// Gate bounds how many TLS handshakes of all listeners are in progress; the
// rest wait. Safe for concurrent use; nil lets everybody through.
type Gate struct {
	slots   chan struct{}
	waiting atomic.Int64
}

// NewGate returns a gate for n handshakes at a time; 0 is 64 for each CPU.
func NewGate(n int) *Gate {
	if n == 0 {
		n = perCPU * runtime.GOMAXPROCS(0)
	}
	return &Gate{slots: make(chan struct{}, n)}
}

// Active returns how many handshakes are in progress.
func (g *Gate) Active() int { return len(g.slots) }

// Waiting returns how many handshakes wait for their turn.
func (g *Gate) Waiting() int { return int(g.waiting.Load()) }

// Reasons why enter fails.
var (
	errCrowd  = errors.New("too many TLS handshakes are in progress (max_tls_handshakes)")
	errClosed = errors.New("the listener is closed")
)

// enter waits at most limit for a slot, or until gone is closed, and returns
// how long. After nil the caller owes leave.
func (g *Gate) enter(limit time.Duration, gone <-chan struct{}) (waited time.Duration, err error) {
	if g == nil {
		return 0, nil
	}
	select {
	case g.slots <- struct{}{}:
		return 0, nil
	default:
	}
	g.waiting.Add(1)
	defer g.waiting.Add(-1)
	start, timer := time.Now(), time.NewTimer(limit)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return time.Since(start), nil
	case <-timer.C:
		return 0, errCrowd
	case <-gone:
		return 0, errClosed
	}
}

func (g *Gate) leave() {
	if g != nil {
		<-g.slots
	}
}
