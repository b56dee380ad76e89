package storetest

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/mqtt"
	"github.com/lunemq/lunemq/broker/store"
)

// Opener opens one store.
type Opener struct {
	Open func() (store.Store, error)
	// Persistent says that Open returns, after Close, what was committed.
	Persistent bool
}

// Run runs the suite; open makes a new, empty store for each part.
func Run(t *testing.T, open func(t *testing.T) Opener) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := open(t)
			run(&c, t, o)
		})
	}
}

// Check runs the suite without a test, but for the long parts, and returns what
// it found wrong, by part; for tests of the suite itself. It ends with the
// first part that finds something.
func Check(open func() Opener) map[string]string {
	bad := map[string]string{}
	for _, c := range cases {
		if c.name == "LongQueue" || len(bad) > 0 {
			continue
		}
		r := &recorder{}
		done := make(chan struct{})
		go func() {
			defer close(done)
			run(&c, r, open())
		}()
		<-done
		if r.text != "" {
			bad[c.name] = r.text
		}
	}
	return bad
}

// part is one part of the suite.
type part struct {
	name string
	run  func(x *bench)
}

// reporter is what a part needs of a *testing.T.
type reporter interface {
	Helper()
	Fatalf(format string, args ...any)
}

// recorder notes the first failure. Owned by the goroutine of one part.
type recorder struct{ text string }

// Helper implements reporter.
func (*recorder) Helper() {}

// Fatalf implements reporter.
func (r *recorder) Fatalf(format string, args ...any) {
	r.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// bench is a store on which a part works. Owned by the part's goroutine,
// except for do and fail.
type bench struct {
	reporter
	o Opener
	s store.Store
}

func run(c *part, r reporter, o Opener) {
	x := &bench{reporter: r, o: o}
	x.open()
	defer func() { x.s.Close() }()
	c.run(x)
}

func (x *bench) open() {
	x.Helper()
	s, err := x.o.Open()
	if err != nil {
		x.Fatalf("open: %v", err)
	}
	x.s = s
}

// reopen closes the store and opens it again; false if it keeps nothing.
func (x *bench) reopen() bool {
	x.Helper()
	if !x.o.Persistent {
		return false
	}
	if err := x.s.Close(); err != nil {
		x.Fatalf("close: %v", err)
	}
	x.open()
	return true
}

// do commits changes as one batch and waits for it.
func (x *bench) do(ops ...store.Op) {
	x.Helper()
	if err := commit(x.s, true, ops...); err != nil {
		x.Fatalf("commit: %v", err)
	}
}

// later commits without waiting; what it returns waits.
func (x *bench) later(ops ...store.Op) (wait func()) {
	b := store.Batch{Ops: ops, Sync: true}
	done := make(chan error, 1)
	x.s.Commit(&b, func(err error) { done <- err })
	b.Reset()
	return func() {
		x.Helper()
		if err := <-done; err != nil {
			x.Fatalf("commit: %v", err)
		}
	}
}

func commit(s store.Store, sync bool, ops ...store.Op) error {
	b := store.Batch{Ops: ops, Sync: sync}
	done := make(chan error, 2)
	s.Commit(&b, func(err error) { done <- err })
	b.Reset() // the store must not need it any longer
	err := <-done
	select {
	case <-done:
		return errors.New("done was called twice")
	default:
	}
	return err
}

func key(name string) mqtt.SessionKey { return mqtt.SessionKey{Mountpoint: "mp", ClientID: name} }

func put(k mqtt.SessionKey) store.Op {
	return store.Op{Kind: store.PutSession, Key: k, Session: &store.Session{Key: k, Expiry: store.Forever}}
}

func drop(k mqtt.SessionKey) store.Op { return store.Op{Kind: store.DeleteSession, Key: k} }

func message(text string) *mqtt.Message {
	return &mqtt.Message{Topic: "t/" + text, Payload: []byte(text), QoS: mqtt.AtLeastOnce}
}

func add(k mqtt.SessionKey, n uint64, m *mqtt.Message) store.Op {
	return store.Op{Kind: store.Append, Key: k, Entry: store.Entry{Queued: mqtt.Queued{Number: n, Message: m, Delivery: mqtt.Delivery{QoS: m.QoS}}}}
}

func number(kind store.OpKind, k mqtt.SessionKey, n uint64, id uint16) store.Op {
	return store.Op{Kind: kind, Key: k, Entry: store.Entry{Queued: mqtt.Queued{Number: n}, PacketID: id, Released: kind == store.Release}}
}

func complete(k mqtt.SessionKey, n uint64) store.Op { return number(store.Complete, k, n, 0) }

func inbound(kind store.OpKind, k mqtt.SessionKey, id uint16) store.Op {
	return store.Op{Kind: kind, Key: k, PacketID: id}
}

func retained(kind store.OpKind, m *mqtt.Message) store.Op { return store.Op{Kind: kind, Message: m} }

// queue demands that a queue holds these entries, written as numbers or
// "number:payload", "number:payload:id", "number:payload:id:released".
func (x *bench) queue(k mqtt.SessionKey, want ...string) {
	x.Helper()
	var got []string
	_, err := x.s.Queue(k, 0, func(e store.Entry) bool {
		s := fmt.Sprintf("%d:%s", e.Number, e.Message.Payload)
		if e.PacketID != 0 {
			s += fmt.Sprintf(":%d", e.PacketID)
		}
		if e.Released {
			s += ":released"
		}
		got = append(got, s)
		return true
	})
	if err != nil {
		x.Fatalf("queue of %v: %v", k, err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		x.Fatalf("queue of %v: got %v, want %v", k, got, want)
	}
}

// both does f now and once more after the store was opened again.
func (x *bench) both(f func()) {
	x.Helper()
	f()
	if x.reopen() {
		f()
	}
}

// parallel runs f n times at once and fails with the first error.
func (x *bench) parallel(n int, f func(i int) error) {
	x.Helper()
	var wg sync.WaitGroup
	errs := make(chan error, n)
	for i := range n {
		wg.Go(func() { errs <- f(i) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			x.Fatalf("%v", err)
		}
	}
}

// stamp is a moment as a clock returns it, monotonic part included.
func stamp(d time.Duration) time.Time { return time.Now().Add(d) }
