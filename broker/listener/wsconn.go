package listener

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// wsConn is the stream of bytes within a WebSocket connection. Read belongs to
// one goroutine, Write to another; Close and CloseWrite are the reader's. It
// holds no buffer while idle, and hides the socket, whose bytes are others.
//
// Spec: RFC 6455; MQTT 5.0 §6.
type wsConn struct {
	net.Conn
	in    frames
	rest  []byte // came with the handshake
	ended error  // what Read returns from now on

	closing atomic.Bool // a Close frame is sent: nothing may follow it

	mu      sync.Mutex // guards what follows
	pong    []byte     // payload due in a Pong frame
	due     bool
	ponging bool // a goroutine sends Pong frames
}

// closeTimeout is how long the peer may take to take a Close frame.
const closeTimeout = time.Second

// newWSConn returns the stream within c; rest are bytes already read.
func newWSConn(c net.Conn, rest []byte, maxFrame int64) *wsConn {
	w := &wsConn{Conn: c, rest: rest}
	w.in = frames{max: maxFrame, control: w.control}
	return w
}

// Read returns payload bytes, of one frame or several. The end is io.EOF when
// the peer sends a Close frame, a *refusal when it breaks the protocol.
func (w *wsConn) Read(p []byte) (int, error) {
	for w.ended == nil && len(p) > 0 {
		n, err := w.raw(p)
		m, wrong := w.in.decode(p[:n])
		switch {
		case wrong != nil:
			w.ended = wrong
			var r *refusal
			if errors.As(wrong, &r) {
				w.sendClose(r.code, r.text)
				w.discard()
			}
		case err != nil && m == 0:
			return 0, err // a deadline, perhaps: the next Read goes on
		}
		if m > 0 {
			return m, nil
		}
	}
	return 0, w.ended
}

// discard lets the peer take the Close frame: input that is unread when a
// socket is closed would make the system take back what was sent.
func (w *wsConn) discard() {
	if half, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = w.Conn.SetReadDeadline(time.Now().Add(closeTimeout))
	p := outFrames.Get().(*[]byte)
	defer outFrames.Put(p)
	for err := error(nil); err == nil; {
		_, err = w.Conn.Read((*p)[:cap(*p)])
	}
}

// raw reads what came with the handshake, then from the network.
func (w *wsConn) raw(p []byte) (int, error) {
	if len(w.rest) > 0 {
		n := copy(p, w.rest)
		if w.rest = w.rest[n:]; len(w.rest) == 0 {
			w.rest = nil
		}
		return n, nil
	}
	return w.Conn.Read(p)
}

// control answers a control frame. Called by Read.
func (w *wsConn) control(op ws.OpCode, p []byte) error {
	switch op {
	case ws.OpPing:
		w.answer(p)
	case ws.OpClose:
		code, reason := ws.ParseCloseFrameData(p)
		if len(p) == 0 {
			code = ws.StatusNormalClosure
		} else if ws.CheckCloseFrameData(code, reason) != nil {
			code = ws.StatusProtocolError
		}
		w.sendClose(code, "")
		return io.EOF
	}
	return nil
}

// answer sends a Pong frame, without waiting for a peer that reads slowly: of
// several Pings only the last need be answered.
func (w *wsConn) answer(p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pong, w.due = append(w.pong[:0], p...), true
	if !w.ponging {
		w.ponging = true
		go w.sendPongs()
	}
}

// sendPongs lives as long as Pongs are due. A peer that does not take them is
// found out by others; closing the connection ends the wait.
func (w *wsConn) sendPongs() {
	for {
		w.mu.Lock()
		if !w.due || w.closing.Load() {
			w.ponging, w.pong = false, nil
			w.mu.Unlock()
			return
		}
		frame := appendFrame(nil, ws.OpPong, w.pong)
		w.due = false
		w.mu.Unlock()
		_, _ = w.Conn.Write(frame)
	}
}

// appendFrame appends an unmasked frame, which is how servers send.
func appendFrame(b []byte, op ws.OpCode, p []byte) []byte {
	b = append(b, 0x80|byte(op))
	switch n := len(p); {
	case n < 126:
		b = append(b, byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, p...)
}

// outFrames are buffers for frames that are being sent.
var outFrames = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// maxOutFrame is the largest buffer kept for others, in bytes.
const maxOutFrame = 64 << 10

// Write sends p as one binary frame.
func (w *wsConn) Write(p []byte) (int, error) {
	if w.closing.Load() {
		return 0, net.ErrClosed
	}
	b := outFrames.Get().(*[]byte)
	*b = appendFrame((*b)[:0], ws.OpBinary, p)
	n, err := w.Conn.Write(*b)
	sent := max(0, n-(len(*b)-len(p)))
	if cap(*b) <= maxOutFrame {
		outFrames.Put(b)
	}
	return sent, err
}

// sendClose sends a Close frame unless one is sent already.
func (w *wsConn) sendClose(code ws.StatusCode, text string) {
	if w.closing.Swap(true) {
		return
	}
	body := append(binary.BigEndian.AppendUint16(nil, uint16(code)), text...)
	_ = w.Conn.SetWriteDeadline(time.Now().Add(closeTimeout))
	_, _ = w.Conn.Write(appendFrame(nil, ws.OpClose, body[:min(len(body), ws.MaxControlFramePayloadSize)]))
}

// CloseWrite sends a Close frame; Read returns io.EOF when the peer has
// answered it. The socket stays open in both directions until then.
//
// Spec: RFC 6455 §7.1.1.
func (w *wsConn) CloseWrite() error {
	w.sendClose(ws.StatusNormalClosure, "")
	return nil
}
