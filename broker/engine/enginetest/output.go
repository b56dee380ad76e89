package enginetest

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// echo sends back what comes, and reads no further while the peer does not
// read, as handlers do.
type echo struct {
	probe
	mu      sync.Mutex
	blocked bool
}

func newEcho() *echo {
	e := &echo{}
	e.receive = func(_ time.Time, b []byte) (int, bool) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.blocked {
			return 0, true
		}
		n := e.conn.Write(b)
		e.blocked = n < len(b)
		return n, e.blocked
	}
	e.writable = func(time.Time) {
		e.mu.Lock()
		e.blocked = false
		e.mu.Unlock()
		e.conn.Wake()
	}
	return e
}

// Everything comes back in order, however slowly it is read.
func testEcho(f *fixture) {
	e := newEcho()
	client := f.open(&e.probe)
	want := pattern(4 << 20)
	go func() { _, _ = client.Write(want) }()
	f.expect(client, want)
}

// expect reads what a client must get.
func (f *fixture) expect(client net.Conn, want []byte) {
	f.Helper()
	got := make([]byte, len(want))
	_ = client.SetReadDeadline(time.Now().Add(f.patience))
	n, err := io.ReadFull(client, got)
	if err != nil {
		f.Fatalf("client: %v after %d of %d bytes", err, n, len(want))
	}
	if !bytes.Equal(got, want) {
		f.Fatal("client: bytes are wrong or out of order")
	}
}

// writeAll writes want from Receive and Writable, like a handler with a queue.
type writeAll struct {
	probe
	mu      sync.Mutex
	rest    []byte
	blocked chan int // how much was left when Write took less
	done    chan struct{}
}

func newWriteAll(want []byte) *writeAll {
	w := &writeAll{rest: want, blocked: make(chan int, 1000), done: make(chan struct{})}
	w.receive = func(_ time.Time, b []byte) (int, bool) {
		w.write()
		return len(b), false
	}
	w.writable = func(time.Time) { w.write() }
	return w
}

func (w *writeAll) write() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) == 0 {
		return
	}
	n := w.conn.Write(w.rest)
	w.rest = w.rest[n:]
	if len(w.rest) == 0 {
		close(w.done)
		return
	}
	w.blocked <- len(w.rest)
}

// Write takes what it can; Writable comes for the rest.
func testWriteSlow(f *fixture) {
	want := pattern(16 << 20)
	w := newWriteAll(want)
	client := f.open(&w.probe)
	f.send(client, "go")
	if left := next(f, w.blocked, "Write that takes less"); left > len(want) {
		f.Fatalf("left %d", left)
	}
	f.expect(client, want)
	next(f, w.done, "the last Write")
}

// Writable comes while Receive is busy with other input.
func testWriteWhileReceiving(f *fixture) {
	want := pattern(8 << 20)
	w := newWriteAll(want)
	got := make(chan string, 1)
	lines := w.lines(got)
	first := true
	w.receive = func(now time.Time, b []byte) (int, bool) {
		if first {
			first = false
			w.write()
		}
		return lines(now, b)
	}
	client := f.open(&w.probe)
	go func() {
		for range 2000 {
			_, _ = io.WriteString(client, strings.Repeat("x", 100)+"\n")
		}
	}()
	go func() {
		for range got {
		}
	}()
	f.expect(client, want)
	next(f, w.done, "the last Write")
	p := w.conn
	p.Close(nil)
	next(f, w.closed, "Closed")
	close(got)
}

// A connection that cannot be written to ends, even if nobody reads from it.
func testWriteError(f *fixture) {
	p := &probe{receive: func(_ time.Time, b []byte) (int, bool) { return 0, true }}
	client := f.open(p)
	f.send(client, "a")
	_ = client.Close()
	deadline := time.Now().Add(f.patience)
	for time.Now().Before(deadline) {
		p.conn.Write(make([]byte, 1<<16))
		select {
		case err := <-p.closed:
			if err == nil || err == io.EOF {
				f.Fatalf("Closed: got %v, want the error of a write", err)
			}
			return
		case <-time.After(time.Millisecond):
		}
	}
	f.Fatal("a connection without peer stays open")
}

// A handler may write while it is made.
func testWriteBeforeServed(f *fixture) {
	want := pattern(1 << 20)
	w := newWriteAll(want)
	w.init = w.write
	f.expect(f.open(&w.probe), want)
	next(f, w.done, "the last Write")
}
