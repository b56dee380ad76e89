package enginetest

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
)

// Bench measures the engines that newEngine returns against nothing but a loop
// over a net.Conn. Their linger time should be short.
func Bench(b *testing.B, newEngine func() engine.Engine) {
	b.Run("PingPong", func(b *testing.B) { benchPingPong(b, newEngine) })
	b.Run("Receive", func(b *testing.B) { benchReceive(b, newEngine) })
	b.Run("Write", func(b *testing.B) { benchWrite(b, newEngine) })
	b.Run("SetDeadline", func(b *testing.B) { benchSetDeadline(b, newEngine) })
	b.Run("Idle", func(b *testing.B) { benchIdle(b, newEngine) })
}

// message is about the size of a small PUBLISH, in bytes.
const message = 64

// bufferSize is that of the bare loop.
const bufferSize = 4 << 10

// serveBench returns the connection of a new engine with a client at its
// other end.
func serveBench(b *testing.B, newEngine func() engine.Engine, server net.Conn, p *benched) engine.Conn {
	e := newEngine()
	b.Cleanup(func() { e.Close(nil) })
	e.Add(server, func(c engine.Conn) engine.Handler {
		p.Conn = c
		return p
	})
	return p.Conn
}

// benched is a handler that checks nothing.
type benched struct {
	engine.Conn
	receive  func(p []byte) (int, bool)
	writable func()
}

// Receive implements engine.Handler.
func (h *benched) Receive(_ time.Time, p []byte) (int, bool) {
	if h.receive == nil {
		return len(p), false
	}
	return h.receive(p)
}

// Writable implements engine.Handler.
func (h *benched) Writable(time.Time) {
	if h.writable != nil {
		h.writable()
	}
}

// Deadline implements engine.Handler.
func (h *benched) Deadline(time.Time) {}

// Closed implements engine.Handler.
func (h *benched) Closed(time.Time, error) {}

// bare serves server with nothing but a loop: what an engine is measured by.
func bare(server net.Conn, got func(p []byte)) {
	p := make([]byte, bufferSize)
	for {
		n, err := server.Read(p)
		if err != nil {
			return
		}
		got(p[:n])
	}
}

// benchPingPong sends a message and waits until it comes back.
func benchPingPong(b *testing.B, newEngine func() engine.Engine) {
	measure := func(b *testing.B, client net.Conn) {
		b.ReportAllocs()
		p := make([]byte, message)
		for b.Loop() {
			_, _ = client.Write(p)
			if _, err := io.ReadFull(client, p); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("bare", func(b *testing.B) {
		server, client := dialed(b, "tcp", "127.0.0.1:0")
		go bare(server, func(p []byte) { _, _ = server.Write(p) })
		measure(b, client)
	})
	b.Run("engine", func(b *testing.B) {
		server, client := dialed(b, "tcp", "127.0.0.1:0")
		h := &benched{}
		h.receive = func(p []byte) (int, bool) { return h.Write(p), false }
		serveBench(b, newEngine, server, h)
		measure(b, client)
	})
}

// benchReceive reads a stream, one operation being 16 kB.
func benchReceive(b *testing.B, newEngine func() engine.Engine) {
	const piece = 16 << 10
	measure := func(b *testing.B, client net.Conn, received <-chan int) {
		b.ReportAllocs()
		b.SetBytes(piece)
		p := make([]byte, piece)
		total := 0
		for b.Loop() {
			n, _ := client.Write(p)
			total += n
		}
		for n := 0; n < total; n = <-received {
		}
	}
	report := func(received chan int) func(p []byte) {
		n := 0
		return func(p []byte) {
			n += len(p)
			select {
			case <-received:
			default:
			}
			received <- n
		}
	}
	b.Run("bare", func(b *testing.B) {
		server, client := dialed(b, "tcp", "127.0.0.1:0")
		received := make(chan int, 1)
		go bare(server, report(received))
		measure(b, client, received)
	})
	b.Run("engine", func(b *testing.B) {
		server, client := dialed(b, "tcp", "127.0.0.1:0")
		received := make(chan int, 1)
		got := report(received)
		h := &benched{receive: func(p []byte) (int, bool) { got(p); return len(p), false }}
		serveBench(b, newEngine, server, h)
		measure(b, client, received)
	})
}

// benchWrite writes messages to a client that reads.
func benchWrite(b *testing.B, newEngine func() engine.Engine) {
	b.Run("bare", func(b *testing.B) {
		server, client := dialed(b, "tcp", "127.0.0.1:0")
		go func() { _, _ = io.Copy(io.Discard, client) }()
		p := make([]byte, message)
		b.ReportAllocs()
		for b.Loop() {
			_, _ = server.Write(p)
		}
	})
	b.Run("engine", func(b *testing.B) {
		server, client := dialed(b, "tcp", "127.0.0.1:0")
		go func() { _, _ = io.Copy(io.Discard, client) }()
		writable := make(chan struct{}, 1)
		c := serveBench(b, newEngine, server, &benched{writable: func() { writable <- struct{}{} }})
		p := make([]byte, message)
		b.ReportAllocs()
		for b.Loop() {
			if c.Write(p) < len(p) {
				<-writable
			}
		}
	})
}

// benchSetDeadline puts a deadline off, as each keep alive does.
func benchSetDeadline(b *testing.B, newEngine func() engine.Engine) {
	server, _ := dialed(b, "tcp", "127.0.0.1:0")
	c := serveBench(b, newEngine, server, &benched{})
	at := time.Now().Add(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Nanosecond)
		c.SetDeadline(at)
	}
}

// benchIdle reports what an idle connection holds: heap, and stack of its
// goroutine.
func benchIdle(b *testing.B, newEngine func() engine.Engine) {
	const count = 2000
	for b.Loop() {
		clients := make([]net.Conn, count)
		servers := make([]net.Conn, count)
		for i := range count {
			servers[i], clients[i] = dialed(b, "tcp", "127.0.0.1:0")
		}
		e := newEngine()
		before := memory()
		received := make(chan struct{}, count)
		for i, s := range servers {
			h := &benched{receive: func(p []byte) (int, bool) { deep(8); received <- struct{}{}; return len(p), false }}
			e.Add(s, func(ec engine.Conn) engine.Handler {
				ec.SetDeadline(time.Now().Add(time.Hour))
				return h
			})
			_, _ = clients[i].Write(make([]byte, message))
		}
		for range servers {
			<-received
		}
		after := memory()
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/count, "heap-B/conn")
		b.ReportMetric(float64(after.StackInuse-before.StackInuse)/count, "stack-B/conn")
		for _, c := range clients {
			_ = c.Close()
		}
		e.Close(nil)
	}
}

// deep uses n kB of stack, as routing a message does; the collector takes back
// what an idle goroutine does not need.
func deep(n int) byte {
	var a [1024]byte
	if n > 0 {
		a[n] = deep(n - 1)
	}
	return a[n/2]
}

func memory() (m runtime.MemStats) {
	for range 4 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m
}
