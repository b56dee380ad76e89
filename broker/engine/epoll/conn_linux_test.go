package epoll

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/lunemq/lunemq/broker/engine"
	"github.com/lunemq/lunemq/broker/engine/goroutine"
)

// funcs is a handler made of functions; nil ones consume all and do nothing.
type funcs struct {
	receive  func(p []byte) (int, bool)
	writable func()
	deadline func(now time.Time)
	closed   chan error
}

func (f *funcs) Receive(_ time.Time, p []byte) (int, bool) {
	if f.receive == nil {
		return len(p), false
	}
	return f.receive(p)
}

func (f *funcs) Writable(time.Time) {
	if f.writable != nil {
		f.writable()
	}
}

func (f *funcs) Deadline(now time.Time) {
	if f.deadline != nil {
		f.deadline(now)
	}
}

func (f *funcs) Closed(_ time.Time, err error) {
	if f.closed != nil {
		f.closed <- err
	}
}

func newServer(o Options) *server {
	o.Other = goroutine.New(goroutine.Options{})
	return New(o).(*server)
}

// serve returns the connection of an engine with a client at its other end.
func serve(t testing.TB, o Options, nc engine.NetConn, h *funcs) *conn {
	t.Helper()
	s := newServer(o)
	t.Cleanup(func() { s.Close(nil) })
	var c *conn
	s.Add(nc, func(ec engine.Conn) engine.Handler {
		c = ec.(*conn)
		return h
	})
	return c
}

// stepped is a loop without its goroutine: the test makes its turns.
type stepped struct {
	*loop
	t testing.TB
}

func newStepped(t testing.TB) *stepped {
	t.Helper()
	s := newServer(Options{})
	l, err := newLoop(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.release)
	return &stepped{l, t}
}

// add serves nc by the loop.
func (l *stepped) serve(nc engine.NetConn, h engine.Handler) *conn {
	l.t.Helper()
	fd, err := detach(nc)
	if err != nil {
		l.t.Fatal(err)
	}
	l.s.served.Add(1)
	c := &conn{l: l.loop, nc: nc, h: h, fd: int32(fd), deadline: never, limit: never}
	l.add(c)
	l.t.Cleanup(func() { c.end(nil); c.serve(time.Now()) })
	return c
}

func tcpPair(t testing.TB) (server, client net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return server, client
}

// A connection with much input leaves its loop to others after its share.
func TestLoop_Fair(t *testing.T) {
	l := newStepped(t)
	server, client := tcpPair(t)
	_ = server.(*net.TCPConn).SetReadBuffer(1 << 20)
	got := 0
	l.serve(server, &funcs{receive: func(p []byte) (int, bool) { got += len(p); return len(p), false }})
	quiet, other := tcpPair(t)
	heard := false
	l.serve(quiet, &funcs{receive: func(p []byte) (int, bool) { heard = true; return len(p), false }})
	const sent = 256 << 10
	_ = client.SetWriteDeadline(time.Now().Add(time.Minute))
	if _, err := client.Write(make([]byte, sent)); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for turn := 1; got < sent; turn++ {
		before := got
		l.wait()
		l.turn(time.Now())
		if got-before > share+bufSize {
			t.Fatalf("turn %d: %d bytes of one connection", turn, got-before)
		}
		if turn == 1 && !heard {
			t.Error("the other one has not had its turn")
		}
	}
}

// What is read of a large packet at once does not grow with what has come.
func TestRead_Share(t *testing.T) {
	l := newStepped(t)
	server, client := tcpPair(t)
	_ = server.(*net.TCPConn).SetReadBuffer(4 << 20)
	had, most := 0, 0
	l.serve(server, &funcs{receive: func(p []byte) (int, bool) {
		most = max(most, len(p)-had)
		had = len(p)
		return 0, false
	}})
	piece := make([]byte, 256<<10)
	_ = client.SetWriteDeadline(time.Now().Add(time.Minute))
	for sent := 0; sent < 2<<20; sent += len(piece) {
		if _, err := client.Write(piece); err != nil {
			t.Fatal(err)
		}
		for had < sent+len(piece) {
			l.wait()
			l.turn(time.Now())
		}
	}
	if most > bufSize {
		t.Errorf("%d bytes were read at once", most)
	}
}

