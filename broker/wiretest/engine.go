package wiretest

import (
	"io"
	"sync"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
)

// simEngine is an engine.Engine without sockets: a connection is a pipe that
// the script fills and empties. Safe for concurrent use.
type simEngine struct {
	mu    sync.Mutex
	conns []*pipe
}

// Add implements engine.Engine. Nobody listens in a script.
func (*simEngine) Add(engine.NetConn, func(engine.Conn) engine.Handler) {
	panic("wiretest: the simulated engine has no sockets")
}

// Hurry implements engine.Engine: nobody lingers.
func (*simEngine) Hurry(time.Duration) {}

// Close implements engine.Engine.
func (e *simEngine) Close(err error) {
	e.mu.Lock()
	all := e.conns
	e.mu.Unlock()
	for _, p := range all {
		p.Close(err)
	}
	for _, p := range all {
		<-p.done
	}
}

// dial opens a connection whose handler newHandler makes.
func (e *simEngine) dial(newHandler func(engine.Conn) engine.Handler) *pipe {
	p := &pipe{kick: make(chan struct{}, 1), done: make(chan struct{})}
	p.h = newHandler(p)
	e.mu.Lock()
	e.conns = append(e.conns, p)
	e.mu.Unlock()
	go p.run()
	return p
}

// pipe is one simulated connection, an engine.Conn. What is below mu is
// guarded by it; in and seen belong to run otherwise.
type pipe struct {
	h    engine.Handler
	kick chan struct{} // room for one: there is something to look at
	done chan struct{} // closed after Handler.Closed

	mu       sync.Mutex
	fed      []byte // by the client, not yet in in
	hungUp   bool   // by the client
	out      []byte // to the client, not yet gathered
	stalled  bool   // the client reads nothing
	refused  bool   // Write took less than offered
	parked   bool
	woken    bool
	deadline time.Time
	closing  bool
	cause    error

	in []byte
}

// Write implements engine.Conn.
func (p *pipe) Write(b []byte) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closing || p.hungUp:
		return len(b)
	case p.stalled:
		p.refused = true
		return 0
	}
	p.out = append(p.out, b...)
	return len(b)
}

// SetDeadline implements engine.Conn.
func (p *pipe) SetDeadline(t time.Time) { p.change(func() { p.deadline = t }) }

// Wake implements engine.Conn.
func (p *pipe) Wake() { p.change(func() { p.woken = true }) }

// Close implements engine.Conn.
func (p *pipe) Close(err error) {
	p.change(func() {
		if !p.closing {
			p.closing, p.cause = true, err
		}
	})
}

// feed is what the client sends.
func (p *pipe) feed(b []byte) { p.change(func() { p.fed = append(p.fed, b...) }) }

// hangUp is the client's closing of the connection.
func (p *pipe) hangUp() { p.change(func() { p.hungUp = true }) }

// stall says whether the client leaves its socket unread.
func (p *pipe) stall(on bool) { p.change(func() { p.stalled = on }) }

// take returns what the client has received since the last call, and whether
// the broker has closed.
func (p *pipe) take() (out []byte, closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out, p.out = p.out, nil
	return out, p.closing && p.cause != io.EOF
}

func (p *pipe) change(f func()) {
	p.mu.Lock()
	f()
	p.mu.Unlock()
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// run calls the handler, one call at a time.
func (p *pipe) run() {
	defer close(p.done)
	for {
		call, wait := p.next(time.Now())
		switch {
		case call != nil:
			call()
			if p.ended() {
				return
			}
		case wait <= 0:
			<-p.kick
		default:
			t := time.NewTimer(wait)
			select {
			case <-p.kick:
			case <-t.C:
			}
			t.Stop()
		}
	}
}

// ended reports whether the last call was Closed.
func (p *pipe) ended() bool { return p.h == nil }

// next decides what is to be done: a call, or waiting for so long (0 = until
// something changes).
func (p *pipe) next(now time.Time) (call func(), wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh := len(p.fed) > 0
	switch {
	case p.closing:
		cause := p.cause
		return func() { p.h.Closed(now, cause); p.h = nil }, 0
	case !p.deadline.IsZero() && !now.Before(p.deadline):
		p.deadline = time.Time{}
		return func() { p.h.Deadline(now) }, 0
	case p.refused && !p.stalled:
		p.refused = false
		return func() { p.h.Writable(now) }, 0
	case p.parked && !p.woken:
	case p.parked || fresh:
		p.parked, p.woken = false, false
		p.in = append(p.in, p.fed...)
		p.fed = nil
		if len(p.in) > 0 {
			return func() { p.receive(now) }, 0
		}
		fallthrough
	case p.hungUp:
		if p.hungUp {
			p.closing, p.cause = true, io.EOF
		}
		return func() {}, 0
	}
	if p.deadline.IsZero() {
		return nil, 0
	}
	return nil, p.deadline.Sub(now)
}

func (p *pipe) receive(now time.Time) {
	n, park := p.h.Receive(now, p.in)
	p.in = append([]byte(nil), p.in[n:]...)
	if park {
		p.mu.Lock()
		p.parked = true
		p.mu.Unlock()
	}
}
