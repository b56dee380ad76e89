package enginetest

import (
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
)

// probe is a handler made of functions. It checks what the contract says of
// every call: one at a time, and none after Closed. nil functions do nothing;
// input is then consumed.
type probe struct {
	receive  func(now time.Time, p []byte) (n int, park bool)
	writable func(now time.Time)
	deadline func(now time.Time)
	init     func() // called by the engine's newHandler, when conn is set

	conn     engine.Conn
	closed   chan error // the argument of Closed
	f        *fixture
	busy     atomic.Bool // in Receive, Deadline or Closed
	inWrite  atomic.Bool // in Writable
	finished atomic.Bool // Closed was called
}

// attach returns the engine's newHandler.
func (p *probe) attach(f *fixture) func(engine.Conn) engine.Handler {
	p.f, p.closed = f, make(chan error, 1)
	return func(c engine.Conn) engine.Handler {
		p.conn = c
		if p.init != nil {
			p.init()
		}
		return p
	}
}

// Receive implements engine.Handler.
func (p *probe) Receive(now time.Time, b []byte) (int, bool) {
	defer p.enter("Receive", &p.busy)()
	p.recent(now)
	if p.receive == nil {
		return len(b), false
	}
	return p.receive(now, b)
}

// Writable implements engine.Handler.
func (p *probe) Writable(now time.Time) {
	defer p.enter("Writable", &p.inWrite)()
	p.recent(now)
	if p.writable != nil {
		p.writable(now)
	}
}

// Deadline implements engine.Handler.
func (p *probe) Deadline(now time.Time) {
	defer p.enter("Deadline", &p.busy)()
	p.recent(now)
	if p.deadline != nil {
		p.deadline(now)
	}
}

// Closed implements engine.Handler.
func (p *probe) Closed(now time.Time, err error) {
	defer p.enter("Closed", &p.busy)()
	if p.inWrite.Load() {
		p.f.Errorf("Closed during Writable")
	}
	p.finished.Store(true)
	p.recent(now)
	p.closed <- err
}

func (p *probe) enter(call string, busy *atomic.Bool) (leave func()) {
	if busy.Swap(true) {
		p.f.Errorf("%s called during another call", call)
	}
	if p.finished.Load() {
		p.f.Errorf("%s called after Closed", call)
	}
	runtime.Gosched() // makes an overlap likelier
	return func() { busy.Store(false) }
}

// recent checks that now was read for this call.
func (p *probe) recent(now time.Time) {
	if age := time.Since(now); age < 0 || age > p.f.patience {
		p.f.Errorf("now is %v old", age)
	}
}

// lines returns a receive function that takes whole lines, ended by a newline,
// and sends each to got without it.
func (p *probe) lines(got chan<- string) func(time.Time, []byte) (int, bool) {
	left := 0
	return func(_ time.Time, b []byte) (n int, park bool) {
		if len(b) <= left {
			p.f.Errorf("got %d bytes, %d of which had been left", len(b), left)
		}
		for {
			i := strings.IndexByte(string(b[n:]), '\n')
			if i < 0 {
				left = len(b) - n
				return n, false
			}
			got <- string(b[n : n+i])
			n += i + 1
		}
	}
}

// pattern returns n bytes whose order can be checked: a line number in each
// eight.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>3>>(8*(i&3))) ^ byte(i)
	}
	return b
}
