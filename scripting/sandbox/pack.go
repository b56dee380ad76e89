package sandbox

import (
	"encoding/binary"
	"math"

	lua "github.com/yuin/gopher-lua"
)

// packer reads a format of string.pack: Lua 5.3 Reference Manual §6.4.2.
// Numbers are float64, so integers are exact up to 2^53.
type packer struct {
	L      *lua.LState
	format string
	at     int
	order  binary.ByteOrder
	align  int
}

// option is one item of a format.
type option struct {
	kind byte // i, u, f, d, s (with length), z, x (padding), c (fixed); 0 = end
	size int
	pad  int // zero bytes before it
}

// plain are the options without a size of their own in the format.
var plain = map[byte]option{
	'b': {kind: 'i', size: 1}, 'B': {kind: 'u', size: 1}, 'h': {kind: 'i', size: 2}, 'H': {kind: 'u', size: 2},
	'l': {kind: 'i', size: 8}, 'j': {kind: 'i', size: 8}, 'L': {kind: 'u', size: 8}, 'J': {kind: 'u', size: 8}, 'T': {kind: 'u', size: 8},
	'f': {kind: 'f', size: 4}, 'd': {kind: 'd', size: 8}, 'n': {kind: 'd', size: 8},
}

// next returns the next option that stands for bytes; offset is where it will
// lie.
func (p *packer) next(offset int) option {
	for p.at < len(p.format) {
		c := p.format[p.at]
		p.at++
		o := option{}
		switch c {
		case ' ':
			continue
		case '<', '=':
			p.order = binary.LittleEndian
			continue
		case '>':
			p.order = binary.BigEndian
			continue
		case '!':
			p.align = p.number(8)
			continue
		case 'i':
			o = option{kind: 'i', size: p.width(4)}
		case 'I':
			o = option{kind: 'u', size: p.width(4)}
		case 's':
			o = option{kind: 's', size: p.width(8)}
		case 'z':
			return option{kind: 'z'}
		case 'x':
			return option{kind: 'x', size: 1}
		case 'c':
			n := p.number(-1)
			if n < 0 {
				errorf(p.L, "missing size for format option 'c'")
			}
			return option{kind: 'c', size: n}
		default:
			var ok bool
			if o, ok = plain[c]; !ok {
				errorf(p.L, "invalid format option '%c'", c)
			}
		}
		if a := min(o.size, p.align); a > 1 && offset%a != 0 {
			if a&(a-1) != 0 {
				errorf(p.L, "format asks for alignment not power of 2")
			}
			o.pad = a - offset%a
		}
		return o
	}
	return option{}
}

// number reads digits of the format.
func (p *packer) number(def int) int {
	if p.at >= len(p.format) || !digit(p.format[p.at]) {
		return def
	}
	n := 0
	for p.at < len(p.format) && digit(p.format[p.at]) {
		if n = n*10 + int(p.format[p.at]-'0'); n > maxString {
			errorf(p.L, "format size too large")
		}
		p.at++
	}
	return n
}

func (p *packer) width(def int) int {
	n := p.number(def)
	if n < 1 || n > 16 {
		errorf(p.L, "integral size (%d) out of limits [1,16]", n)
	}
	return n
}

// put appends an integer of size bytes.
func (p *packer) put(b []byte, v int64, size int) []byte {
	at := len(b)
	for range size {
		b = append(b, byte(v))
		v >>= 8
	}
	if p.order == binary.BigEndian {
		turn(b[at:])
	}
	return b
}

func turn(b []byte) {
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
}

// get reads an integer of len(raw) bytes.
func (p *packer) get(raw []byte, signed bool) float64 {
	b := append([]byte(nil), raw...)
	if p.order == binary.BigEndian {
		turn(b)
	}
	var v uint64
	for i := min(len(b), 8) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	if signed {
		if n := len(b); n < 8 {
			return float64(int64(v<<(64-8*n)) >> (64 - 8*n))
		}
		return float64(int64(v))
	}
	return float64(v)
}

func newPacker(L *lua.LState) *packer {
	return &packer{L: L, format: L.CheckString(1), order: binary.LittleEndian, align: 1}
}

