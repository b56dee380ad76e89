package listener

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// entry is a connection that its transports still stand around: TLS,
// WebSocket, a PROXY header. Owned by its goroutine, which is not the
// acceptor's, so that a slow client delays nobody.
type entry struct {
	l    *Listener
	base *counted
	conn net.Conn // the innermost so far
	peer Peer
	now  *settings
	gone chan struct{} // closed when the listener closes

	limit Refusal // why rename failed

	mu   sync.Mutex // guards over, and deadlines against it; no other lock is taken under it
	over bool
}

// settings are what Apply may replace. Immutable.
type settings struct {
	timeout time.Duration // of a PROXY header and of a WebSocket's handshake
	proxy   Proxy
	ws      *WebSocket
}

func newSettings(s Spec) *settings {
	return &settings{timeout: s.Timeout, proxy: s.Proxy, ws: s.WebSocket}
}

// named reports whether a proxy names the client, whose address is not known
// when the connection is accepted.
func (s *settings) named() bool { return s.proxy.Header || s.ws != nil && s.ws.On }

// admit hands c on if the limits allow, or has its transports unwrapped first.
func (l *Listener) admit(c net.Conn) {
	p := Peer{Remote: addrPort(c.RemoteAddr()), Local: addrPort(c.LocalAddr()), Since: time.Now()}
	now := l.live.Load()
	ip := p.Remote.Addr()
	if now.named() {
		ip = netip.Addr{}
	}
	if why := l.spec.Limits.enter(ip); why != Admitted {
		_ = c.Close()
		l.refuse(p.Remote, why)
		return
	}
	base := l.count(c, ip)
	l.mu.Lock()
	l.active++
	l.total++
	if l.plain(now) {
		l.mu.Unlock()
		l.accept(base, p)
		return
	}
	e := &entry{l: l, base: base, conn: base, peer: p, now: now, gone: make(chan struct{})}
	l.entries[e] = struct{}{}
	l.mu.Unlock()
	l.handshakes.Add(1)
	go e.run()
}

func (l *Listener) refuse(peer netip.AddrPort, why Refusal) {
	if l.spec.Refused != nil {
		l.spec.Refused(peer, why)
	}
}

// run is the entry's goroutine.
func (e *entry) run() {
	defer e.l.handshakes.Done()
	err := e.unwrap()
	e.l.mu.Lock()
	delete(e.l.entries, e)
	e.l.mu.Unlock()
	if err == nil && e.deadline(time.Time{}) {
		e.l.accept(e.conn, e.peer)
		return
	}
	_ = e.base.Close()
	var limit Refusal
	switch {
	case err == nil: // the listener was closed
	case errors.As(err, &limit):
		e.l.refuse(e.peer.Remote, limit)
	case e.l.spec.Dropped != nil:
		e.l.spec.Dropped(e.peer.Remote, fmt.Errorf("listener: %s: %w", e.l.spec.Name, err))
	}
}

// unwrap takes the transports off, outermost first. A panic costs one
// connection, not the broker.
func (e *entry) unwrap() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in a handshake: %v", r)
		}
	}()
	var s *security
	timeout := e.now.timeout
	if e.l.certs != nil {
		s = e.l.certs.current(e.peer.Since)
		timeout = s.timeout
	}
	if e.now.proxy.Header {
		e.deadline(e.peer.Since.Add(timeout))
		if err := e.introduced(e.now.proxy); err != nil {
			return err
		}
	}
	if s != nil {
		if err := e.secure(s); err != nil {
			return err
		}
	}
	if e.now.ws != nil {
		return e.upgrade(e.now.ws, e.now.timeout)
	}
	return nil
}

// abandon ends the handshakes. Called once, by Close.
func (e *entry) abandon() {
	close(e.gone)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	_ = e.base.SetDeadline(time.Unix(1, 0))
}

// deadline sets the time limit of what comes next; false means that the entry
// has been abandoned.
func (e *entry) deadline(t time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over {
		_ = e.base.SetDeadline(t)
	}
	return !e.over
}

// rename gives the connection the address that a proxy names. The limits of
// one address count it there.
func (e *entry) rename(to netip.AddrPort) Refusal {
	e.limit = e.l.spec.Limits.move(e.base.ip, to.Addr())
	if e.limit == Admitted {
		e.base.ip = to.Addr()
	}
	e.peer.Remote = to
	return e.limit
}

// Apply puts in force what a new Spec of the same listener says and what needs
// no new socket: MaxConnections, TLS, WebSocket, Proxy and Timeout, for connections
// that come then. The error is of files that cannot be
// used; then those before stay in force, and the rest of s is in force.
func (l *Listener) Apply(s Spec) error {
	l.SetMaxConnections(s.MaxConnections)
	l.live.Store(newSettings(s))
	if l.certs == nil || s.TLS == nil {
		return nil
	}
	if err := l.certs.configure(*s.TLS, s.Identity, s.Refresh); err != nil {
		return named(l.spec.Name, err)
	}
	return nil
}
