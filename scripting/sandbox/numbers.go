package sandbox

import (
	"math"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
)

// mathExtras are functions of Lua 5.3 that scripts may expect.
var mathExtras = functions{
	"tointeger": func(L *lua.LState) int {
		n, ok := L.CheckAny(1).(lua.LNumber)
		if !ok || float64(n) != math.Trunc(float64(n)) || math.Abs(float64(n)) > 1<<53 {
			L.Push(lua.LNil)
			return 1
		}
		L.Push(n)
		return 1
	},
	"type": func(L *lua.LState) int {
		n, ok := L.CheckAny(1).(lua.LNumber)
		switch {
		case !ok:
			L.Push(lua.LNil)
		case float64(n) == math.Trunc(float64(n)):
			L.Push(lua.LString("integer"))
		default:
			L.Push(lua.LString("float"))
		}
		return 1
	},
	"ult": func(L *lua.LState) int {
		L.Push(lua.LBool(uint64(L.CheckInt64(1)) < uint64(L.CheckInt64(2))))
		return 1
	},
}

// bits is a number as 32 bits, modulo 2^32.
func bits(L *lua.LState, arg int) uint32 {
	return uint32(int64(math.Mod(math.Floor(float64(L.CheckNumber(arg))), 1<<32)))
}

func pushBits(L *lua.LState, v uint32) int {
	L.Push(lua.LNumber(v))
	return 1
}

func fold(start uint32, f func(a, b uint32) uint32) lua.LGFunction {
	return func(L *lua.LState) int {
		v := start
		for i := 1; i <= L.GetTop(); i++ {
			v = f(v, bits(L, i))
		}
		return pushBits(L, v)
	}
}

func and(a, b uint32) uint32 { return a & b }

func shift(v uint32, left int) uint32 {
	if left >= 0 {
		return v << min(left, 32)
	}
	return v >> min(-left, 32)
}

func rotate(v uint32, left int) uint32 {
	left &= 31
	return v<<left | v>>(32-left)
}

// field reads the arguments field and width from arg on.
func field(L *lua.LState, arg int) (from int, mask uint32) {
	from = L.CheckInt(arg)
	width := L.OptInt(arg+1, 1)
	if from < 0 || width < 1 || from+width > 32 {
		L.ArgError(arg, "trying to access non-existent bits")
	}
	return from, uint32(1<<width - 1)
}

// bit32 is the library of Lua 5.2.
var bit32 = functions{
	"band": fold(^uint32(0), and),
	"bor":  fold(0, func(a, b uint32) uint32 { return a | b }),
	"bxor": fold(0, func(a, b uint32) uint32 { return a ^ b }),
	"bnot": func(L *lua.LState) int { return pushBits(L, ^bits(L, 1)) },
	"btest": func(L *lua.LState) int {
		fold(^uint32(0), and)(L)
		v := L.Get(-1)
		L.Push(lua.LBool(v != lua.LNumber(0)))
		return 1
	},
	"lshift":  func(L *lua.LState) int { return pushBits(L, shift(bits(L, 1), L.CheckInt(2))) },
	"rshift":  func(L *lua.LState) int { return pushBits(L, shift(bits(L, 1), -L.CheckInt(2))) },
	"lrotate": func(L *lua.LState) int { return pushBits(L, rotate(bits(L, 1), L.CheckInt(2))) },
	"rrotate": func(L *lua.LState) int { return pushBits(L, rotate(bits(L, 1), -L.CheckInt(2))) },
	"arshift": func(L *lua.LState) int {
		v, n := int32(bits(L, 1)), L.CheckInt(2)
		if n < 0 {
			return pushBits(L, shift(uint32(v), -n))
		}
		return pushBits(L, uint32(v>>min(n, 31)))
	},
	"extract": func(L *lua.LState) int {
		from, mask := field(L, 2)
		return pushBits(L, bits(L, 1)>>from&mask)
	},
	"replace": func(L *lua.LState) int {
		from, mask := field(L, 3)
		return pushBits(L, bits(L, 1)&^(mask<<from)|(bits(L, 2)&mask)<<from)
	},
}

