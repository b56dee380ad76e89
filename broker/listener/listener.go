package listener

import (
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/conf/value"
)

// Spec says what Open opens. Not changed afterwards.
type Spec struct {
	Name    string        // "tcp.default"
	Type    string        // "mqtt"
	Address value.Address // port 0 lets the system choose
	// MaxConnections is how many connections may be open at a time; 0 is
	// unlimited. Further ones wait in the system's queue.
	MaxConnections int
	// MaxDescriptor is the lowest number of a connection's file descriptor at
	// which it is refused, and the next ones wait for a moment; 0 is unlimited. A
	// system gives the lowest that is free, so all below it are in use then.
	MaxDescriptor int
	Buffers       Buffers
	TLS           *TLS       // nil for none
	Identity      bool       // the client's certificate gives Peer.Identity
	WebSocket     *WebSocket // nil for none
	Proxy         Proxy
	// Timeout is how long a client may take to send what comes before its own
	// bytes, TLS not counted.
	Timeout time.Duration

	// Limits and Gate are shared with other listeners; nil for none.
	Limits *Limits
	Gate   *Gate
	// Refresh is how often TLS's files are looked at for changes; 0 is never.
	Refresh time.Duration

	// What follows may be nil, and may be called from several goroutines.

	// Bare is called instead of accept with each connection whose socket is the
	// connection, where the system allows (Linux).
	Bare func(s *Socket, p Peer)

	// Refused is told of each connection that Limits did not admit.
	Refused func(peer netip.AddrPort, why Refusal)
	// Dropped is told of each connection that ended before accept, and why. A
	// timeout is os.ErrDeadlineExceeded.
	Dropped func(peer netip.AddrPort, err error)
	// Failed is told when the system could not accept, at most about once a
	// second while that lasts.
	Failed func(err error)
	// Reloaded is told when TLS's files have changed: nil when they are in
	// force, else why those before are.
	Reloaded func(err error)
}

// Peer is what is known about the other end of a connection. Immutable.
type Peer struct {
	Remote, Local netip.AddrPort // zero for Unix sockets
	// Since is when the client could begin to speak: when it was accepted, or
	// when its TLS handshake was done.
	Since time.Time
	// Cert is the client's verified certificate, nil without one.
	Cert *x509.Certificate
	// Identity is who the client is by the word of its certificate or of a
	// trusted proxy, "" if nobody says so.
	Identity string
}

// State is what a listener does at present.
type State uint8

// The states.
const (
	Running State = iota
	Paused        // not bound; its connections go on
	Closed
)

// String returns the state in lower case.
func (s State) String() string { return [...]string{"running", "paused", "closed"}[s] }

// Listener accepts connections at one address. Safe for concurrent use.
type Listener struct {
	spec   Spec
	accept func(c net.Conn, p Peer)
	listen func(a value.Address) (net.Listener, error)
	certs  *certs // nil without TLS
	live   atomic.Pointer[settings]

	handshakes sync.WaitGroup // one per member of entries
	control    sync.Mutex     // held by Pause, Resume and Close throughout; before mu

	mu      sync.Mutex // guards what follows
	changed *sync.Cond // when a connection ends, max or state changes
	bound   value.Address
	addr    net.Addr
	socket  net.Listener // nil unless Running
	state   State
	max     int
	active  int
	total   uint64
	entries map[*entry]struct{}
	stop    chan struct{} // closed to end the acceptor
	done    chan struct{} // closed when the acceptor has ended
}

// Open listens and calls accept with each connection that is admitted, when
// its handshakes are done, from any goroutine; accept must not wait, nor call
// Pause, Resume or Close. The connection counts until it is closed. If the
// socket beneath is the connection, it has the methods SyscallConn and
// CloseWrite; else it has no SyscallConn.
func Open(s Spec, accept func(c net.Conn, p Peer)) (*Listener, error) {
	return open(s, accept, listen)
}

func open(s Spec, accept func(net.Conn, Peer), listen func(value.Address) (net.Listener, error)) (*Listener, error) {
	l := &Listener{spec: s, accept: accept, listen: listen, bound: s.Address, max: s.MaxConnections, state: Paused, entries: map[*entry]struct{}{}}
	l.changed = sync.NewCond(&l.mu)
	l.live.Store(newSettings(s))
	if s.TLS != nil {
		var err error
		if l.certs, err = newCerts(*s.TLS, s.Identity, s.Refresh, s.Reloaded); err != nil {
			return nil, named(s.Name, err)
		}
	}
	if err := l.Resume(); err != nil {
		return nil, err
	}
	return l, nil
}

