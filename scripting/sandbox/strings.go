package sandbox

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// strings are the functions of the string library.
func (s *State) strings() functions {
	f := functions{
		"byte": s.strByte, "char": s.strChar, "find": s.find, "match": s.match, "gmatch": s.gmatch, "gsub": s.gsub,
		"format": s.format, "len": strLen, "lower": s.mapped(lower), "upper": s.mapped(upper),
		"rep": s.rep, "reverse": s.reverse, "sub": s.sub, "pack": s.pack, "unpack": s.unpackBytes, "packsize": packSize,
	}
	f["dump"] = func(L *lua.LState) int {
		errorf(L, "string.dump is not available: there is no bytecode here")
		return 0
	}
	return f
}

// pushString pushes a string that has been made; what it cost is charged.
func (s *State) pushString(L *lua.LState, v string) {
	s.Charge(L, len(v)+costString)
	L.Push(lua.LString(v))
}

// lower and upper change ASCII letters only, as in the C locale.
func lower(v string) string { return asciiMap(v, 'A', 'Z', 'a'-'A') }
func upper(v string) string { return asciiMap(v, 'a', 'z', -('a' - 'A')) }

func asciiMap(v string, from, to byte, by int) string {
	b := []byte(v)
	for i, c := range b {
		if c >= from && c <= to {
			b[i] = byte(int(c) + by)
		}
	}
	return string(b)
}

func (s *State) mapped(f func(string) string) lua.LGFunction {
	return func(L *lua.LState) int {
		v := L.CheckString(1)
		s.Charge(L, 2*len(v)+costString)
		s.Spend(L, len(v)/16)
		L.Push(lua.LString(f(v)))
		return 1
	}
}

func strLen(L *lua.LState) int {
	L.Push(lua.LNumber(len(L.CheckString(1))))
	return 1
}

// span makes offsets of the 1-based, perhaps negative, inclusive i and j:
// v[from:to], empty if from >= to.
func span(v string, i, j int) (from, to int) {
	if i < 0 {
		i = max(len(v)+i+1, 1)
	} else if i == 0 {
		i = 1
	}
	if j < 0 {
		j = len(v) + j + 1
	}
	return i - 1, min(j, len(v))
}

func (s *State) sub(L *lua.LState) int {
	v := L.CheckString(1)
	from, to := span(v, L.CheckInt(2), L.OptInt(3, -1))
	if from >= to {
		L.Push(lua.LString(""))
		return 1
	}
	s.Charge(L, costString) // it shares the bytes
	L.Push(lua.LString(v[from:to]))
	return 1
}

// maxResults is how many values a function may return.
const maxResults = 8000

func (s *State) strByte(L *lua.LState) int {
	v := L.CheckString(1)
	i := L.OptInt(2, 1)
	from, to := span(v, i, L.OptInt(3, i))
	if from >= to {
		return 0
	}
	if to-from > maxResults {
		errorf(L, "string.byte: more than %d results", maxResults)
	}
	for _, c := range []byte(v[from:to]) {
		L.Push(lua.LNumber(c))
	}
	return to - from
}

func (s *State) strChar(L *lua.LState) int {
	b := make([]byte, L.GetTop())
	for i := range b {
		c := L.CheckInt(i + 1)
		if c < 0 || c > 255 {
			L.ArgError(i+1, "value out of range")
		}
		b[i] = byte(c)
	}
	s.pushString(L, string(b))
	return 1
}

func (s *State) reverse(L *lua.LState) int {
	v := L.CheckString(1)
	s.Charge(L, len(v)+costString)
	s.Spend(L, len(v)/16)
	b := make([]byte, len(v))
	for i := range b {
		b[i] = v[len(v)-1-i]
	}
	L.Push(lua.LString(b))
	return 1
}

// rep takes a separator, as of Lua 5.2.
func (s *State) rep(L *lua.LState) int {
	v, n, sep := L.CheckString(1), L.CheckInt(2), L.OptString(3, "")
	if n <= 0 {
		L.Push(lua.LString(""))
		return 1
	}
	unit := len(v) + len(sep)
	if unit > 0 && n > (1<<40)/unit {
		n = (1 << 40) / unit // far beyond any limit, without overflow
	}
	s.Charge(L, unit*n+costString)
	if unit*n > maxString {
		errorf(L, "string.rep: the result is longer than %d bytes", maxString)
	}
	s.Spend(L, unit*n/64)
	if sep == "" {
		L.Push(lua.LString(strings.Repeat(v, n)))
	} else {
		L.Push(lua.LString(strings.Repeat(v+sep, n-1) + v))
	}
	return 1
}

// maxString is the longest string that a library makes even without a limit of
// memory, in bytes.
const maxString = 256 << 20