// utf8 is the library of Lua 5.3.
func (s *State) utf8() *lua.LTable {
	t := s.library(functions{
		"char": s.utf8Char, "len": s.utf8Len, "codepoint": s.codepoint, "offset": s.utf8Offset, "codes": s.codes,
	})
	t.RawSetString("charpattern", lua.LString("[%z\x01-\x7F\xC2-\xF4][\x80-\xBF]*"))
	return t
}

func (s *State) utf8Char(L *lua.LState) int {
	var b []byte
	for i := 1; i <= L.GetTop(); i++ {
		c := L.CheckInt(i)
		if c < 0 || c > utf8.MaxRune {
			L.ArgError(i, "value out of range")
		}
		b = utf8.AppendRune(b, rune(c))
	}
	s.pushString(L, string(b))
	return 1
}

func (s *State) utf8Len(L *lua.LState) int {
	v := L.CheckString(1)
	from, to := span(v, L.OptInt(2, 1), L.OptInt(3, -1))
	s.Spend(L, max(0, to-from)/8)
	n := 0
	for from < to {
		r, size := utf8.DecodeRuneInString(v[from:])
		if r == utf8.RuneError && size <= 1 {
			L.Push(lua.LNil)
			L.Push(lua.LNumber(from + 1))
			return 2
		}
		from += size
		n++
	}
	L.Push(lua.LNumber(n))
	return 1
}

func (s *State) codepoint(L *lua.LState) int {
	v := L.CheckString(1)
	i := L.OptInt(2, 1)
	from, to := span(v, i, L.OptInt(3, i))
	n := 0
	for ; from < to; n++ {
		if n == maxResults {
			errorf(L, "utf8.codepoint: more than %d results", maxResults)
		}
		r, size := utf8.DecodeRuneInString(v[from:])
		if r == utf8.RuneError && size <= 1 {
			errorf(L, "invalid UTF-8 code")
		}
		L.Push(lua.LNumber(r))
		from += size
	}
	return n
}

func (s *State) utf8Offset(L *lua.LState) int {
	v, n := L.CheckString(1), L.CheckInt(2)
	i := L.OptInt(3, 1)
	if L.GetTop() < 3 && n <= 0 {
		i = len(v) + 1
	}
	if i < 0 {
		i = len(v) + i + 1
	}
	i--
	if i < 0 || i > len(v) {
		L.ArgError(3, "position out of bounds")
	}
	s.Spend(L, len(v)/8)
	cont := func(k int) bool { return k < len(v) && v[k]&0xC0 == 0x80 }
	if n == 0 {
		for i > 0 && cont(i) {
			i--
		}
		L.Push(lua.LNumber(i + 1))
		return 1
	}
	if cont(i) {
		errorf(L, "initial position is a continuation byte")
	}
	for ; n < 0 && i > 0; n++ {
		for i--; i > 0 && cont(i); i-- {
		}
	}
	for ; n > 1 && i < len(v); n-- {
		for i++; cont(i); i++ {
		}
	}
	if n != 0 && n != 1 {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(i + 1))
	return 1
}

func (s *State) codes(L *lua.LState) int {
	v := L.CheckString(1)
	s.Charge(L, costClosure)
	L.Push(L.NewFunction(func(L *lua.LState) int {
		i := L.CheckInt(2)
		if i > 0 {
			_, size := utf8.DecodeRuneInString(v[min(i-1, len(v)):])
			i += size - 1
		}
		if i >= len(v) {
			return 0
		}
		r, size := utf8.DecodeRuneInString(v[i:])
		if r == utf8.RuneError && size <= 1 {
			errorf(L, "invalid UTF-8 code")
		}
		L.Push(lua.LNumber(i + 1))
		L.Push(lua.LNumber(r))
		return 2
	}))
	L.Push(lua.LString(v))
	L.Push(lua.LNumber(0))
	return 3
}