func (s *State) pack(L *lua.LState) int {
	p := newPacker(L)
	var b []byte
	for arg := 2; ; {
		o := p.next(len(b))
		if o.kind == 0 {
			break
		}
		s.Spend(L, 1)
		s.Charge(L, o.pad+2*o.size)
		b = append(b, make([]byte, o.pad)...)
		switch o.kind {
		case 'x':
			b = append(b, 0)
			continue
		case 'i', 'u':
			n := float64(L.CheckNumber(arg))
			if n != math.Trunc(n) {
				L.ArgError(arg, "number has no integer representation")
			}
			v := int64(n)
			if n >= 1<<63 {
				v = int64(uint64(n))
			}
			if o.size < 8 && (o.kind == 'i' && (n < -math.Ldexp(1, 8*o.size-1) || n >= math.Ldexp(1, 8*o.size-1)) || o.kind == 'u' && n >= math.Ldexp(1, 8*o.size)) {
				L.ArgError(arg, "integer overflow")
			}
			b = p.put(b, v, o.size)
		case 'f':
			b = p.put(b, int64(math.Float32bits(float32(L.CheckNumber(arg)))), 4)
		case 'd':
			b = p.put(b, int64(math.Float64bits(float64(L.CheckNumber(arg)))), 8)
		case 's', 'z', 'c':
			v := L.CheckString(arg)
			s.Charge(L, 2*len(v))
			b = p.putString(b, v, o, arg)
		}
		arg++
	}
	s.pushString(L, string(b))
	return 1
}

func (p *packer) putString(b []byte, v string, o option, arg int) []byte {
	switch o.kind {
	case 's':
		return append(p.put(b, int64(len(v)), o.size), v...)
	case 'z':
		return append(append(b, v...), 0)
	}
	if len(v) > o.size {
		p.L.ArgError(arg, "string longer than given size")
	}
	return append(append(b, v...), make([]byte, o.size-len(v))...)
}

func (s *State) unpackBytes(L *lua.LState) int {
	p := newPacker(L)
	v := L.CheckString(2)
	at, ok := startAt(L, v, 3)
	if !ok {
		L.ArgError(3, "initial position out of string")
	}
	n := 0
	for ; ; n++ {
		o := p.next(at)
		if o.kind == 0 {
			break
		}
		if n >= maxResults {
			errorf(L, "string.unpack: more than %d results", maxResults)
		}
		at += o.pad
		take := func(size int) string {
			if size < 0 || size > len(v)-at {
				L.ArgError(2, "data string too short")
			}
			at += size
			return v[at-size : at]
		}
		switch o.kind {
		case 'x':
			take(1)
			n--
		case 'i', 'u':
			L.Push(lua.LNumber(p.get([]byte(take(o.size)), o.kind == 'i')))
		case 'f', 'd':
			raw := []byte(take(o.size))
			if p.order == binary.BigEndian {
				turn(raw)
			}
			if o.kind == 'f' {
				L.Push(lua.LNumber(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
			} else {
				L.Push(lua.LNumber(math.Float64frombits(binary.LittleEndian.Uint64(raw))))
			}
		case 's':
			s.pushString(L, take(int(p.get([]byte(take(o.size)), false))))
		case 'c':
			s.pushString(L, take(o.size))
		case 'z':
			end := at
			for end < len(v) && v[end] != 0 {
				end++
			}
			if end == len(v) {
				L.ArgError(2, "unfinished string for format 'z'")
			}
			s.Spend(L, (end-at)/16)
			s.pushString(L, take(end-at))
			at++
		}
	}
	L.Push(lua.LNumber(at + 1))
	return n + 1
}

func packSize(L *lua.LState) int {
	p := newPacker(L)
	size := 0
	for {
		o := p.next(size)
		switch o.kind {
		case 0:
			L.Push(lua.LNumber(size))
			return 1
		case 's', 'z':
			L.ArgError(1, "variable-length format")
		}
		if size += o.pad + o.size; size > 1<<31 {
			L.ArgError(1, "format result too large")
		}
	}
}
