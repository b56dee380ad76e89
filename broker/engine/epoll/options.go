package epoll

import (
	"time"

	"github.com/lunemq/lunemq/broker/engine"
)

// Options of an engine. Zero values stand for the defaults, but for Other.
type Options struct {
	// Other serves the connections that are no plain sockets. Close of the
	// engine closes it too.
	Other engine.Engine
	// Linger is how long Conn.Close waits for the peer to take what was
	// written and to close its side. Default 5 s.
	Linger time.Duration
	// WriteTimeout ends a connection whose peer has not taken 16 kB, or what
	// there was, within that time. Default 30 s.
	WriteTimeout time.Duration
	// Panicked is told of a panic in a handler, with the stack. The connection
	// is ended with the same err. May be called from several goroutines.
	Panicked func(err error, stack []byte)
}
