package goroutine

import (
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
)

// Options of an engine. Zero values stand for the defaults.
type Options struct {
	// Linger is how long Conn.Close waits for the peer to take what was
	// written and to close its side. Default 5 s.
	Linger time.Duration
	// WriteTimeout ends a connection whose peer has not taken 16 kB, or what
	// there was, within that time. Default 30 s.
	WriteTimeout time.Duration
	// Panicked is told of a panic in a handler, with the stack. The connection
	// is ended with the same err. May be called from several goroutines.
	Panicked func(err error, stack []byte)
}

// New returns an engine that serves each connection with a goroutine.
func New(o Options) engine.Engine {
	if o.Linger == 0 {
		o.Linger = 5 * time.Second
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 30 * time.Second
	}
	s := &server{opts: o, conns: map[*conn]struct{}{}, naps: sync.Pool{New: newNap}}
	s.linger.Store(int64(o.Linger))
	return s
}

// server implements engine.Engine. Safe for concurrent use.
type server struct {
	opts  Options
	pools pools
	naps  sync.Pool // of *nap

	linger atomic.Int64 // in nanoseconds

	mu     sync.Mutex // guards what follows; no other lock is taken under it
	conns  map[*conn]struct{}
	closed bool
	served sync.WaitGroup // one per member of conns
}

// Add implements engine.Engine. After Close it closes nc and does not call
// newHandler.
func (s *server) Add(nc engine.NetConn, newHandler func(engine.Conn) engine.Handler) {
	c := newConn(s, nc)
	if !s.enter(c) {
		_ = nc.Close()
		return
	}
	var h engine.Handler
	if err := s.guard(func() { h = newHandler(c) }); err != nil {
		_ = nc.Close()
		s.leave(c)
		return
	}
	c.start(h)
}

// Close implements engine.Engine.
func (s *server) Close(err error) {
	s.mu.Lock()
	s.closed = true
	all := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	for _, c := range all {
		c.Close(err)
	}
	s.served.Wait()
}

// Hurry implements engine.Engine.
func (s *server) Hurry(linger time.Duration) {
	s.linger.Store(min(s.linger.Load(), int64(linger)))
	until := s.until()
	s.mu.Lock()
	all := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	for _, c := range all {
		c.hurry(until)
	}
}

// until is when a connection that ends now has lingered long enough.
func (s *server) until() time.Time { return time.Now().Add(time.Duration(s.linger.Load())) }

func (s *server) enter(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[c] = struct{}{}
	s.served.Add(1)
	return true
}

func (s *server) leave(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.served.Done()
}

// guard calls f, a part of a handler, and turns its panic into an error: one
// connection must not end the broker.
func (s *server) guard(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("engine: panic in handler: %v", r)
			if s.opts.Panicked != nil {
				s.opts.Panicked(err, debug.Stack())
			}
		}
	}()
	f()
	return nil
}