// Nothing is held for a connection that has consumed what it received, and
// what is left is held in a buffer of about its size.
func TestConn_HoldsWhatIsLeft(t *testing.T) {
	l := newStepped(t)
	server, client := tcpPair(t)
	take := 0
	c := l.serve(server, &funcs{receive: func(p []byte) (int, bool) { return min(len(p), take), false }})
	held := 0
	for _, x := range []struct{ send, take, size int }{{10, 10, 0}, {100, 40, 256}, {1, 0, 256}, {1, 62, 0}, {5000, 10, 16 << 10}, {1, 4900, 256}, {1, 92, 0}} {
		take = x.take
		if _, err := client.Write(make([]byte, x.send)); err != nil {
			t.Fatal(err)
		}
		l.wait()
		l.turn(time.Now())
		held += x.send - x.take
		if n := len(c.rest.bytes()); n != held {
			t.Fatalf("%v: %d bytes are left, want %d", x, n, held)
		}
		size := 0
		if c.rest != nil {
			size = cap(c.rest.p)
		}
		if size != x.size {
			t.Errorf("%v: %d bytes left in a buffer of %d, want %d", x, held, size, x.size)
		}
	}
}

// A deadline that is put off again and again is looked at when the one before
// would have come, not each time.
func TestSetDeadline_Later(t *testing.T) {
	l := newStepped(t)
	server, _ := tcpPair(t)
	fired := 0
	c := l.serve(server, &funcs{deadline: func(time.Time) { fired++ }})
	now, looks := time.Now(), 0
	for range 1000 {
		c.SetDeadline(now.Add(time.Minute))
		now = now.Add(time.Second)
		l.n = 0
		l.gather(now)
		looks += len(l.next)
		l.next = l.next[:0]
		c.listed = false
		if c.expired {
			c.serve(now)
		}
	}
	if looks > 1000/59+2 || fired != 0 {
		t.Errorf("looked %d times, Deadline came %d times", looks, fired)
	}
}

// A time comes late by a 64th at most, never early, and with others.
func TestTogether(t *testing.T) {
	const now = int64(1e12) + 12345
	for left := int64(-100); left < int64(time.Hour); left += max(1, left/7) {
		late := together(now, now+left) - now - left
		if late < 0 || late > max(left/64, 0) || late >= maxDelay {
			t.Errorf("%v: late by %v", time.Duration(left), time.Duration(late))
		}
	}
	seen := map[int64]bool{}
	for i := range int64(18_000) {
		seen[together(now+i*1e6, now+i*1e6+int64(30*time.Second))] = true
	}
	if got, most := len(seen), 18_000/(maxDelay/1_000_000)+2; got > most {
		t.Errorf("18 thousand times within 18 s are %d, want at most %d", got, most)
	}
}

// A loop with nothing due is not woken, and one that is awake is not either.
func TestLoop_WokenOnlyFromSleep(t *testing.T) {
	l := newStepped(t)
	server, _ := tcpPair(t)
	c := l.serve(server, &funcs{})
	woken := func() bool { // by the event descriptor
		var count uint64
		p := make([]byte, 8)
		_, err := rawRead(l.evfd, p)
		if err == nil {
			count++
		}
		return count > 0
	}
	c.SetDeadline(time.Now().Add(time.Hour))
	if woken() {
		t.Error("woken while awake")
	}
	l.asleep, l.until = true, l.heap.first()
	c.SetDeadline(time.Now().Add(2 * time.Hour))
	c.Wake() // it is not parked
	if woken() {
		t.Error("woken for nothing")
	}
	c.SetDeadline(time.Now().Add(time.Minute))
	if !woken() {
		t.Error("not woken for an earlier deadline")
	}
	l.asleep = true
	c.Close(nil)
	if !woken() {
		t.Error("not woken for the end")
	}
}

// A peer that takes nothing ends its connection.
func TestWriteTimeout(t *testing.T) {
	server, _ := tcpPair(t)
	h := &funcs{closed: make(chan error, 1)}
	c := serve(t, Options{WriteTimeout: 20 * time.Millisecond}, server, h)
	for c.Write(make([]byte, 1<<20)) == 1<<20 {
	}
	if err := <-h.closed; !errors.Is(err, syscall.ETIMEDOUT) {
		t.Errorf("got %v, want %v", err, syscall.ETIMEDOUT)
	}
}

// A peer that takes something in time does not.
func TestWriteTimeout_SlowPeer(t *testing.T) {
	l := newStepped(t)
	server, client := tcpPair(t)
	c := l.serve(server, &funcs{})
	for c.Write(make([]byte, 1<<20)) == 1<<20 {
	}
	at := l.s.nanos(time.Now())
	look := func() {
		at += int64(l.s.opts.WriteTimeout) + int64(time.Hour)
		c.expired = true
		c.timeout(l.s.base.Add(time.Duration(at)))
	}
	had := c.left
	if _, err := io.ReadFull(client, make([]byte, 256<<10)); err != nil {
		t.Fatal(err)
	}
	for unsent(c.fd) > had-writePiece { // what was read is acknowledged soon
		runtime.Gosched()
	}
	if look(); c.closing.Load() {
		t.Fatal("ended although the peer has taken 256 kB")
	}
	for had = -1; had != unsent(c.fd); runtime.Gosched() { // on its way to the client's buffer
		had = unsent(c.fd)
	}
	c.left = unsent(c.fd)
	if look(); !c.closing.Load() {
		t.Error("open although the peer has taken nothing")
	}
}

