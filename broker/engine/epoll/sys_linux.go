package epoll

import (
	"encoding/binary"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// The calls of this file cannot block: descriptors are non-blocking. So the
// runtime is not told of them. Else, on a machine that is mostly idle, the
// first call after each wait would wake the runtime's monitor thread, which
// costs more than the call.

// rawRead is read(2) into p, not empty.
func rawRead(fd int32, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
			continue
		}
		return 0, errno
	}
}

// rawWrite is write(2) of p, not empty. Part of a long p may have been taken
// when it fails.
func rawWrite(fd int32, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
			continue
		}
		return 0, errno
	}
}

// rawPoll is epoll_pwait(2) without waiting; no events are no error.
func rawPoll(fd uintptr, events []syscall.EpollEvent) int {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// edgeTriggered is syscall.EPOLLET, which is negative there.
const edgeTriggered = 1 << 31

// rawControl is epoll_ctl(2) for input, and output if wanted, to be reported
// as slot.
func rawControl(epfd int32, op int, fd, slot int32, output bool) error {
	e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | edgeTriggered, Fd: slot}
	if output {
		e.Events |= syscall.EPOLLOUT
	}
	return failed(syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, uintptr(epfd), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(&e)), 0, 0))
}

// rawShutdown ends output.
func rawShutdown(fd int32) error {
	return failed(syscall.RawSyscall(syscall.SYS_SHUTDOWN, uintptr(fd), syscall.SHUT_WR, 0))
}

// rawClose closes a socket. The system may forget it only later.
func rawClose(fd int32) { _, _, _ = syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0) }

// unsent returns how many bytes the peer has not acknowledged; 0 if that is
// not known.
func unsent(fd int32) int32 {
	var n int32
	_, _, errno := syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return 0
	}
	return n
}

// newEvent returns an event descriptor.
func newEvent() (int32, error) {
	fd, _, errno := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return -1, os.NewSyscallError("eventfd2", errno)
	}
	return int32(fd), nil
}

// one is what is written to an event descriptor: nobody reads it, so it counts
// to 2^64.
var one = binary.NativeEndian.AppendUint64(nil, 1)

func failed(_, _ uintptr, errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}

// failure returns err as package net would.
func failure(op string, err error) error {
	return &net.OpError{Op: op, Net: "socket", Err: os.NewSyscallError(op, err)}
}
