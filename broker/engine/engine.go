package engine

import "time"

// Handler is the meaning behind one connection. Receive, Deadline and Closed
// are called one at a time; Writable may come at the same time as they and
// from another goroutine, so the handler guards its output with a lock of its
// own. No method may block on the network.
type Handler interface {
	// Receive is given all bytes not yet consumed, at least one more than at
	// the last call, or the same again after Wake. It returns how many it has
	// consumed; p is valid during the call only. With park = true the engine
	// reads nothing more, and does not call Receive, until Wake.
	Receive(now time.Time, p []byte) (n int, park bool)
	// Writable says that Write, which had taken less than offered, may be
	// called again.
	Writable(now time.Time)
	// Deadline says that the time of SetDeadline has come; it is then disarmed.
	Deadline(now time.Time)
	// Closed is the last call: the connection is gone. err is nil after
	// Conn.Close(nil), io.EOF when the peer closed, the cause else.
	Closed(now time.Time, err error)
}

// Conn is one connection as the handler sees it. All methods are safe from any
// goroutine and never block; after the end they do nothing.
type Conn interface {
	// Write hands over as much of p as can be taken without waiting and
	// returns how much; p is not retained. If it is less than len(p), Writable
	// is called when more can be taken. Calls must not overlap each other.
	Write(p []byte) int
	// SetDeadline arms, moves or (zero) disarms the one deadline. It comes never
	// early, and late by up to a 64th of the time until then.
	SetDeadline(t time.Time)
	// Wake ends a park: Receive is called soon with the bytes left over. A
	// Wake before the park takes effect is not lost.
	Wake()
	// Close ends the connection after the bytes taken by Write are sent, at
	// the latest after the engine's linger time. err is passed to Closed. The
	// first call counts.
	Close(err error)
}

// Engine serves connections until closed.
type Engine interface {
	// Add takes over c and calls newHandler with its Conn, then serves it. It
	// returns at once.
	Add(c NetConn, newHandler func(Conn) Handler)
	// Hurry bounds how long connections linger from now on, those too that do
	// so already. It returns at once.
	Hurry(linger time.Duration)
	// Close ends all connections with err and waits until every Closed call
	// has returned.
	Close(err error)
}

// NetConn is the part of net.Conn an engine needs.
type NetConn interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	Close() error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}
