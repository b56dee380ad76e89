package broker

import (
	"time"

	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/engine/epoll"
	"github.com/lunemq/lunemq/broker/engine/goroutine"
)

// NewEngine returns the engine for Parts: epoll for plain TCP and Unix sockets
// where the system has it, a goroutine per connection for all others. linger is
// that of engine.Conn.Close, 0 for the engines' default; panicked is told of
// panics in connections.
func NewEngine(linger time.Duration, panicked func(err error, stack []byte)) engine.Engine {
	return epoll.New(epoll.Options{
		Other:  goroutine.New(goroutine.Options{Linger: linger, Panicked: panicked}),
		Linger: linger, Panicked: panicked,
	})
}
