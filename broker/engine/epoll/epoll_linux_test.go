package epoll

import (
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/engine/enginetest"
	"github.com/lunemq/lunemq/broker/engine/goroutine"
)

func TestSuite(t *testing.T) {
	const linger = 300 * time.Millisecond
	enginetest.Run(t, func() engine.Engine {
		return New(Options{Other: goroutine.New(goroutine.Options{Linger: linger}), Linger: linger})
	})
}

func BenchmarkEngine(b *testing.B) {
	enginetest.Bench(b, func() engine.Engine {
		return New(Options{Other: goroutine.New(goroutine.Options{}), Linger: time.Millisecond})
	})
}