// A panic is reported with its stack.
func TestPanicked(t *testing.T) {
	server, client := tcpPair(t)
	var text, stack string
	h := &funcs{closed: make(chan error, 1), receive: func([]byte) (int, bool) { panic("planted") }}
	serve(t, Options{Panicked: func(err error, s []byte) { text, stack = err.Error(), string(s) }}, server, h)
	_, _ = client.Write([]byte("x"))
	if err := <-h.closed; err == nil || err.Error() != text {
		t.Errorf("got %v, reported %q", err, text)
	}
	if !strings.Contains(stack, "TestPanicked") {
		t.Errorf("the stack does not show the handler:\n%s", stack)
	}
}

// A handler that cannot be made costs its connection only.
func TestAdd_NewHandlerPanics(t *testing.T) {
	server, client := tcpPair(t)
	s := newServer(Options{})
	s.Add(server, func(engine.Conn) engine.Handler { panic("planted") })
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("got %v, want io.EOF", err)
	}
	s.Close(nil)
}

// A connection has one descriptor, which is closed at its end.
func TestDescriptors(t *testing.T) {
	open := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	s := newServer(Options{})
	add := func(h *funcs) (client net.Conn) {
		server, client := tcpPair(t)
		s.Add(server, func(engine.Conn) engine.Handler { return h })
		return client
	}
	last := &funcs{closed: make(chan error, 1)}
	before := open()
	for range 50 {
		h := &funcs{closed: make(chan error, 1)}
		_ = add(h).Close()
		<-h.closed
	}
	if n := open() - before; n > 2*runtime.GOMAXPROCS(0) { // of the loops
		t.Errorf("%d descriptors are left over", n)
	}
	loops := open()
	client := add(last)
	if n := open() - loops; n != 2 { // with the client's
		t.Errorf("a connection has %d descriptors", n-1)
	}
	_ = client.Close()
	<-last.closed
	s.Close(nil)
	if n := open() - before; n != 0 {
		t.Errorf("%d descriptors outlive the engine", n)
	}
}

func TestWrite_Allocs(t *testing.T) {
	server, client := tcpPair(t)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	c := serve(t, Options{Linger: time.Millisecond}, server, &funcs{})
	p := make([]byte, 100)
	if n := testing.AllocsPerRun(1000, func() { c.Write(p) }); n != 0 {
		t.Errorf("Write allocates %v times", n)
	}
}

func TestTurn_Allocs(t *testing.T) {
	l := newStepped(t)
	server, client := tcpPair(t)
	left := 0
	l.serve(server, &funcs{receive: func(p []byte) (int, bool) { // leaves something each other time
		left = 3 - left
		return len(p) - left, false
	}})
	p := make([]byte, 100)
	if n := testing.AllocsPerRun(1000, func() {
		_, _ = client.Write(p)
		l.wait()
		l.turn(time.Now())
	}); n != 0 {
		t.Errorf("a turn allocates %v times", n)
	}
}

// What a connection costs besides its handler is part of a budget.
func TestConn_Size(t *testing.T) {
	if n := unsafe.Sizeof(conn{}); n > 144 {
		t.Errorf("a connection has %d bytes", n)
	}
}

// Hurry ends those that linger, and shortens how long others will.
func TestHurry(t *testing.T) {
	s := newServer(Options{Linger: time.Hour})
	var closed []chan error
	for i := range 2 {
		server, _ := tcpPair(t)
		h := &funcs{closed: make(chan error, 1)}
		closed = append(closed, h.closed)
		s.Add(server, func(c engine.Conn) engine.Handler {
			if i == 0 {
				c.Close(nil)
			}
			return h
		})
	}
	s.Hurry(time.Millisecond)
	s.Close(nil)
	for _, c := range closed {
		<-c
	}
}

// A peer that goes on sending does not put the end off.
func TestClose_ChattyPeer(t *testing.T) {
	server, client := tcpPair(t)
	h := &funcs{closed: make(chan error, 1)}
	c := serve(t, Options{Linger: 20 * time.Millisecond}, server, h)
	go func() {
		for p := make([]byte, 64<<10); ; {
			if _, err := client.Write(p); err != nil {
				return
			}
		}
	}()
	c.Close(nil)
	<-h.closed
}
