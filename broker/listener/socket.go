package listener

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// Socket is an accepted plain socket that is registered with no poller, for an
// engine that has its own and calls Detach. Whoever uses it otherwise makes it
// a connection of package net by that. Safe for concurrent use.
type Socket struct {
	l  *Listener
	ip netip.Addr // under which the limits count it

	mu    sync.Mutex // guards what follows; no other lock is taken under it
	conn  net.Conn   // nil unless used as one
	fd    int32      // -1 once given away, closed or in conn
	ended bool
}

var errDetached = errors.New("listener: the socket has been detached or closed")

// Detach gives the descriptor away, which is non-blocking. Of the methods only
// Close may be called afterwards: it says that the connection has ended.
func (s *Socket) Detach() (fd int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		return -1, errDetached
	}
	fd, s.fd = int(s.fd), -1
	return fd, nil
}

// Close closes the socket unless it has been detached; the first call counts as
// the connection's end.
func (s *Socket) Close() error {
	s.mu.Lock()
	fd, conn, ended := s.fd, s.conn, s.ended
	s.fd, s.ended = -1, true
	s.mu.Unlock()
	if ended {
		return nil
	}
	var err error
	switch {
	case conn != nil:
		err = conn.Close()
	case fd >= 0:
		closeSocket(int(fd))
	}
	s.l.ended(s.ip)
	return err
}

// open makes the socket a connection of package net.
func (s *Socket) open() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		if s.fd < 0 {
			return nil, errDetached
		}
		fd := int(s.fd)
		s.fd = -1
		var err error
		if s.conn, err = netConn(fd); err != nil {
			return nil, err
		}
	}
	return s.conn, nil
}

// netConn returns a connection of package net and takes over fd.
func netConn(fd int) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "socket")
	defer func() { _ = f.Close() }()
	return net.FileConn(f)
}

// Read reads as a net.Conn does.
func (s *Socket) Read(p []byte) (int, error) {
	c, err := s.open()
	if err != nil {
		return 0, err
	}
	return c.Read(p)
}

// Write writes as a net.Conn does.
func (s *Socket) Write(p []byte) (int, error) {
	c, err := s.open()
	if err != nil {
		return 0, err
	}
	return c.Write(p)
}

// SetReadDeadline limits reads as that of net.Conn does.
func (s *Socket) SetReadDeadline(t time.Time) error {
	c, err := s.open()
	if err != nil {
		return err
	}
	return c.SetReadDeadline(t)
}

// SetWriteDeadline limits writes as that of net.Conn does.
func (s *Socket) SetWriteDeadline(t time.Time) error {
	c, err := s.open()
	if err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// acceptOne waits for one connection and hands it on.
func (l *Listener) acceptOne(socket net.Listener) error {
	if b, ok := socket.(*bareListener); ok && l.plain(l.live.Load()) {
		fd, p, err := b.accept()
		switch {
		case err != nil:
			return err
		case l.scarce(fd):
			closeSocket(fd)
			l.refuse(p.Remote, Scarce)
			return Scarce
		}
		l.admitBare(fd, p)
		return nil
	}
	c, err := socket.Accept()
	switch {
	case err != nil:
		return err
	case l.spec.MaxDescriptor > 0 && l.scarce(descriptor(c)):
		_ = c.Close()
		l.refuse(addrPort(c.RemoteAddr()), Scarce)
		return Scarce
	}
	l.admit(c)
	return nil
}

// scarce reports whether the file descriptors above fd are for others.
func (l *Listener) scarce(fd int) bool { return l.spec.MaxDescriptor > 0 && fd >= l.spec.MaxDescriptor }

// descriptor returns the number of the one of c, -1 if it has none.
func descriptor(c net.Conn) int {
	n := -1
	if s, ok := c.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { n = int(fd) })
		}
	}
	return n
}

// plain reports whether the socket is the connection.
func (l *Listener) plain(now *settings) bool {
	return l.certs == nil && now.ws == nil && !now.proxy.Header
}

// admitBare is admit for a bare socket. If the settings have changed while it
// was waited for, it is one like others.
func (l *Listener) admitBare(fd int, p Peer) {
	if !l.plain(l.live.Load()) {
		if c, err := netConn(fd); err == nil {
			l.admit(c)
		}
		return
	}
	ip := p.Remote.Addr()
	if why := l.spec.Limits.enter(ip); why != Admitted {
		closeSocket(fd)
		l.refuse(p.Remote, why)
		return
	}
	l.spec.Buffers.set(fd)
	l.mu.Lock()
	l.active++
	l.total++
	l.mu.Unlock()
	l.spec.Bare(&Socket{l: l, ip: ip, fd: int32(fd)}, p)
}
