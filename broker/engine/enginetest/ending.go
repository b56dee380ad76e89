package enginetest

import (
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
)

var errTest = errors.New("enginetest: ended by the test")

// everything reads until the connection's end.
func (f *fixture) everything(client net.Conn) []byte {
	f.Helper()
	_ = client.SetReadDeadline(time.Now().Add(f.patience))
	b, err := io.ReadAll(client)
	if err != nil {
		f.Fatalf("client: %v after %d bytes", err, len(b))
	}
	return b
}

// flushed writes what is taken and closes; it returns how much was taken.
func flushed(p *probe, park bool, unread int) <-chan int {
	taken := make(chan int, 1)
	want := pattern(8 << 20)
	p.receive = func(_ time.Time, b []byte) (int, bool) {
		taken <- p.conn.Write(want)
		p.conn.Close(nil)
		return len(b) - min(unread, len(b)), park
	}
	return taken
}

// What Write has taken arrives before the end.
func testCloseFlushes(f *fixture) {
	p := &probe{}
	taken := flushed(p, false, 0)
	client := f.open(p)
	f.send(client, "go")
	n := next(f, taken, "Write")
	if got := f.everything(client); string(got) != string(pattern(8 << 20)[:n]) {
		f.Fatalf("client: got %d bytes, want %d, in order", len(got), n)
	}
	_ = client.Close()
	equal(f, next(f, p.closed, "Closed"), nil, "Closed")
}

// The same, although the client has sent what nobody reads.
func testCloseUnread(f *fixture) {
	p := &probe{}
	taken := flushed(p, true, 1)
	client := f.open(p)
	var sending sync.WaitGroup
	sending.Go(func() { _, _ = client.Write(pattern(100_000)) })
	n := next(f, taken, "Write")
	if got := f.everything(client); len(got) != n {
		f.Fatalf("client: got %d bytes, want %d", len(got), n)
	}
	_ = client.Close()
	sending.Wait()
	equal(f, next(f, p.closed, "Closed"), nil, "Closed")
}

// Close may be called in Receive; its first error counts.
func testCloseInReceive(f *fixture) {
	p := &probe{}
	p.receive = func(_ time.Time, b []byte) (int, bool) {
		p.conn.Close(errTest)
		p.conn.Close(nil)
		return 0, false
	}
	client := f.open(p)
	f.send(client, "a")
	f.everything(client)
	_ = client.Close()
	equal(f, next(f, p.closed, "Closed"), errTest, "Closed")
}

// Close may be called in Deadline.
func testCloseInDeadline(f *fixture) {
	p := &probe{}
	p.deadline = func(time.Time) { p.conn.Close(errTest) }
	p.init = func() { p.conn.SetDeadline(time.Now().Add(short)) }
	client := f.open(p)
	f.everything(client)
	_ = client.Close()
	equal(f, next(f, p.closed, "Closed"), errTest, "Closed")
}

// Close from elsewhere ends a connection that waits for input or is parked.
func testCloseFromOutside(f *fixture) {
	got := make(chan string, 1)
	for _, parked := range []bool{false, true} {
		p := &probe{receive: parking(got)}
		client := f.open(p)
		if parked {
			f.send(client, "a")
			next(f, got, "input")
		}
		p.conn.Close(errTest)
		f.everything(client)
		_ = client.Close()
		equal(f, next(f, p.closed, "Closed"), errTest, "Closed")
	}
}

// A client that neither reads nor closes does not keep a connection open.
func testCloseLinger(f *fixture) {
	for _, size := range []int{1, 16 << 20} {
		p := &probe{}
		f.open(p)
		p.conn.Write(make([]byte, size))
		p.conn.Close(nil)
		equal(f, next(f, p.closed, "Closed"), nil, "Closed")
	}
}

// After the end all methods do nothing.
func testCloseAfter(f *fixture) {
	p := &probe{}
	client := f.open(p)
	_ = client.Close()
	next(f, p.closed, "Closed")
	equal(f, p.conn.Write([]byte("a")), 0, "Write after Closed")
	p.conn.SetDeadline(time.Now())
	p.conn.Wake()
	p.conn.Close(errTest)
	f.roundTrip()
	none(f, p.closed, "second Closed")
}

