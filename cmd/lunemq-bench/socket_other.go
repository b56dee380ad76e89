//go:build !linux

package main

import (
	"errors"
	"net"
	"time"
)

// errLinux: epoll and /proc are Linux's.
var errLinux = errors.New("bench: the load generator needs Linux")

// poller stands in where there is no epoll.
type poller struct{}

func newPoller() (*poller, error)                          { return nil, errLinux }
func (*poller) close()                                     {}
func (*poller) exact()                                     {}
func (*poller) add(int, int, bool) error                   { return errLinux }
func (*poller) change(int, int, bool) error                { return errLinux }
func (*poller) wait(time.Duration) (int, error)            { return 0, errLinux }
func (*poller) event(int) (slot int, read, write bool)     { return 0, false, false }
func dialSocket(to *net.TCPAddr, from net.IP) (int, error) { return -1, errLinux }
func acceptSocket(ln int) (int, error)                     { return -1, errLinux }
