package listener

import (
	"net"
	"sync"
)

// Web is a listener for HTTP, as net/http wants it: a net.Listener whose
// connections have their handshakes behind them. Safe for concurrent use.
type Web struct {
	*Listener
	arrivals chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

// OpenWeb listens. Connections wait until Accept takes them.
func OpenWeb(s Spec) (*Web, error) {
	w := &Web{arrivals: make(chan net.Conn), closed: make(chan struct{})}
	var err error
	if w.Listener, err = Open(s, w.arrive); err != nil {
		return nil, err
	}
	return w, nil
}

func (w *Web) arrive(c net.Conn, _ Peer) {
	select {
	case w.arrivals <- c:
	case <-w.closed:
		_ = c.Close()
	}
}

// Accept returns the next connection, net.ErrClosed after Close. While the
// listener is paused it waits.
func (w *Web) Accept() (net.Conn, error) {
	select {
	case c := <-w.arrivals:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

// Close ends listening for good; it always returns nil.
func (w *Web) Close() error {
	w.once.Do(func() { close(w.closed) })
	w.Listener.Close()
	return nil
}
