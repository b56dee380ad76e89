package listener

import (
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/lunemq/lunemq/conf/value"
)

// bareArrival is one call of Spec.Bare.
type bareArrival struct {
	*Socket
	peer Peer
}

// openedBare opens a listener that hands on bare sockets. Nothing may fail.
func openedBare(t *testing.T, address string, change func(s *Spec)) (*Listener, <-chan bareArrival, <-chan arrival) {
	t.Helper()
	bare := make(chan bareArrival, 100)
	l, others := opened(t, address, func(s *Spec) {
		s.Bare = func(c *Socket, p Peer) { bare <- bareArrival{c, p} }
		s.Failed = func(err error) { t.Errorf("accept: %v", err) }
		if change != nil {
			change(s)
		}
	})
	return l, bare, others
}

func option(t *testing.T, fd, level, name int) int {
	t.Helper()
	n, err := syscall.GetsockoptInt(fd, level, name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A bare socket has the options that package net gives, its peer's facts, and
// a descriptor that does not block and is counted until Close.
func TestBare(t *testing.T) {
	l, arrivals, _ := openedBare(t, "127.0.0.1:0", func(s *Spec) { s.Buffers = Buffers{Send: 8192, Receive: 8192} })
	client := dial(t, l)
	a := next(t, arrivals)
	if want := client.LocalAddr().(*net.TCPAddr).AddrPort(); a.peer.Remote != want {
		t.Errorf("remote: got %v, want %v", a.peer.Remote, want)
	}
	if a.peer.Local.String() != l.Addr().String() {
		t.Errorf("local: got %v, want %v", a.peer.Local, l.Addr())
	}
	fd, err := a.Detach()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []struct{ level, name, want int }{
		{syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1}, {syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 15}, {syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 15}, {syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 9},
		{syscall.SOL_SOCKET, syscall.SO_SNDBUF, 2 * 8192}, {syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2 * 8192},
	} {
		if got := option(t, fd, o.level, o.name); got != o.want {
			t.Errorf("option %d of level %d: got %d, want %d", o.name, o.level, got, o.want)
		}
	}
	if _, err := syscall.Read(fd, make([]byte, 1)); err != syscall.EAGAIN {
		t.Errorf("read: got %v, want EAGAIN", err)
	}
	if _, err := a.Detach(); err == nil {
		t.Error("detached twice")
	}
	if _, err := a.Read(make([]byte, 1)); err == nil {
		t.Error("read after Detach")
	}
	counts(t, l, 1, 1)
	for range 2 {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		counts(t, l, 0, 1)
	}
	if _, err := syscall.Write(fd, []byte("hello")); err != nil {
		t.Errorf("Close closes a detached socket: %v", err)
	}
	_ = syscall.Close(fd)
	if got, err := io.ReadAll(client); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
}

// The same options as those of a socket that package net accepts.
func TestBare_OptionsOfNet(t *testing.T) {
	bareL, bare, _ := openedBare(t, "127.0.0.1:0", nil)
	netL, others := opened(t, "127.0.0.1:0", nil)
	dial(t, bareL)
	dial(t, netL)
	fd, err := next(t, bare).Detach()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(fd) }()
	raw, err := next(t, others).Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(of uintptr) {
		for _, o := range [][2]int{{syscall.IPPROTO_TCP, syscall.TCP_NODELAY}, {syscall.SOL_SOCKET, syscall.SO_KEEPALIVE}, {syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL}, {syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT}, {syscall.SOL_SOCKET, syscall.SO_LINGER}} {
			if got, want := option(t, fd, o[0], o[1]), option(t, int(of), o[0], o[1]); got != want {
				t.Errorf("option %d of level %d: got %d, want %d", o[1], o[0], got, want)
			}
		}
	})
}

