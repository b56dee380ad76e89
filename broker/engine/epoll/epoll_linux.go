package epoll

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
)

// New returns an engine that serves plain sockets with loops of its own, and
// hands everything else to o.Other.
func New(o Options) engine.Engine {
	if o.Linger == 0 {
		o.Linger = 5 * time.Second
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 30 * time.Second
	}
	s := &server{opts: o, base: time.Now()}
	s.linger.Store(int64(o.Linger))
	return s
}

// server implements engine.Engine. Safe for concurrent use.
type server struct {
	opts Options
	base time.Time // from which its times are counted

	linger atomic.Int64 // in nanoseconds

	mu     sync.Mutex // guards what follows; no other lock is taken under it
	loops  []*loop    // none before the first connection; then never changed
	closed bool
	cause  error          // of Close
	served sync.WaitGroup // one per connection
	runs   sync.WaitGroup // one per loop
}

// Add implements engine.Engine. After Close it closes nc and does not call
// newHandler.
func (s *server) Add(nc engine.NetConn, newHandler func(engine.Conn) engine.Handler) {
	if !detachable(nc) {
		s.opts.Other.Add(nc, newHandler)
		return
	}
	l, err := s.enter()
	if err != nil {
		s.report(err)
		_ = nc.Close()
		return
	}
	fd, err := detach(nc)
	if err != nil {
		_ = nc.Close()
		l.left()
		return
	}
	c := &conn{l: l, nc: nc, fd: int32(fd), deadline: never, limit: never}
	if err := s.guard(func() { c.h = newHandler(c) }); err != nil {
		rawClose(int32(fd))
		_ = nc.Close()
		l.left()
		return
	}
	l.add(c)
	s.mu.Lock()
	closed, cause := s.closed, s.cause
	s.mu.Unlock()
	if closed {
		c.Close(cause)
	}
}

// errClosed is why nobody is served after Close.
var errClosed = errors.New("engine: closed")

// enter counts a connection and chooses its loop.
func (s *server) enter() (*loop, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	if s.loops == nil {
		if err := s.start(); err != nil {
			return nil, err
		}
	}
	s.served.Add(1)
	// Of two at random the one with fewer connections: clients that come in
	// turns, such as publishers and subscribers, are mixed all the same.
	a, b := s.loops[rand.IntN(len(s.loops))], s.loops[rand.IntN(len(s.loops))]
	if b.load.Load() < a.load.Load() {
		a = b
	}
	a.load.Add(1)
	return a, nil
}

// start makes the loops. Called with mu held.
func (s *server) start() error {
	var loops []*loop
	for range runtime.GOMAXPROCS(0) {
		l, err := newLoop(s)
		if err != nil {
			for _, l := range loops {
				l.release()
			}
			return fmt.Errorf("engine: epoll: %w", err)
		}
		loops = append(loops, l)
	}
	s.loops = loops
	for _, l := range loops {
		s.runs.Go(l.run)
	}
	return nil
}

// report tells of what costs a connection and is nobody's panic.
func (s *server) report(err error) {
	if s.opts.Panicked != nil && !errors.Is(err, errClosed) {
		s.opts.Panicked(err, nil)
	}
}

// Hurry implements engine.Engine.
func (s *server) Hurry(linger time.Duration) {
	s.opts.Other.Hurry(linger)
	s.linger.Store(min(s.linger.Load(), int64(linger)))
	at := s.nanos(time.Now()) + s.linger.Load()
	s.mu.Lock()
	loops := s.loops
	s.mu.Unlock()
	for _, l := range loops {
		for _, c := range l.all() {
			c.mu.Lock()
			if c.closing.Load() && c.limit > at {
				c.limit = at
				l.arm(c, at)
			}
			c.mu.Unlock()
		}
	}
}

// Close implements engine.Engine.
func (s *server) Close(err error) {
	s.mu.Lock()
	if !s.closed {
		s.closed, s.cause = true, err
	}
	loops := s.loops
	s.mu.Unlock()
	for _, l := range loops {
		for _, c := range l.all() {
			c.Close(err)
		}
	}
	s.opts.Other.Close(err)
	s.served.Wait()
	for _, l := range loops {
		l.stop()
	}
	s.runs.Wait()
}

// nanos is t as the engine counts it.
func (s *server) nanos(t time.Time) int64 { return int64(t.Sub(s.base)) }

// guard calls f, a part of a handler, and turns its panic into an error: one
// connection must not end the broker.
func (s *server) guard(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = s.panicked(r)
		}
	}()
	f()
	return nil
}

func (s *server) panicked(r any) error {
	err := fmt.Errorf("engine: panic in handler: %v", r)
	if s.opts.Panicked != nil {
		s.opts.Panicked(err, debug.Stack())
	}
	return err
}
