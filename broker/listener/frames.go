package listener

import (
	"encoding/binary"

	"github.com/gobwas/ws"
)

// frames takes WebSocket frames apart, as a server does. It holds no bytes of
// messages: payload is moved to the front of the slice it arrived in. Owned by
// the connection's reader.
//
// Spec: RFC 6455 §5.
type frames struct {
	max     int64                              // longest payload of a frame, in bytes
	control func(op ws.OpCode, p []byte) error // of each control frame; p is valid during the call

	head    [ws.MaxHeaderSize]byte
	have    int // bytes of head that are there
	inside  bool
	final   bool
	open    bool // within a fragmented message
	op      ws.OpCode
	left    int64 // payload bytes of the frame that have not come yet
	mask    [4]byte
	at      int    // place in mask
	pending []byte // payload of a control frame so far, at most 125 bytes
}

// refusal is why a connection is closed: the code and text of a Close frame.
type refusal struct {
	code ws.StatusCode
	text string
}

// Error implements error.
func (r *refusal) Error() string { return "websocket: " + r.text }

// need returns how long the header is, as far as that is known.
func (f *frames) need() int {
	if f.have < 2 {
		return 2
	}
	n := 2
	switch f.head[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if f.head[1]&0x80 != 0 {
		n += 4
	}
	return n
}

// decode takes bytes as they come from the network, in any portions. It leaves
// the payload among them in p[:n], unmasked, and calls control for each control
// frame, with the payload before it not yet delivered. After an error, a
// *refusal or control's own, p[:n] is good and nothing more may be decoded.
func (f *frames) decode(p []byte) (n int, err error) {
	rest := p
	for len(rest) > 0 {
		if !f.inside {
			k := copy(f.head[f.have:f.need()], rest)
			f.have += k
			rest = rest[k:]
			if f.have < f.need() {
				continue
			}
			if err := f.begin(); err != nil {
				return n, err
			}
		}
		part := rest[:min(f.left, int64(len(rest)))]
		rest = rest[len(part):]
		f.left -= int64(len(part))
		ws.Cipher(part, f.mask, f.at)
		f.at = (f.at + len(part)) & 3
		if f.op.IsControl() {
			f.pending = append(f.pending, part...)
		} else {
			n += copy(p[n:], part)
		}
		if f.left == 0 {
			if err := f.end(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// begin reads a complete header.
func (f *frames) begin() error {
	size := f.need()
	h := ws.Header{Fin: f.head[0]&0x80 != 0, Rsv: f.head[0] >> 4 & 7, OpCode: ws.OpCode(f.head[0] & 15), Masked: f.head[1]&0x80 != 0}
	switch l := f.head[1] & 0x7f; l {
	case 126:
		h.Length = int64(binary.BigEndian.Uint16(f.head[2:]))
	case 127:
		h.Length = int64(binary.BigEndian.Uint64(f.head[2:]))
	default:
		h.Length = int64(l)
	}
	state := ws.StateServerSide
	if f.open {
		state = state.Set(ws.StateFragmented)
	}
	err := ws.CheckHeader(h, state)
	switch {
	case h.Length < 0:
		return &refusal{ws.StatusProtocolError, ws.ErrHeaderLengthMSB.Error()}
	case err != nil:
		return &refusal{ws.StatusProtocolError, err.Error()}
	case h.OpCode == ws.OpText: // [MQTT-6.0.0-1]
		return &refusal{ws.StatusUnsupportedData, "a text frame; MQTT is sent in binary frames"}
	case h.Length > f.max:
		return &refusal{ws.StatusMessageTooBig, "a frame longer than max_ws_frame_size"}
	}
	f.inside, f.have, f.final, f.op, f.left, f.at = true, 0, h.Fin, h.OpCode, h.Length, 0
	copy(f.mask[:], f.head[size-4:size])
	return nil
}

// end finishes a frame.
func (f *frames) end() error {
	f.inside = false
	if !f.op.IsControl() {
		f.open = !f.final
		return nil
	}
	err := f.control(f.op, f.pending)
	f.pending = nil
	return err
}
