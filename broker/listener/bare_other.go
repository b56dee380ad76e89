//go:build !linux

package listener

import (
	"errors"
	"net"
)

// bareListener exists on Linux only.
type bareListener struct{ net.Listener }

func bare(l net.Listener) net.Listener { return l }

func (b *bareListener) accept() (int, Peer, error) { return -1, Peer{}, errors.ErrUnsupported }

func (b Buffers) set(int) {}

func closeSocket(int) {}

func duplicate(uintptr) (int, error) { return -1, errors.ErrUnsupported }
