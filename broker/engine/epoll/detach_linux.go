package epoll

import (
	"net"
	"os"
	"syscall"

	"github.com/lunemq/lunemq/broker/engine"
)

// detacher is a connection that gives its descriptor away: non-blocking, and
// registered with no poller. Afterwards only its Close is called, once, when
// the descriptor is closed.
type detacher interface {
	Detach() (fd int, err error)
}

// detachable reports whether nc is a plain socket. What merely has a socket
// beneath it is none.
func detachable(nc engine.NetConn) bool {
	switch nc.(type) {
	case detacher, *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}

// detach takes the descriptor out of nc. A socket of package net cannot be
// taken from its poller but by closing it, so its descriptor is a duplicate.
func detach(nc engine.NetConn) (fd int, err error) {
	if d, ok := nc.(detacher); ok {
		return d.Detach()
	}
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return -1, err
	}
	if err := raw.Control(func(old uintptr) { fd, err = duplicate(old) }); err != nil {
		return -1, err
	}
	if err != nil {
		return -1, err
	}
	_ = nc.Close()
	return fd, nil
}

func duplicate(fd uintptr) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return -1, os.NewSyscallError("fcntl", errno)
	}
	return int(n), nil
}
