//go:build !unix

package goroutine

import (
	"syscall"

	"github.com/lunemq/lunemq/broker/engine"
)

// rawConn returns nil: all connections are read and written like those without
// a descriptor.
func rawConn(engine.NetConn) syscall.RawConn { return nil }

func (c *conn) readOnce(uintptr) bool { panic("engine: no raw read on this system") }

func (c *conn) writeOnce(uintptr) bool { panic("engine: no raw write on this system") }
