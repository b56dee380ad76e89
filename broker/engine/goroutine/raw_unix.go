//go:build unix

package goroutine

import (
	"io"
	"net"
	"os"
	"syscall"

	"github.com/lunemq/lunemq/broker/engine"
)

// rawConn returns the descriptor of nc, or nil when it has none.
func rawConn(nc engine.NetConn) syscall.RawConn {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// readOnce reads what is there into a buffer taken only now; false lets the
// caller, RawConn.Read, wait until there is something. The read is tried first
// since readiness that came before RawConn.Read is forgotten by it.
func (c *conn) readOnce(fd uintptr) bool {
	n, err := retry(syscall.Read, fd, c.in.room(&c.s.pools))
	switch {
	case err == syscall.EAGAIN:
		c.in.shrink(&c.s.pools)
		return false
	case err != nil:
		c.pass.err = c.opError("read", err)
	case n == 0:
		c.pass.err = io.EOF
	}
	c.pass.n = max(n, 0)
	return true
}

// writeOnce writes what the socket takes at once; it never asks RawConn.Write
// to wait.
func (c *conn) writeOnce(fd uintptr) bool {
	for c.out.n < len(c.out.p) {
		n, err := retry(syscall.Write, fd, c.out.p[c.out.n:])
		if err == syscall.EAGAIN {
			break
		}
		if err != nil {
			c.out.err = c.opError("write", err)
			break
		}
		c.out.n += n
	}
	return true
}

// retry calls f until no signal interrupts it.
func retry(f func(int, []byte) (int, error), fd uintptr, p []byte) (int, error) {
	for {
		n, err := f(int(fd), p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// opError returns err as package net would.
func (c *conn) opError(op string, err error) error {
	e := &net.OpError{Op: op, Net: "socket", Err: os.NewSyscallError(op, err)}
	if nc, ok := c.nc.(net.Conn); ok {
		e.Net, e.Source, e.Addr = nc.LocalAddr().Network(), nc.LocalAddr(), nc.RemoteAddr()
	}
	return e
}
