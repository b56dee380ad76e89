package listener

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
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
	gone chan struct{} // closed when the listener closes
}

// admit hands c on if the limits allow, or has its transports unwrapped first.
func (l *Listener) admit(c net.Conn) {
	p := Peer{Remote: addrPort(c.RemoteAddr()), Local: addrPort(c.LocalAddr()), Since: time.Now()}
	ip := p.Remote.Addr()
	if why := l.spec.Limits.enter(ip); why != Admitted {
		_ = c.Close()
		l.refuse(p.Remote, why)
		return
	}
	base := l.count(c, ip)
	l.mu.Lock()
	l.active++
	l.total++
	if !l.layered() {
		l.mu.Unlock()
		l.accept(base, p)
		return
	}
	e := &entry{l: l, base: base, conn: base, peer: p, gone: make(chan struct{})}
	l.entries[e] = struct{}{}
	l.mu.Unlock()
	l.handshakes.Add(1)
	go e.run()
}

// layered reports whether anything stands around the client's bytes.
func (l *Listener) layered() bool { return l.certs != nil }

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
	if err == nil {
		_ = e.base.SetDeadline(time.Time{})
		e.l.accept(e.conn, e.peer)
		return
	}
	_ = e.base.Close()
	var limit Refusal
	switch {
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
	if e.l.certs != nil {
		if err := e.secure(e.l.certs.current(e.peer.Since)); err != nil {
			return err
		}
	}
	return nil
}

// abandon ends the handshakes. Called once, by Close.
func (e *entry) abandon() {
	close(e.gone)
	_ = e.base.Close()
}

// Apply puts in force what a new Spec of the same listener says and what needs
// no new socket: MaxConnections and TLS. The error is of files that cannot be
// used; then those before stay in force, and the rest of s is in force.
func (l *Listener) Apply(s Spec) error {
	l.SetMaxConnections(s.MaxConnections)
	if l.certs == nil || s.TLS == nil {
		return nil
	}
	if err := l.certs.configure(*s.TLS, s.Identity, s.Refresh); err != nil {
		return fmt.Errorf("listener: %s: %w", l.spec.Name, err)
	}
	return nil
}