// Name returns the listener's name, such as "tcp.default".
func (l *Listener) Name() string { return l.spec.Name }

// Type returns what is spoken, such as "mqtt".
func (l *Listener) Type() string { return l.spec.Type }

// Certificate returns the certificate that clients are shown at present, nil
// without TLS.
func (l *Listener) Certificate() *x509.Certificate {
	if l.certs == nil {
		return nil
	}
	return l.certs.state.Load().leaf
}

// Addr returns the address in use, with the port that the system chose.
func (l *Listener) Addr() net.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.addr
}

// State returns what the listener does at present.
func (l *Listener) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Active returns how many connections are open.
func (l *Listener) Active() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.active
}

// Total returns how many connections were admitted since Open.
func (l *Listener) Total() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

// MaxConnections returns the limit in force; 0 is unlimited.
func (l *Listener) MaxConnections() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.max
}

// SetMaxConnections changes the limit; 0 is unlimited. Connections that are
// open stay. If a limit was not reached before, one more connection than the
// new limit may be accepted once.
func (l *Listener) SetMaxConnections(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.max = n
	l.changed.Broadcast()
}

// Pause stops listening, so that the system refuses new connections; those
// that are open stay, and those whose handshakes are under way get in. A
// paused or closed listener stays as it is.
func (l *Listener) Pause() {
	l.control.Lock()
	defer l.control.Unlock()
	l.leave(Paused)
}

// Close ends listening for good. Connections that are open stay, those whose
// handshakes are under way are closed. It returns when no accept runs any more.
func (l *Listener) Close() {
	l.control.Lock()
	defer l.control.Unlock()
	l.leave(Closed)
	l.mu.Lock()
	entries := slices.Collect(maps.Keys(l.entries))
	l.mu.Unlock()
	for _, e := range entries {
		e.abandon()
	}
	l.handshakes.Wait()
}

func (l *Listener) leave(to State) {
	l.mu.Lock()
	from := l.state
	if from == Closed || from == to {
		l.mu.Unlock()
		return
	}
	l.state = to
	socket, stop, done := l.socket, l.stop, l.done
	l.socket = nil
	l.changed.Broadcast()
	l.mu.Unlock()
	if from == Running {
		close(stop)
		_ = socket.Close()
		<-done
	}
}

// Resume listens again, at the same port. A running listener stays as it is;
// a closed one is an error, as is an address that cannot be had.
func (l *Listener) Resume() error {
	l.control.Lock()
	defer l.control.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.state {
	case Running:
		return nil
	case Closed:
		return fmt.Errorf("listener: %s is closed", l.spec.Name)
	}
	socket, err := l.listen(l.bound)
	if err != nil {
		return fmt.Errorf("listener: %s: %w", l.spec.Name, err)
	}
	if l.spec.Bare != nil {
		socket = bare(socket)
	}
	l.addr = socket.Addr()
	if a, ok := l.addr.(*net.TCPAddr); ok {
		l.bound.Port = a.Port
	}
	l.socket, l.state = socket, Running
	l.stop, l.done = make(chan struct{}), make(chan struct{})
	go l.acceptAll(socket, l.stop, l.done)
	return nil
}

// acceptAll is the acceptor goroutine.
func (l *Listener) acceptAll(socket net.Listener, stop <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	var pause time.Duration
	for l.mayAccept(socket) {
		err := l.acceptOne(socket)
		if err == nil {
			pause = 0
			continue
		}
		select {
		case <-stop: // the error is that the socket was closed
			return
		default:
		}
		pause = min(max(2*pause, minPause), maxPause)
		if l.spec.Failed != nil && err != error(Scarce) {
			l.spec.Failed(fmt.Errorf("listener: %s: %w", l.spec.Name, err))
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-stop:
			timer.Stop()
			return
		}
	}
}

// How long the acceptor pauses after an error, doubling from min to max: most
// mean that file descriptors or memory are short.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// mayAccept waits until there is room for one more connection. It reports
// false when socket is to be used no more.
func (l *Listener) mayAccept(socket net.Listener) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.socket == socket && l.max > 0 && l.active >= l.max {
		l.changed.Wait()
	}
	return l.socket == socket
}

// ended is called once for each connection that was admitted.
func (l *Listener) ended(ip netip.Addr) {
	l.spec.Limits.leave(ip)
	l.mu.Lock()
	l.active--
	l.changed.Broadcast()
	l.mu.Unlock()
}

// addrPort returns the address and port of a, IPv4 in its short form; zero for
// what has none.
func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
