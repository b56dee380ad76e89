package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
	"unsafe"
)

// sysEpollPwait2 is epoll_pwait2, whose time limit is exact; its number is the
// same on every processor.
const sysEpollPwait2 = 441

// prSetTimerSlack lets a thread ask for exact wake-ups.
const prSetTimerSlack = 29

// poller wraps an epoll descriptor. Owned by its loop.
type poller struct {
	fd     int
	events [512]syscall.EpollEvent
	coarse bool // the kernel has no epoll_pwait2
}

func newPoller() (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("bench: epoll_create1: %w", err)
	}
	return &poller{fd: fd}, nil
}

func (p *poller) close() { _ = syscall.Close(p.fd) }

// exact asks for wake-ups on time; the calling thread must be locked.
func (p *poller) exact() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetTimerSlack, 1, 0)
}

func interest(write bool) uint32 {
	if write {
		return syscall.EPOLLIN | syscall.EPOLLOUT
	}
	return syscall.EPOLLIN
}

// add watches fd, to be reported as slot.
func (p *poller) add(fd, slot int, write bool) error {
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: interest(write), Fd: int32(slot)})
}

// change watches fd for other events.
func (p *poller) change(fd, slot int, write bool) error {
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_MOD, fd, &syscall.EpollEvent{Events: interest(write), Fd: int32(slot)})
}

// wait returns the number of events, at the latest after d.
func (p *poller) wait(d time.Duration) (int, error) {
	d = max(d, 0)
	if p.coarse {
		n, err := syscall.EpollWait(p.fd, p.events[:], int((d+time.Millisecond-1)/time.Millisecond))
		return max(n, 0), passing(err)
	}
	ts := syscall.NsecToTimespec(int64(d))
	n, _, errno := syscall.Syscall6(sysEpollPwait2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), uintptr(unsafe.Pointer(&ts)), 0, 0)
	switch errno {
	case 0:
		return int(n), nil
	case syscall.ENOSYS:
		p.coarse = true
		return p.wait(d)
	}
	return 0, passing(errno)
}

// event returns slot and readiness of one event.
func (p *poller) event(i int) (slot int, read, write bool) {
	e := &p.events[i]
	return int(e.Fd), e.Events&^syscall.EPOLLOUT != 0, e.Events&syscall.EPOLLOUT != 0
}

// dialSocket begins a connection without waiting for its end. A source address
// may be given so that short connections do not run out of ports.
func dialSocket(to *net.TCPAddr, from net.IP) (int, error) {
	family, remote, local := addresses(to, from)
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("bench: socket: %w", err)
	}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	if local != nil {
		const bindAddressNoPort = 24 // IP_BIND_ADDRESS_NO_PORT
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, bindAddressNoPort, 1)
		if err := syscall.Bind(fd, local); err != nil {
			_ = syscall.Close(fd)
			return -1, fmt.Errorf("bench: bind %s: %w", from, err)
		}
	}
	if err := syscall.Connect(fd, remote); err != nil && !errors.Is(err, syscall.EINPROGRESS) {
		_ = syscall.Close(fd)
		return -1, fmt.Errorf("bench: connect %s: %w", to, err)
	}
	return fd, nil
}

func addresses(to *net.TCPAddr, from net.IP) (family int, remote, local syscall.Sockaddr) {
	if ip := to.IP.To4(); ip != nil {
		if from = from.To4(); from != nil {
			local = &syscall.SockaddrInet4{Addr: [4]byte(from)}
		}
		return syscall.AF_INET, &syscall.SockaddrInet4{Port: to.Port, Addr: [4]byte(ip)}, local
	}
	return syscall.AF_INET6, &syscall.SockaddrInet6{Port: to.Port, Addr: [16]byte(to.IP.To16())}, nil
}

// acceptSocket takes a waiting connection; -1 without an error when none is.
func acceptSocket(ln int) (int, error) {
	fd, _, err := syscall.Accept4(ln, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
	if err != nil {
		return -1, passing(err)
	}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	return fd, nil
}
