package goroutine

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
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

// serve returns the connection of an engine with a client at its other end.
func serve(t testing.TB, o Options, server net.Conn, h *funcs) *conn {
	t.Helper()
	e := New(o)
	t.Cleanup(func() { e.Close(nil) })
	var c *conn
	e.Add(server, func(ec engine.Conn) engine.Handler {
		c = ec.(*conn)
		return h
	})
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

// An idle connection holds no buffer, and waits with the smallest where waiting
// needs one, even after much input.
func TestIdle_Buffer(t *testing.T) {
	for _, kind := range []string{"tcp", "pipe"} {
		t.Run(kind, func(t *testing.T) {
			server, client := net.Pipe()
			want := [2]int{0, smallRead}
			if kind == "tcp" {
				server, client = tcpPair(t)
				want[1] = firstRead
			}
			received, idle := make(chan int, 1000), make(chan [2]int, 1)
			var c *conn
			h := &funcs{receive: func(p []byte) (int, bool) { received <- len(p); return len(p), false }}
			h.deadline = func(time.Time) { idle <- [2]int{cap(c.in.p), c.in.next} }
			c = serve(t, Options{Linger: time.Millisecond}, server, h)
			go func() { _, _ = client.Write(make([]byte, 300_001)) }()
			for n := 0; n < 300_001; n += <-received {
			}
			c.SetDeadline(time.Now().Add(10 * time.Millisecond))
			if got := <-idle; got != want {
				t.Errorf("idle connection holds and reads into %d bytes, want %d", got, want)
			}
		})
	}
}

// A peer that takes nothing is given up after WriteTimeout.
func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		h := &funcs{closed: make(chan error, 1)}
		c := serve(t, Options{WriteTimeout: time.Minute}, server, h)
		start := time.Now()
		if n := c.Write(make([]byte, 100_000)); n != otherSpool {
			t.Errorf("Write took %d bytes, want %d", n, otherSpool)
		}
		if n := c.Write(make([]byte, 1)); n != 0 {
			t.Errorf("Write took %d bytes beyond the spool", n)
		}
		err := <-h.closed
		if d := time.Since(start); d != time.Minute || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("closed after %v with %v", d, err)
		}
		_ = client.Close()
	})
}

// A slow peer that does take something is not given up, and in simulated time
// Close waits exactly as long as it may.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		h := &funcs{closed: make(chan error, 1)}
		c := serve(t, Options{}, server, h)
		start := time.Now()
		c.Write(make([]byte, 1000))
		c.Close(io.ErrNoProgress)
		if err := <-h.closed; err != io.ErrNoProgress || time.Since(start) != 5*time.Second {
			t.Errorf("closed after %v with %v", time.Since(start), err)
		}
		_ = client.Close()
	})
}

// An idle engine does nothing: deadlines that are put off again and again wake
// a reader only when the one before would have come.
func TestSetDeadline_Later(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		fired := 0
		h := &funcs{deadline: func(time.Time) { fired++ }}
		c := serve(t, Options{}, &countingConn{Conn: server}, h)
		for range 1000 {
			c.SetDeadline(time.Now().Add(time.Minute))
			<-time.After(time.Second)
		}
		if n := c.nc.(*countingConn).deadlines; n > 1000/59+1 {
			t.Errorf("the socket's deadline was set %d times", n)
		}
		if fired != 0 {
			t.Errorf("Deadline came %d times", fired)
		}
		_ = client.Close()
	})
}

// countingConn counts calls that cost a timer.
type countingConn struct {
	net.Conn
	deadlines int
}

func (c *countingConn) SetReadDeadline(t time.Time) error {
	c.deadlines++
	return c.Conn.SetReadDeadline(t)
}

// A panic is reported with its stack.
func TestPanicked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
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
		_ = client.Close()
	})
}

// A handler that cannot be made costs its connection only.
func TestAdd_NewHandlerPanics(t *testing.T) {
	server, client := net.Pipe()
	e := New(Options{})
	e.Add(server, func(engine.Conn) engine.Handler { panic("planted") })
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("got %v, want io.EOF", err)
	}
	e.Close(nil)
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

// Hurry ends those that linger, and shortens how long others will.
func TestHurry(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e := New(Options{Linger: time.Hour})
	for i := range 2 {
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		e.Add(server, func(c engine.Conn) engine.Handler {
			if i == 0 {
				c.Close(nil)
			}
			return &funcs{}
		})
	}
	e.Hurry(time.Millisecond)
	e.Close(nil)
}
