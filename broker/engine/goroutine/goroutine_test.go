package goroutine

import (
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/engine/enginetest"
)

func TestSuite(t *testing.T) {
	enginetest.Run(t, func() engine.Engine { return New(Options{Linger: 300 * time.Millisecond}) })
}
