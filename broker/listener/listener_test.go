package listener

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunemq/lunemq/conf/value"
)

// patience is how long to wait for what must come.
const patience = 20 * time.Second

// arrival is one call of accept.
type arrival struct {
	net.Conn
	peer Peer
}

// opened opens a listener at address (written) whose arrivals go to the channel.
func opened(t *testing.T, address string, change func(s *Spec)) (*Listener, <-chan arrival) {
	t.Helper()
	s := Spec{Name: "tcp.test", Type: "mqtt"}
	if err := s.Address.UnmarshalText([]byte(address)); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&s)
	}
	arrivals := make(chan arrival, 100)
	l, err := Open(s, func(c net.Conn, p Peer) { arrivals <- arrival{c, p} })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, arrivals
}

func dial(t *testing.T, l *Listener) net.Conn {
	t.Helper()
	c, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

func next[V any](t *testing.T, ch <-chan V) (v V) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(patience):
		t.Fatal("waited in vain")
	}
	return v
}

func counts(t *testing.T, l *Listener, active int, total uint64) {
	t.Helper()
	if l.Active() != active || l.Total() != total {
		t.Errorf("got %d of %d active, want %d of %d", l.Active(), l.Total(), active, total)
	}
}

func TestOpen_TCP(t *testing.T) {
	l, arrivals := opened(t, "127.0.0.1:0", func(s *Spec) { s.Buffers = Buffers{Send: 8192, Receive: 8192} })
	client := dial(t, l)
	a := next(t, arrivals)
	if want := client.LocalAddr().(*net.TCPAddr).AddrPort(); a.peer.Remote != want {
		t.Errorf("remote: got %v, want %v", a.peer.Remote, want)
	}
	if a.peer.Local.String() != l.Addr().String() || a.peer.Local.Port() == 0 {
		t.Errorf("local: got %v, want %v", a.peer.Local, l.Addr())
	}
	if _, ok := a.Conn.(syscall.Conn); !ok {
		t.Error("the descriptor is hidden")
	}
	if _, err := a.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if got := make([]byte, 5); !readFull(t, client, got, "hello") {
		t.Errorf("got %q", got)
	}
	counts(t, l, 1, 1)
	for range 2 {
		_ = a.Close()
		counts(t, l, 0, 1)
	}
	if l.Name() != "tcp.test" || l.Type() != "mqtt" || l.State() != Running {
		t.Errorf("got %s, %s, %s", l.Name(), l.Type(), l.State())
	}
}

func readFull(t *testing.T, c net.Conn, p []byte, want string) bool {
	t.Helper()
	_, err := io.ReadFull(c, p)
	return err == nil && string(p) == want
}

// An IPv4 client of a listener on all interfaces has its IPv4 address.
func TestOpen_AddressIsUnmapped(t *testing.T) {
	l, arrivals := opened(t, ":0", nil)
	port := l.Addr().(*net.TCPAddr).Port
	c, err := net.Dial("tcp4", value.Address{Host: "127.0.0.1", Port: port}.HostPort())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if a := next(t, arrivals); !a.peer.Remote.Addr().Is4() {
		t.Errorf("got %v", a.peer.Remote)
	}
}

func TestOpen_AddressInUse(t *testing.T) {
	l, _ := opened(t, "127.0.0.1:0", nil)
	var a value.Address
	if err := a.UnmarshalText([]byte(l.Addr().String())); err != nil {
		t.Fatal(err)
	}
	_, err := Open(Spec{Name: "tcp.second", Address: a}, nil)
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v", err)
	}
}

// Connections beyond the limit wait and are accepted as others end.
func TestMaxConnections(t *testing.T) {
	const limit, count = 2, 10
	l, arrivals := opened(t, "127.0.0.1:0", func(s *Spec) { s.MaxConnections = limit })
	for range count {
		dial(t, l)
	}
	for i := range count {
		a := next(t, arrivals)
		if n := l.Active(); n > limit {
			t.Fatalf("connection %d: %d are active", i, n)
		}
		if i > 0 {
			_ = a.Close()
		}
	}
	counts(t, l, 1, count)
}

func TestSetMaxConnections(t *testing.T) {
	l, arrivals := opened(t, "127.0.0.1:0", func(s *Spec) { s.MaxConnections = 1 })
	for range 3 {
		dial(t, l)
	}
	next(t, arrivals)
	l.SetMaxConnections(2)
	next(t, arrivals)
	counts(t, l, 2, 2)
	l.SetMaxConnections(0)
	next(t, arrivals)
	counts(t, l, 3, 3)
	if l.MaxConnections() != 0 {
		t.Errorf("got %d", l.MaxConnections())
	}
}

// A pause refuses new connections and drops none; the port stays the same.
func TestPause(t *testing.T) {
	l, arrivals := opened(t, "127.0.0.1:0", func(s *Spec) { s.MaxConnections = 1 })
	address := l.Addr().String()
	client := dial(t, l)
	a := next(t, arrivals)
	for range 2 { // with the acceptor waiting for room, then in Accept
		l.Pause()
		l.Pause()
		if l.State() != Paused {
			t.Errorf("got %s", l.State())
		}
		if _, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial: got %v", err)
		}
		if _, err := a.Write([]byte("x")); err != nil || !readFull(t, client, make([]byte, 1), "x") {
			t.Errorf("a connection did not outlive the pause: %v", err)
		}
		for range 2 {
			if err := l.Resume(); err != nil {
				t.Fatal(err)
			}
		}
		if l.Addr().String() != address {
			t.Errorf("got %v, want %s", l.Addr(), address)
		}
		l.SetMaxConnections(2)
		second := dial(t, l)
		_ = next(t, arrivals).Close()
		_ = second.Close()
	}
}

