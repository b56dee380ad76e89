package goroutine

import (
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/engine/enginetest"
)

func BenchmarkEngine(b *testing.B) {
	enginetest.Bench(b, func() engine.Engine { return New(Options{Linger: time.Millisecond}) })
}
