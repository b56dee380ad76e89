package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"time"
)

// A connection to the relay begins with
//
//	role    1  rolePublisher, roleSubscriber
//	group   4  what publishers of a group write goes to its subscribers
//	unit    4  bytes that belong together
//
// and is answered with four bytes that are also a CONNACK. After that the relay
// looks at nothing.
const (
	rolePublisher  = 'P'
	roleSubscriber = 'S'
	relayHelloSize = 9
)

var relayAnswer = []byte{headConnack, 2, 0, 0}

func relayHello(role byte, group, unit int) []byte {
	p := binary.LittleEndian.AppendUint32([]byte{role}, uint32(group))
	return binary.LittleEndian.AppendUint32(p, uint32(unit))
}

func parseRelayHello(p []byte) (role byte, group uint32, unit int) {
	return p[0], binary.LittleEndian.Uint32(p[1:]), int(binary.LittleEndian.Uint32(p[5:]))
}

// serveRelay is the process that limit measures. It ends with its standard
// input, so that it never outlives the one that started it.
func serveRelay(ctx context.Context, args []string, stdout io.Writer) error {
	f := flag.NewFlagSet("lunemq-bench relay", flag.ContinueOnError)
	kind := f.String("kind", "epoll", "epoll or goroutine (one per socket)")
	if err := f.Parse(args); err != nil {
		return err
	}
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer ln.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
		_ = ln.Close()
	}()
	fmt.Fprintf(stdout, "ready %s\n", ln.Addr())
	if *kind == "goroutine" {
		(&goRelay{groups: map[uint32][]net.Conn{}}).serve(ln)
		return nil
	}
	return serveEpollRelay(ctx, ln)
}

// epollRelay is a relay with one goroutine. Owned by its loop.
type epollRelay struct {
	l      *loop
	groups map[uint32][]*conn
}

func serveEpollRelay(ctx context.Context, ln *net.TCPListener) error {
	l, err := newLoop()
	if err != nil {
		return err
	}
	defer l.close()
	r := &epollRelay{l: l, groups: map[uint32][]*conn{}}
	file, err := ln.File()
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer file.Close()
	raw, err := file.SyscallConn()
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	var fd int
	if err := raw.Control(func(p uintptr) { fd = int(p) }); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	c, err := l.add(fd, r, nil)
	if err != nil {
		return err
	}
	c.accept = func() error { return r.accept(fd) }
	err = l.run(ctx, r, func() bool { return false })
	c.closed = true // the descriptor is file's
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// tick implements ticker.
func (r *epollRelay) tick(int64) (int64, error) { return math.MaxInt64, nil }

func (r *epollRelay) accept(ln int) error {
	for {
		fd, err := acceptSocket(ln)
		if fd < 0 || err != nil {
			return err
		}
		if _, err := r.l.add(fd, r, nil); err != nil {
			return err
		}
	}
}

// bytes implements handler, for a connection that has not said what it is.
func (r *epollRelay) bytes(c *conn, p []byte) (int, error) {
	if len(p) < relayHelloSize {
		return 0, nil
	}
	role, group, unit := parseRelayHello(p)
	if role == roleSubscriber {
		r.groups[group] = append(r.groups[group], c)
	}
	c.h = &epollRelayed{r, group, max(unit, 1), c}
	return relayHelloSize, r.l.send(c, relayAnswer)
}

// ended implements handler.
func (r *epollRelay) ended(*conn, error) error { return nil }

// epollRelayed is one connection of the relay.
type epollRelayed struct {
	r     *epollRelay
	group uint32
	unit  int
	c     *conn
}

// bytes implements handler.
func (x *epollRelayed) bytes(_ *conn, p []byte) (int, error) {
	n := len(p) - len(p)%x.unit
	if n == 0 {
		return 0, nil
	}
	for _, to := range x.r.groups[x.group] {
		if err := x.r.l.send(to, p[:n]); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// ended implements handler.
func (x *epollRelayed) ended(*conn, error) error {
	g := x.r.groups[x.group]
	for i, c := range g {
		if c == x.c {
			x.r.groups[x.group] = append(g[:i:i], g[i+1:]...)
			break
		}
	}
	return nil
}

// goRelay is a relay with a goroutine per socket.
type goRelay struct {
	mu     sync.RWMutex
	groups map[uint32][]net.Conn // slices are replaced, never changed
}

func (r *goRelay) serve(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		go r.handle(c)
	}
}

func (r *goRelay) handle(c net.Conn) {
	defer c.Close()
	hello := make([]byte, relayHelloSize)
	if _, err := io.ReadFull(c, hello); err != nil {
		return
	}
	role, group, unit := parseRelayHello(hello)
	if role == roleSubscriber {
		r.mu.Lock()
		g := r.groups[group]
		r.groups[group] = append(g[:len(g):len(g)], c)
		r.mu.Unlock()
	}
	if _, err := c.Write(relayAnswer); err != nil {
		return
	}
	if role == roleSubscriber {
		_, _ = io.Copy(io.Discard, c)
		return
	}
	r.forward(c, group, max(unit, 1))
}

// forward moves what c sends to its group.
func (r *goRelay) forward(c net.Conn, group uint32, unit int) {
	buf, kept := make([]byte, 64<<10+unit), 0
	for {
		n, err := c.Read(buf[kept:])
		if err != nil {
			return
		}
		whole := (kept + n) - (kept+n)%unit
		r.mu.RLock()
		g := r.groups[group]
		r.mu.RUnlock()
		for _, to := range g {
			_, _ = to.Write(buf[:whole])
		}
		kept = copy(buf, buf[whole:kept+n])
	}
}