// The end by the peer is io.EOF, after all that it sent.
func testPeerCloses(f *fixture) {
	got := make(chan string, 1)
	p := &probe{}
	p.receive = p.lines(got)
	client := f.open(p)
	f.send(client, "a\nb")
	_ = client.Close()
	equal(f, next(f, got, "input"), "a", "input")
	equal(f, next(f, p.closed, "Closed"), io.EOF, "Closed")
}

// A panic ends its own connection only.
func testPanic(f *fixture) {
	other := newEcho()
	survivor := f.open(&other.probe)
	w := newWriteAll(pattern(16 << 20))
	w.writable = func(time.Time) { panic("planted") }
	for name, p := range map[string]*probe{
		"Receive":  {receive: func(time.Time, []byte) (int, bool) { panic("planted") }},
		"Deadline": {deadline: func(time.Time) { panic("planted") }},
		"Writable": &w.probe,
	} {
		client := f.open(p)
		switch name {
		case "Deadline":
			p.conn.SetDeadline(time.Now())
		case "Writable":
			f.send(client, "go")
			next(f, w.blocked, "Write that takes less")
		default:
			f.send(client, "go")
		}
		_ = client.SetReadDeadline(time.Now().Add(f.patience))
		_, _ = io.Copy(io.Discard, client)
		err := next(f, p.closed, "Closed after a panic in "+name)
		if err == nil || !strings.Contains(err.Error(), "planted") {
			f.Fatalf("Closed after a panic in %s: got %v", name, err)
		}
	}
	f.send(survivor, "still here")
	f.expect(survivor, []byte("still here"))
}

// Close of the engine ends all connections and waits for them.
func testEngineClose(f *fixture) {
	got := make(chan string, 100)
	var probes []*probe
	for i := range 20 {
		p := &probe{receive: parking(got)}
		client := f.open(p)
		if i%2 == 0 {
			f.send(client, "a")
			next(f, got, "input")
		}
		probes = append(probes, p)
		go func() {
			_, _ = io.Copy(io.Discard, client)
			_ = client.Close()
		}()
	}
	f.engine.Close(errTest)
	for i, p := range probes {
		select {
		case err := <-p.closed:
			equal(f, err, errTest, "Closed")
		default:
			f.Fatalf("connection %d outlives the engine", i)
		}
	}
}

// An engine that is closed closes what it is given.
func testAddAfterClose(f *fixture) {
	f.engine.Close(nil)
	server, client := f.kind.pair(f)
	f.engine.Add(server, func(engine.Conn) engine.Handler {
		f.Error("a closed engine calls newHandler")
		return &probe{}
	})
	f.everything(client)
	_ = client.Close()
}

// testLeaks opens and closes many connections and counts goroutines.
func testLeaks(f *fixture) {
	before := runtime.NumGoroutine()
	const count = 1000
	probes := make([]*probe, count)
	clients := make([]net.Conn, count)
	for i := range count {
		got := make(chan string, 1)
		p := &probe{}
		p.receive = p.lines(got)
		p.init = func() { p.conn.SetDeadline(time.Now().Add(time.Hour)) }
		probes[i], clients[i] = p, f.open(p)
		f.send(clients[i], "a\n")
		next(f, got, "input")
	}
	if n := runtime.NumGoroutine() - before; n > count+10 {
		f.Errorf("%d connections have %d goroutines", count, n)
	}
	for i, client := range clients {
		if i%2 == 0 {
			probes[i].conn.Close(nil)
		}
		_ = client.Close()
	}
	for _, p := range probes {
		next(f, p.closed, "Closed")
	}
	f.engine.Close(nil)
	deadline := time.Now().Add(f.patience)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			f.Fatalf("%d goroutines are left over", runtime.NumGoroutine()-before)
		}
		runtime.Gosched()
	}
}
