package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/lunemq/lunemq/conf/value"
)

// Spec returns what Open needs for the listener of this name. Limits and
// callbacks are the caller's to add.
func (t TCP) Spec(name string) Spec {
	spec := t.Client.spec("tcp."+name, "mqtt", t.Address)
	spec.Proxy = t.Proxy
	return spec
}

// listen opens a TCP or Unix socket. Keep-alive probes and TCP_NODELAY are on,
// as package net sets them.
func listen(a value.Address) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), a.Network(), a.HostPort())
	if err == nil || a.Path == "" || !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	if stale := removeStale(a.Path); stale != nil {
		return nil, fmt.Errorf("%w: %w", err, stale)
	}
	return lc.Listen(context.Background(), a.Network(), a.HostPort())
}

// removeStale removes the socket file of a process that is gone. It is an
// error if there is something else, or if somebody listens.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("%s is not a socket", path)
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		_ = c.Close()
		return errors.New("somebody listens there")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

// stream is what TCP and Unix sockets have in common.
type stream interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
	SetReadBuffer(bytes int) error
	SetWriteBuffer(bytes int) error
}

// counted is a connection whose end its listener learns of. The socket's
// methods are passed on, so that an engine may use the descriptor.
type counted struct {
	stream
	l     *Listener
	ip    netip.Addr // under which the limits count it
	ended atomic.Bool
}

// Close closes the socket; the first call counts as the connection's end.
func (c *counted) Close() error {
	err := c.stream.Close()
	if !c.ended.Swap(true) {
		c.l.ended(c.ip)
	}
	return err
}

// Detach gives the descriptor away, for an engine with a poller of its own. Of
// the connection's methods only Close may be called afterwards.
func (c *counted) Detach() (fd int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	if outer := raw.Control(func(old uintptr) { fd, err = duplicate(old) }); outer != nil {
		return -1, outer
	}
	if err != nil {
		return -1, err
	}
	_ = c.stream.Close()
	return fd, nil
}

// count prepares an accepted connection. Sizes the system does not allow are
// cut by it, not refused.
func (l *Listener) count(c net.Conn, ip netip.Addr) *counted {
	s := c.(stream)
	if n := l.spec.Buffers.Send; n > 0 {
		_ = s.SetWriteBuffer(n)
	}
	if n := l.spec.Buffers.Receive; n > 0 {
		_ = s.SetReadBuffer(n)
	}
	return &counted{stream: s, l: l, ip: ip}
}
