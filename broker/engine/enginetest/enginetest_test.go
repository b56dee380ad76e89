package enginetest

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/engine/goroutine"
)

// faults are wrong engines, made by bending a right one. Each names the test
// that must notice.
var faults = []struct {
	name, test string
	bend       func(b *bent)
}{
	{"leftovers are lost", "Receive_PartsAndLeftovers", func(b *bent) {
		b.receive = func(now time.Time, p []byte) (int, bool) { b.h.Receive(now, p); return len(p), false }
	}},
	{"called without news", "Receive_PartsAndLeftovers", func(b *bent) {
		b.receive = func(now time.Time, p []byte) (int, bool) {
			n, park := b.h.Receive(now, p)
			if n < len(p) {
				b.h.Receive(now, p[n:])
			}
			return n, park
		}
	}},
	{"park is ignored", "Park_Wake", func(b *bent) {
		b.receive = func(now time.Time, p []byte) (n int, _ bool) {
			for n < len(p) {
				k, _ := b.h.Receive(now, p[n:])
				n += k
			}
			return n, false
		}
	}},
	{"wake is lost", "Park_Wake", func(b *bent) { b.wake = func() {} }},
	{"early wake is lost", "Park_WakeBefore", func(b *bent) {
		b.wake = func() {
			if !b.receiving.Load() {
				b.Conn.Wake()
			}
		}
	}},
	{"nothing is delivered after wake", "Park_NothingLeft", func(b *bent) {
		b.receive = func(now time.Time, p []byte) (int, bool) {
			if len(p) == 0 {
				return 0, false
			}
			return b.h.Receive(now, p)
		}
	}},
	{"writable never comes", "Write_SlowReader", func(b *bent) { b.writable = func(time.Time) {} }},
	{"writable comes once", "Write_SlowReader", func(b *bent) {
		var once sync.Once
		b.writable = func(now time.Time) { once.Do(func() { b.h.Writable(now) }) }
	}},
	{"a byte is lost", "Write_SlowReader", func(b *bent) {
		b.write = func(p []byte) int { return min(b.Conn.Write(p)+1, len(p)) }
	}},
	{"the cause is lost", "Close_InReceive", func(b *bent) { b.close = func(error) { b.Conn.Close(nil) } }},
	{"closed twice", "Close_InReceive", func(b *bent) {
		b.closed = func(now time.Time, err error) { go b.h.Closed(now, err); b.h.Closed(now, err) }
	}},
	{"a call after closed", "Close_NothingAfterwards", func(b *bent) {
		b.closed = func(now time.Time, err error) { b.h.Closed(now, err); b.h.Deadline(now) }
	}},
	{"the peer's end has no name", "Peer_Closes", func(b *bent) {
		b.closed = func(now time.Time, err error) { b.h.Closed(now, nil) }
	}},
	{"deadline never comes", "Deadline_Fires", func(b *bent) { b.deadline = func(time.Time) {} }},
	{"deadline comes twice", "Deadline_Fires", func(b *bent) {
		b.deadline = func(now time.Time) { b.h.Deadline(now); b.h.Deadline(now) }
	}},
	{"deadline comes early", "Deadline_Fires", func(b *bent) {
		b.setDeadline = func(t time.Time) { b.Conn.SetDeadline(t.Add(-short / 2)) }
	}},
	{"deadline is not moved nearer", "Deadline_Earlier", func(b *bent) {
		var once sync.Once
		b.setDeadline = func(t time.Time) { once.Do(func() { b.Conn.SetDeadline(t) }) }
	}},
	{"deadline is not put off", "Deadline_Later", func(b *bent) {
		var first time.Time
		b.setDeadline = func(t time.Time) {
			if first.IsZero() || t.Before(first) {
				first = t
				b.Conn.SetDeadline(t)
			}
		}
	}},
	{"deadline is not disarmed", "Deadline_Disarmed", func(b *bent) {
		b.setDeadline = func(t time.Time) {
			if !t.IsZero() {
				b.Conn.SetDeadline(t)
			}
		}
	}},
	{"calls overlap", "Deadline_UnderLoad", func(b *bent) {
		b.receive = func(now time.Time, p []byte) (int, bool) {
			done := make(chan struct{})
			go func() { defer close(done); b.h.Receive(now, p) }()
			n, park := b.h.Receive(now, p)
			<-done
			return n, park
		}
	}},
	{"panic is forgotten", "Panic_EndsOneConnection", func(b *bent) {
		b.receive = func(now time.Time, p []byte) (n int, _ bool) {
			defer func() { _ = recover() }()
			return b.h.Receive(now, p)
		}
	}},
	{"engine does not wait", "Engine_Close", func(b *bent) { b.e.hasty = true }},
}

