package packet

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/lunemq/lunemq/broker/mqtt"
)

// reader walks over the variable header and payload of one packet. The first
// failure sticks: after it every read returns a zero value and p is empty, so
// that loops end. What it returns points into the packet; owners copy it.
type reader struct {
	p     []byte // not yet read; within properties only their section
	after []byte // what follows the properties
	err   *mqtt.Error
	seen  uint64 // identifiers met in the current properties, one bit each
	where place  // whose properties are being read
	t     Type
}

func (r *reader) fail(code mqtt.ReasonCode, format string, args ...any) {
	if r.err == nil {
		r.err = mqtt.Errorf(op(r.t), code, format, args...)
	}
	r.p, r.after = nil, nil
}

func op(t Type) string { return "packet: " + strings.ToLower(t.String()) }

// take returns the next n bytes.
func (r *reader) take(n int) []byte {
	if n > len(r.p) {
		if r.err == nil {
			r.fail(mqtt.MalformedPacket, "%d bytes are left where %d are needed", len(r.p), n)
		}
		return nil
	}
	b := r.p[:n:n]
	r.p = r.p[n:]
	return b
}

func (r *reader) u8() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// varint reads a variable byte integer of the body; the bytes are all there.
//
// Spec: MQTT 5.0 §1.5.5.
func (r *reader) varint() uint32 {
	v, n, ok := varint(r.p)
	if !ok || n == 0 {
		if r.err == nil {
			r.fail(mqtt.MalformedPacket, "variable byte integer % x", r.p[:min(4, len(r.p))])
		}
		return 0
	}
	r.p = r.p[n:]
	return v
}

// varint decodes the variable byte integer that p begins with. n = 0: p ends
// before it does. ok is false for more than four bytes and for more bytes than
// necessary. [MQTT-1.5.5-1]
func varint(p []byte) (v uint32, n int, ok bool) {
	for n < len(p) && n < 4 {
		b := p[n]
		v |= uint32(b&0x7F) << (7 * n)
		n++
		if b < 0x80 {
			return v, n, b != 0 || n == 1
		}
	}
	return 0, 0, n < 4
}

// binary returns a view of the next binary data field.
//
// Spec: MQTT 5.0 §1.5.6.
func (r *reader) binary() []byte { return r.take(int(r.u16())) }

// text returns a view of the next UTF-8 encoded string. Overlong forms,
// surrogates [MQTT-1.5.4-1] and U+0000 [MQTT-1.5.4-2] make it malformed.
//
// Spec: MQTT 5.0 §1.5.4; MQTT 3.1.1 §1.5.3.
func (r *reader) text() string {
	b := r.binary()
	ascii := true
	for _, c := range b {
		if c == 0 {
			r.fail(mqtt.MalformedPacket, "string %.64q contains U+0000", b)
			return ""
		}
		if c >= utf8.RuneSelf {
			ascii = false
		}
	}
	if !ascii && !utf8.Valid(b) {
		r.fail(mqtt.MalformedPacket, "string %.64q is not UTF-8", b)
		return ""
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// owned returns the next UTF-8 encoded string with memory of its own.
func (r *reader) owned() string { return strings.Clone(r.text()) }

// packetID reads a packet identifier. [MQTT-2.2.1-3]
func (r *reader) packetID() uint16 {
	id := r.u16()
	if id == 0 {
		r.fail(mqtt.ProtocolError, "packet identifier 0")
	}
	return id
}

// rest returns all that is left.
func (r *reader) rest() []byte { return r.take(len(r.p)) }

// writer appends fields to dst, or only counts their bytes in n. One method
// per packet describes the layout; it runs once to learn the length and once
// to write.
type writer struct {
	dst   []byte
	n     int
	count bool
}

func (w *writer) u8(b byte) {
	if w.count {
		w.n++
		return
	}
	w.dst = append(w.dst, b)
}

func (w *writer) u16(v uint16) {
	if w.count {
		w.n += 2
		return
	}
	w.dst = binary.BigEndian.AppendUint16(w.dst, v)
}

func (w *writer) u32(v uint32) {
	if w.count {
		w.n += 4
		return
	}
	w.dst = binary.BigEndian.AppendUint32(w.dst, v)
}

// varint writes a variable byte integer; what has no such form is cut to the
// largest that has one.
func (w *writer) varint(v uint32) {
	v = min(v, MaxRemaining)
	if w.count {
		w.n += varintSize(int(v))
		return
	}
	w.dst = appendVarint(w.dst, v)
}

// text writes a UTF-8 encoded string. The length field has 16 bits: what is
// longer is cut at a character border, so that the stream stays in step.
func (w *writer) text(s string) {
	s = cut(s)
	w.u16(uint16(len(s)))
	if w.count {
		w.n += len(s)
		return
	}
	w.dst = append(w.dst, s...)
}

func cut(s string) string {
	if len(s) <= math.MaxUint16 {
		return s
	}
	n := math.MaxUint16
	for n > math.MaxUint16-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// binary writes a binary data field of at most 65535 bytes.
func (w *writer) binary(b []byte) {
	b = b[:min(len(b), math.MaxUint16)]
	w.u16(uint16(len(b)))
	w.raw(b)
}

func (w *writer) raw(b []byte) {
	if w.count {
		w.n += len(b)
		return
	}
	w.dst = append(w.dst, b...)
}

// begin writes the fixed header and reports whether the packet can be written
// at all.
func (w *writer) begin(t Type, flags byte, remaining int) bool {
	if remaining > MaxRemaining {
		return false
	}
	w.dst = appendVarint(append(w.dst, byte(t)<<4|flags), uint32(remaining))
	return true
}

// wholeSize is the length of a packet with the given remaining length.
func wholeSize(remaining int) int { return 1 + varintSize(remaining) + remaining }

func varintSize(v int) int {
	switch {
	case v < 1<<7:
		return 1
	case v < 1<<14:
		return 2
	case v < 1<<21:
		return 3
	}
	return 4
}

func appendVarint(dst []byte, v uint32) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}
