package listener

import (
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// bareListener accepts sockets that no poller knows. It has a descriptor of its
// own for the listening socket, since package net lets nobody wait for its own.
type bareListener struct {
	net.Listener
	file  *os.File
	raw   syscall.RawConn
	local netip.AddrPort // zero if the connections' own are to be asked for
}

// bare returns l as one that can accept bare sockets, or as it is.
func bare(l net.Listener) net.Listener {
	f, ok := l.(interface{ File() (*os.File, error) })
	if !ok {
		return l
	}
	file, err := f.File()
	if err != nil {
		return l
	}
	raw, err := file.SyscallConn()
	if err == nil && file.SetDeadline(time.Time{}) == nil { // else it cannot be waited for
		b := &bareListener{Listener: l, file: file, raw: raw}
		if err = raw.Control(b.prepare); err == nil {
			return b
		}
	}
	_ = file.Close()
	return l
}

// prepare sets what accepted sockets inherit: what package net sets on each.
func (b *bareListener) prepare(fd uintptr) {
	b.local = addrPort(b.Addr())
	if _, ok := b.Addr().(*net.TCPAddr); !ok {
		return
	}
	if b.local.Addr().IsUnspecified() {
		b.local = netip.AddrPort{}
	}
	const probes = 15 // seconds before the first one, and between them
	for _, o := range [...][3]int{
		{syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1}, {syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, probes}, {syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, probes}, {syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 9},
	} {
		_ = syscall.SetsockoptInt(int(fd), o[0], o[1], o[2])
	}
}

// Close implements net.Listener.
func (b *bareListener) Close() error {
	_ = b.file.Close()
	return b.Listener.Close()
}

// accept waits for a connection. The call that takes it cannot block.
func (b *bareListener) accept() (fd int, p Peer, err error) {
	var sa syscall.RawSockaddrAny
	var errno syscall.Errno
	if err := b.raw.Read(func(l uintptr) bool {
		for {
			size := uint32(syscall.SizeofSockaddrAny)
			var n uintptr
			n, _, errno = syscall.RawSyscall6(syscall.SYS_ACCEPT4, l, uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0, 0)
			if errno == syscall.EINTR || errno == syscall.ECONNABORTED {
				continue
			}
			fd = int(n)
			return errno != syscall.EAGAIN
		}
	}); err != nil {
		return -1, p, err
	}
	if errno != 0 {
		return -1, p, os.NewSyscallError("accept4", errno)
	}
	p = Peer{Remote: sockaddr(&sa), Local: b.local, Since: time.Now()}
	if p.Remote.IsValid() && !p.Local.IsValid() {
		size := uint32(syscall.SizeofSockaddrAny)
		_, _, _ = syscall.RawSyscall(syscall.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
		p.Local = sockaddr(&sa)
	}
	return fd, p, nil
}

// sockaddr returns the address and port of sa, IPv4 in its short form; zero for
// what has none.
func sockaddr(sa *syscall.RawSockaddrAny) netip.AddrPort {
	port := func(p *uint16) uint16 {
		b := (*[2]byte)(unsafe.Pointer(p)) // in the network's order
		return uint16(b[0])<<8 | uint16(b[1])
	}
	switch sa.Addr.Family {
	case syscall.AF_INET:
		a := (*syscall.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), port(&a.Port))
	case syscall.AF_INET6:
		a := (*syscall.RawSockaddrInet6)(unsafe.Pointer(sa))
		ip := netip.AddrFrom16(a.Addr).Unmap()
		if a.Scope_id != 0 {
			if i, err := net.InterfaceByIndex(int(a.Scope_id)); err == nil {
				ip = ip.WithZone(i.Name)
			}
		}
		return netip.AddrPortFrom(ip, port(&a.Port))
	}
	return netip.AddrPort{}
}

// set sets the sizes of a socket's buffers.
func (b Buffers) set(fd int) {
	if b.Send > 0 {
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUF, b.Send)
	}
	if b.Receive > 0 {
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, b.Receive)
	}
}

// closeSocket closes a descriptor.
func closeSocket(fd int) { _ = syscall.Close(fd) }

// duplicate returns another descriptor of the same socket.
func duplicate(fd uintptr) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return -1, os.NewSyscallError("fcntl", errno)
	}
	return int(n), nil
}