// A suite that notices nothing proves nothing.
func TestSuite_NoticesFaults(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			r := &recorder{TB: t}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				f := newFixture(r, func() engine.Engine {
					return &bentEngine{Engine: goroutine.New(goroutine.Options{Linger: short}), bend: fault.bend}
				}, tcp)
				f.patience = 200 * time.Millisecond
				for _, c := range cases {
					if c.name == fault.test {
						c.run(f)
						return
					}
				}
				t.Errorf("there is no test %s", fault.test)
			}()
			<-ended
			r.cleanUp()
			if text := r.failures(); len(text) == 0 {
				t.Errorf("%s has not noticed", fault.test)
			} else {
				t.Log(text[0])
			}
		})
	}
}

// bentEngine serves connections wrongly.
type bentEngine struct {
	engine.Engine
	bend  func(b *bent)
	hasty bool
}

// Add implements engine.Engine.
func (e *bentEngine) Add(nc engine.NetConn, newHandler func(engine.Conn) engine.Handler) {
	e.Engine.Add(nc, func(c engine.Conn) engine.Handler {
		b := &bent{Conn: c, e: e}
		b.receive = func(now time.Time, p []byte) (int, bool) { return b.h.Receive(now, p) }
		b.writable = func(now time.Time) { b.h.Writable(now) }
		b.deadline = func(now time.Time) { b.h.Deadline(now) }
		b.closed = func(now time.Time, err error) { b.h.Closed(now, err) }
		b.write, b.setDeadline, b.wake, b.close = c.Write, c.SetDeadline, c.Wake, c.Close
		e.bend(b)
		b.h = newHandler(&bentConn{b})
		return b
	})
}

// Close implements engine.Engine.
func (e *bentEngine) Close(err error) {
	if e.hasty {
		go e.Engine.Close(err)
		return
	}
	e.Engine.Close(err)
}

// bent is the handler that the right engine sees: it passes calls on through
// functions that a fault replaces.
type bent struct {
	engine.Conn
	e         *bentEngine
	h         engine.Handler
	receiving atomic.Bool

	receive     func(time.Time, []byte) (int, bool)
	writable    func(time.Time)
	deadline    func(time.Time)
	closed      func(time.Time, error)
	write       func([]byte) int
	setDeadline func(time.Time)
	wake        func()
	close       func(error)
}

func (b *bent) Receive(now time.Time, p []byte) (int, bool) {
	b.receiving.Store(true)
	defer b.receiving.Store(false)
	return b.receive(now, p)
}
func (b *bent) Writable(now time.Time)          { b.writable(now) }
func (b *bent) Deadline(now time.Time)          { b.deadline(now) }
func (b *bent) Closed(now time.Time, err error) { b.closed(now, err) }

// bentConn is the connection that the test's handler sees.
type bentConn struct{ b *bent }

func (c *bentConn) Write(p []byte) int      { return c.b.write(p) }
func (c *bentConn) SetDeadline(t time.Time) { c.b.setDeadline(t) }
func (c *bentConn) Wake()                   { c.b.wake() }
func (c *bentConn) Close(err error)         { c.b.close(err) }

// recorder is a testing.TB that keeps failures to itself. Safe for concurrent
// use.
type recorder struct {
	testing.TB
	mu      sync.Mutex
	texts   []string
	cleanup []func()
}

func (r *recorder) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = append(r.texts, text)
}

func (r *recorder) failures() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.texts
}

func (r *recorder) cleanUp() {
	for i := len(r.cleanup) - 1; i >= 0; i-- {
		r.cleanup[i]()
	}
}

func (r *recorder) Cleanup(f func())                  { r.cleanup = append(r.cleanup, f) }
func (r *recorder) Error(args ...any)                 { r.note(fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.note(fmt.Sprintf(format, args...)) }
func (r *recorder) Fatal(args ...any)                 { r.Error(args...); runtime.Goexit() }
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...); runtime.Goexit() }

// The pattern differs at each place within a few megabytes that a lost or
// swapped block could confuse.
func TestPattern(t *testing.T) {
	b := pattern(1 << 20)
	for _, step := range []int{1, 8, 512, 4096, 65536} {
		if string(b[:len(b)-step]) == string(b[step:]) {
			t.Errorf("a shift by %d is not noticed", step)
		}
	}
}