// On all interfaces each connection's own address is told, IPv4 in its short
// form.
func TestBare_Wildcard(t *testing.T) {
	l, arrivals, _ := openedBare(t, ":0", nil)
	port := l.Addr().(*net.TCPAddr).Port
	for host, want := range map[string]string{"127.0.0.1": "127.0.0.1", "::1": "::1"} {
		c, err := net.Dial("tcp", value.Address{Host: host, Port: port}.HostPort())
		if err != nil {
			if host == "::1" {
				continue // no IPv6 on this machine
			}
			t.Fatal(err)
		}
		a := next(t, arrivals)
		if ip := netip.MustParseAddr(want); a.peer.Local != netip.AddrPortFrom(ip, uint16(port)) || a.peer.Remote.Addr() != ip {
			t.Errorf("got %v, want %v on both sides", a.peer, ip)
		}
		_ = a.Close()
		_ = c.Close()
	}
}

// Whoever does not detach a socket has a connection.
func TestBare_UsedAsConnection(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "local:" + socketPath(t) + ":0"} {
		l, arrivals, _ := openedBare(t, address, nil)
		client := dial(t, l)
		a := next(t, arrivals)
		if err := a.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		p := make([]byte, 4)
		if _, err := io.ReadFull(a, p); err != nil || string(p) != "ping" {
			t.Errorf("got %q, %v", p, err)
		}
		_ = a.SetWriteDeadline(time.Now().Add(patience))
		if _, err := a.Write([]byte("pong")); err != nil || !readFull(t, client, p, "pong") {
			t.Errorf("got %q, %v", p, err)
		}
		if _, err := a.Detach(); err == nil {
			t.Error("detached in use")
		}
		_ = a.Close()
		counts(t, l, 0, 1)
		if _, err := client.Read(p); err != io.EOF {
			t.Errorf("got %v, want io.EOF", err)
		}
	}
}

// A socket that nobody has used is closed.
func TestBare_CloseUnused(t *testing.T) {
	l, arrivals, _ := openedBare(t, "127.0.0.1:0", nil)
	client := dial(t, l)
	_ = next(t, arrivals).Close()
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("got %v, want io.EOF", err)
	}
}

// A pause refuses clients, and its end lets them in; nothing counts as failed.
func TestBare_Pause(t *testing.T) {
	l, arrivals, _ := openedBare(t, "127.0.0.1:0", nil)
	for range 3 {
		dial(t, l)
		_ = next(t, arrivals).Close()
		l.Pause()
		if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
			_ = c.Close()
			t.Fatal("a paused listener accepts")
		}
		if err := l.Resume(); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	counts(t, l, 0, 3)
}

func TestBare_Limits(t *testing.T) {
	limits := NewLimits(0, 1)
	refused := make(chan Refusal, 1)
	l, arrivals, _ := openedBare(t, "127.0.0.1:0", func(s *Spec) {
		s.Limits = limits
		s.Refused = func(_ netip.AddrPort, why Refusal) { refused <- why }
	})
	dial(t, l)
	first := next(t, arrivals)
	second := dial(t, l)
	if why := next(t, refused); why != TooManyOfIP {
		t.Errorf("got %v", why)
	}
	if _, err := second.Read(make([]byte, 1)); err == nil {
		t.Error("a refused connection is open")
	}
	_ = first.Close()
	dial(t, l)
	next(t, arrivals)
}

// A proxy that is demanded while a connection is waited for is demanded of
// that one too.
func TestBare_ProxyComes(t *testing.T) {
	l, bare, others := openedBare(t, "127.0.0.1:0", func(s *Spec) { s.Timeout = patience })
	dial(t, l)
	next(t, bare) // now the next one is waited for
	s := l.spec
	s.Proxy = Proxy{Header: true}
	if err := l.Apply(s); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := io.WriteString(dial(t, l), "PROXY TCP4 192.0.2.7 192.0.2.8 1000 1883\r\n"); err != nil {
			t.Fatal(err)
		}
		if a := next(t, others); a.peer.Remote.String() != "192.0.2.7:1000" {
			t.Errorf("got %v", a.peer.Remote)
		}
	}
}

// The descriptor of an introduced connection can be detached as well.
func TestCounted_Detach(t *testing.T) {
	l, arrivals := opened(t, "127.0.0.1:0", nil)
	client := dial(t, l)
	a := next(t, arrivals)
	fd, err := a.Conn.(*counted).Detach()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := syscall.Write(fd, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	counts(t, l, 1, 1)
	_ = a.Close()
	counts(t, l, 0, 1)
	_ = syscall.Close(fd)
	if got, err := io.ReadAll(client); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
}
