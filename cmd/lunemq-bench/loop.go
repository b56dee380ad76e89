package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"syscall"
	"time"
)

// handler is what a connection's bytes are for. It is called by the loop's
// goroutine and must not block.
type handler interface {
	// bytes is given what has arrived, a rest of the call before in front, and
	// returns how much of it is done with. p is valid during the call. An
	// error ends the loop.
	bytes(c *conn, p []byte) (int, error)
	// ended says that the connection is over: io.EOF or the socket's error.
	// What it returns ends the loop.
	ended(c *conn, err error) error
}

// conn is one connection of the generator. Owned by its loop.
type conn struct {
	fd, slot int
	h        handler
	rest     []byte // begins a packet that has not arrived in full
	out      []byte // not yet taken by the socket
	armed    bool   // a wake-up is asked for when the socket takes more
	closed   bool
	// accept is called instead of reading, on a listening socket.
	accept func() error
}

// ticker is called in every round of the loop.
type ticker interface {
	// tick does what is due at now, and returns when it is to be called next
	// at the latest.
	tick(now int64) (next int64, err error)
}

// loop serves all connections of a scenario. Owned by the goroutine that calls
// run. Its clock counts nanoseconds since its start.
type loop struct {
	p     *poller
	conns []*conn // by slot; nil = free
	free  []int
	buf   []byte
	start time.Time
	now   int64 // read once per round and before writes that carry it
}

// readSize is the most that one read takes.
const readSize = 256 << 10

func newLoop() (*loop, error) {
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	return &loop{p: p, buf: make([]byte, 2*readSize), start: time.Now()}, nil
}

// clock reads the time.
func (l *loop) clock() int64 {
	l.now = int64(time.Since(l.start))
	return l.now
}

// close closes all connections.
func (l *loop) close() {
	for _, c := range l.conns {
		if c != nil {
			l.drop(c)
		}
	}
	l.p.close()
}

// add serves a socket; out is sent as soon as it can be.
func (l *loop) add(fd int, h handler, out []byte) (*conn, error) {
	c := &conn{fd: fd, h: h, out: out, armed: len(out) > 0}
	if n := len(l.free); n > 0 {
		c.slot, l.free = l.free[n-1], l.free[:n-1]
		l.conns[c.slot] = c
	} else {
		c.slot = len(l.conns)
		l.conns = append(l.conns, c)
	}
	if err := l.p.add(fd, c.slot, c.armed); err != nil {
		return nil, fmt.Errorf("bench: epoll_ctl: %w", err)
	}
	return c, nil
}

// drop closes a connection; its handler is not told.
func (l *loop) drop(c *conn) {
	if c.closed {
		return
	}
	c.closed = true
	_ = syscall.Close(c.fd)
	l.conns[c.slot] = nil
	l.free = append(l.free, c.slot)
}

// run serves until done says so, ctx ends or something fails.
func (l *loop) run(ctx context.Context, t ticker, done func() bool) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	l.p.exact()
	for {
		next, err := t.tick(l.clock())
		if err != nil {
			return err
		}
		if done() {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		// ctx is looked at ten times a second at least.
		n, err := l.p.wait(min(time.Duration(next-l.clock()), 100*time.Millisecond))
		if err != nil {
			return fmt.Errorf("bench: epoll_wait: %w", err)
		}
		l.clock()
		for i := range n {
			slot, read, write := l.p.event(i)
			c := l.conns[slot]
			if c != nil && write {
				err = l.flush(c)
			}
			if c != nil && err == nil && read && !c.closed {
				err = l.read(c)
			}
			if err != nil {
				return err
			}
		}
	}
}

// read takes what has arrived and hands it to the handler.
func (l *loop) read(c *conn) error {
	if c.accept != nil {
		return c.accept()
	}
	kept := copy(l.buf, c.rest)
	if kept == len(l.buf) {
		return errors.New("bench: a packet larger than the read buffer")
	}
	n, err := syscall.Read(c.fd, l.buf[kept:min(kept+readSize, len(l.buf))])
	if n <= 0 {
		if err == nil {
			err = io.EOF
		} else if passing(err) == nil {
			return nil
		}
		l.drop(c)
		return c.h.ended(c, err)
	}
	p := l.buf[:kept+n]
	used, err := c.h.bytes(c, p)
	if err != nil {
		return err
	}
	c.rest = append(c.rest[:0], p[used:]...)
	if len(c.out) > 0 && !c.armed && !c.closed {
		return l.flush(c)
	}
	return nil
}

// send writes p, behind what still waits. p is not kept.
func (l *loop) send(c *conn, p []byte) error {
	if len(c.out) == 0 && !c.closed {
		n, err := syscall.Write(c.fd, p)
		if n == len(p) {
			return nil
		}
		if err != nil && passing(err) != nil {
			l.drop(c)
			return c.h.ended(c, err)
		}
		p = p[max(n, 0):]
	}
	c.out = append(c.out, p...)
	return l.flush(c)
}

// flush writes what waits, and asks for a wake-up when the socket is full.
func (l *loop) flush(c *conn) error {
	for len(c.out) > 0 && !c.closed {
		n, err := syscall.Write(c.fd, c.out)
		if n > 0 {
			c.out = c.out[:copy(c.out, c.out[n:])]
			continue
		}
		if err != nil && passing(err) != nil {
			l.drop(c)
			return c.h.ended(c, err)
		}
		break
	}
	if full := len(c.out) > 0; full != c.armed && !c.closed {
		c.armed = full
		return l.p.change(c.fd, c.slot, full)
	}
	return nil
}

// passing drops the errors after which a call is repeated.
func passing(err error) error {
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		return nil
	}
	return err
}