func TestClose(t *testing.T) {
	l, arrivals := opened(t, "127.0.0.1:0", nil)
	client := dial(t, l)
	a := next(t, arrivals)
	l.Close()
	l.Close()
	l.Pause()
	if l.State() != Closed || l.Resume() == nil {
		t.Errorf("got %s", l.State())
	}
	if _, err := a.Write([]byte("x")); err != nil || !readFull(t, client, make([]byte, 1), "x") {
		t.Errorf("a connection did not outlive the listener: %v", err)
	}
	_ = a.Close()
	counts(t, l, 0, 1)
}

// Refused connections are closed, told of with the reason, and count nowhere.
func TestLimits(t *testing.T) {
	type refusal struct {
		ip  netip.Addr
		why Refusal
	}
	limits := NewLimits(3, 2)
	refused := make(chan refusal, 10)
	l, arrivals := opened(t, "127.0.0.1:0", func(s *Spec) {
		s.Limits = limits
		s.Refused = func(p netip.AddrPort, why Refusal) { refused <- refusal{p.Addr(), why} }
	})
	from := func(ip string) net.Conn {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
		c, err := d.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(patience))
		return c
	}
	denied := func(ip string, want Refusal) {
		t.Helper()
		c := from(ip)
		if got := next(t, refused); got.why != want || got.ip.String() != ip {
			t.Errorf("got %v, want %v from %s", got, want, ip)
		}
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("a refused connection is open")
		}
	}
	from("127.0.0.1")
	first := next(t, arrivals)
	from("127.0.0.1")
	next(t, arrivals)
	denied("127.0.0.1", TooManyOfIP)
	from("127.0.0.2")
	next(t, arrivals)
	denied("127.0.0.3", TooMany)
	counts(t, l, 3, 3)
	_ = first.Close()
	from("127.0.0.1")
	next(t, arrivals)
	limits.Set(0, 1)
	denied("127.0.0.2", TooManyOfIP)
	from("127.0.0.3")
	_ = next(t, arrivals).Close()
	if limits.Open() != 3 || len(limits.byIP) != 2 {
		t.Errorf("got %d open, of %v", limits.Open(), limits.byIP)
	}
}

func TestLimits_WithoutAddress(t *testing.T) {
	limits := NewLimits(2, 1)
	for range 2 {
		if why := limits.enter(netip.Addr{}); why != Admitted {
			t.Errorf("got %v", why)
		}
	}
	if why := limits.enter(netip.Addr{}); why != TooMany {
		t.Errorf("got %v", why)
	}
	limits.leave(netip.Addr{})
	if limits.Open() != 1 || len(limits.byIP) != 0 {
		t.Errorf("got %d open, of %v", limits.Open(), limits.byIP)
	}
}

// failing is a socket that cannot accept.
type failing struct {
	net.Listener
	calls  atomic.Int64
	closed chan struct{}
}

func (f *failing) Accept() (net.Conn, error) {
	f.calls.Add(1)
	return nil, syscall.EMFILE
}
func (f *failing) Close() error   { close(f.closed); return nil }
func (f *failing) Addr() net.Addr { return &net.UnixAddr{} }

// An acceptor that cannot accept reports it, neither spins nor gives up, and
// ends at once when told to.
func TestAccept_Fails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &failing{closed: make(chan struct{})}
		var reports atomic.Int64
		s := Spec{Name: "tcp.test", Failed: func(err error) {
			reports.Add(1)
			if !errors.Is(err, syscall.EMFILE) || err.Error() != "listener: tcp.test: too many open files" {
				t.Errorf("got %v", err)
			}
		}}
		l, err := open(s, nil, func(value.Address) (net.Listener, error) { return f, nil })
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		<-time.After(time.Minute + time.Millisecond)
		if n := f.calls.Load(); n < 60 || n > 70 {
			t.Errorf("tried %d times in a minute", n)
		}
		l.Close()
		if reports.Load() != f.calls.Load() || time.Since(start) > time.Minute+time.Second/2 {
			t.Errorf("%d reports of %d, ended after %v", reports.Load(), f.calls.Load(), time.Since(start))
		}
		<-f.closed
	})
}

// TestScarce: the file descriptors above a number are not for connections.
func TestScarce(t *testing.T) {
	for _, bare := range []bool{false, true} {
		refused := make(chan Refusal, 100)
		l, arrivals := opened(t, "127.0.0.1:0", func(s *Spec) {
			s.MaxDescriptor = 1
			s.Refused = func(_ netip.AddrPort, why Refusal) { refused <- why }
			s.Failed = func(err error) { t.Error(err) }
			if bare {
				s.Bare = func(s *Socket, _ Peer) { t.Error("admitted") }
			}
		})
		for range 3 {
			client := dial(t, l)
			if why := next(t, refused); why != Scarce {
				t.Error(why)
			}
			if _, err := client.Read(make([]byte, 1)); err == nil {
				t.Error("not closed")
			}
		}
		if len(arrivals) > 0 {
			t.Error("admitted")
		}
		counts(t, l, 0, 0)
		l.Close()
	}
}
