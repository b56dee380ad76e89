package goroutine

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/lunemq/lunemq/broker/engine"
)

// message is about the size of a small PUBLISH, in bytes.
const message = 64

// bare serves server with nothing but a loop: what an engine is measured by.
func bare(server net.Conn, got func(p []byte)) {
	p := make([]byte, firstRead)
	for {
		n, err := server.Read(p)
		if err != nil {
			return
		}
		got(p[:n])
	}
}

// BenchmarkPingPong sends a message and waits until it comes back.
func BenchmarkPingPong(b *testing.B) {
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
		server, client := tcpPair(b)
		go bare(server, func(p []byte) { _, _ = server.Write(p) })
		measure(b, client)
	})
	b.Run("engine", func(b *testing.B) {
		server, client := tcpPair(b)
		h := &funcs{}
		var c *conn
		h.receive = func(p []byte) (int, bool) { return c.Write(p), false }
		c = serve(b, Options{Linger: time.Millisecond}, server, h)
		measure(b, client)
	})
}

// BenchmarkReceive reads a stream, one operation being 16 kB.
func BenchmarkReceive(b *testing.B) {
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
		server, client := tcpPair(b)
		received := make(chan int, 1)
		go bare(server, report(received))
		measure(b, client, received)
	})
	b.Run("engine", func(b *testing.B) {
		server, client := tcpPair(b)
		received := make(chan int, 1)
		got := report(received)
		h := &funcs{receive: func(p []byte) (int, bool) { got(p); return len(p), false }}
		serve(b, Options{Linger: time.Millisecond}, server, h)
		measure(b, client, received)
	})
}

// BenchmarkWrite writes messages to a client that reads.
func BenchmarkWrite(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		server, client := tcpPair(b)
		go func() { _, _ = io.Copy(io.Discard, client) }()
		p := make([]byte, message)
		b.ReportAllocs()
		for b.Loop() {
			_, _ = server.Write(p)
		}
	})
	b.Run("engine", func(b *testing.B) {
		server, client := tcpPair(b)
		go func() { _, _ = io.Copy(io.Discard, client) }()
		writable := make(chan struct{}, 1)
		c := serve(b, Options{Linger: time.Millisecond}, server, &funcs{writable: func() { writable <- struct{}{} }})
		p := make([]byte, message)
		b.ReportAllocs()
		for b.Loop() {
			if c.Write(p) < len(p) {
				<-writable
			}
		}
	})
}

// BenchmarkSetDeadline puts a deadline off, as each keep alive does.
func BenchmarkSetDeadline(b *testing.B) {
	server, _ := tcpPair(b)
	c := serve(b, Options{Linger: time.Millisecond}, server, &funcs{})
	at := time.Now().Add(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Nanosecond)
		c.SetDeadline(at)
	}
}

// BenchmarkIdle reports what an idle connection holds: heap, and stack of its
// goroutine.
func BenchmarkIdle(b *testing.B) {
	const count = 2000
	for b.Loop() {
		clients := make([]net.Conn, count)
		servers := make([]net.Conn, count)
		for i := range count {
			servers[i], clients[i] = tcpPair(b)
		}
		e := New(Options{Linger: time.Millisecond})
		before := memory()
		received := make(chan struct{}, count)
		for i, s := range servers {
			h := &funcs{receive: func(p []byte) (int, bool) { deep(8); received <- struct{}{}; return len(p), false }}
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
