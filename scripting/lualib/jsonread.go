package lualib

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/scripting/sandbox"
)

// jsonReader reads one text. Methods return false once it is found wrong; they
// raise errors when the call's memory or instructions are used up.
type jsonReader struct {
	L    *lua.LState
	s    *sandbox.State
	text string
	at   int
}

// decodeJSON returns a table, or nil if the text is no JSON object or array.
func decodeJSON(L *lua.LState, s *sandbox.State, text string) lua.LValue {
	s.Spend(L, len(text)/32)
	if !utf8.ValidString(text) {
		return lua.LNil
	}
	r := jsonReader{L: L, s: s, text: text}
	r.blank()
	if c := r.peek(); c != '{' && c != '[' {
		return lua.LNil
	}
	v, ok := r.value(0)
	r.blank()
	if !ok || r.at != len(text) {
		return lua.LNil
	}
	return v
}

func (r *jsonReader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *jsonReader) blank() {
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.at]) >= 0 {
		r.at++
	}
}

func (r *jsonReader) word(w string, v lua.LValue) (lua.LValue, bool) {
	if !strings.HasPrefix(r.text[r.at:], w) {
		return nil, false
	}
	r.at += len(w)
	return v, true
}

func (r *jsonReader) value(depth int) (lua.LValue, bool) {
	r.s.Spend(r.L, 2)
	switch c := r.peek(); {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.array(depth)
	case c == '"':
		return r.string()
	case c == 't':
		return r.word("true", lua.LTrue)
	case c == 'f':
		return r.word("false", lua.LFalse)
	case c == 'n':
		return r.word("null", lua.LNil)
	}
	return r.number()
}

// members reads what stands between two brackets, one after the other.
func (r *jsonReader) members(end byte, depth int, member func(i int) bool) bool {
	if depth >= maxDepth {
		return false
	}
	r.at++
	if r.blank(); r.peek() == end {
		r.at++
		return true
	}
	for i := 1; ; i++ {
		r.blank()
		if !member(i) {
			return false
		}
		r.blank()
		c := r.peek()
		r.at++
		if c != ',' {
			return c == end
		}
	}
}

func (r *jsonReader) object(depth int) (lua.LValue, bool) {
	t := NewTable(r.L, r.s, 0, 0)
	ok := r.members('}', depth, func(int) bool {
		if r.peek() != '"' {
			return false
		}
		name, ok := r.string()
		if r.blank(); !ok || r.peek() != ':' {
			return false
		}
		r.at++
		r.blank()
		v, ok := r.value(depth + 1)
		if ok {
			r.s.Put(r.L, t, name, v)
		}
		return ok
	})
	return t, ok
}

func (r *jsonReader) array(depth int) (lua.LValue, bool) {
	t := NewTable(r.L, r.s, 0, 0)
	ok := r.members(']', depth, func(i int) bool {
		v, ok := r.value(depth + 1)
		if ok && v != lua.LNil {
			r.s.Put(r.L, t, lua.LNumber(i), v)
		}
		return ok
	})
	return t, ok
}

// number reads -?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?.
func (r *jsonReader) number() (lua.LValue, bool) {
	start := r.at
	digits := func() bool {
		from := r.at
		for c := r.peek(); c >= '0' && c <= '9'; c = r.peek() {
			r.at++
		}
		return r.at > from
	}
	if r.peek() == '-' {
		r.at++
	}
	if r.peek() == '0' {
		r.at++
	} else if !digits() {
		return nil, false
	}
	if r.peek() == '.' {
		if r.at++; !digits() {
			return nil, false
		}
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		r.at++
		if c := r.peek(); c == '+' || c == '-' {
			r.at++
		}
		if !digits() {
			return nil, false
		}
	}
	f, err := strconv.ParseFloat(r.text[start:r.at], 64)
	return lua.LNumber(f), err == nil
}

// string reads a string, as a Lua value of its own.
func (r *jsonReader) string() (lua.LValue, bool) {
	r.at++
	w := buffer{L: r.L, s: r.s}
	for {
		from := r.at
		for r.at < len(r.text) && r.text[r.at] != '"' && r.text[r.at] != '\\' && r.text[r.at] >= 0x20 {
			r.at++
		}
		run := r.text[from:r.at]
		switch r.peek() {
		case '"':
			r.at++
			if w.b == nil {
				r.s.Charge(r.L, len(run)+costString)
				return lua.LString(strings.Clone(run)), true
			}
			w.text(run)
			return w.value(), true
		case '\\':
			c, ok := r.escape()
			if !ok {
				return nil, false
			}
			w.room(len(run) + utf8.UTFMax)
			w.b = utf8.AppendRune(append(w.b, run...), c)
		default:
			return nil, false
		}
	}
}

func (r *jsonReader) escape() (rune, bool) {
	r.at++
	c := r.peek()
	r.at++
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 && c != 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), true
	}
	if c != 'u' {
		return 0, false
	}
	a, ok := r.hex4()
	if !ok || !utf16.IsSurrogate(a) {
		return a, ok
	}
	if !strings.HasPrefix(r.text[r.at:], `\u`) {
		return utf8.RuneError, true
	}
	back := r.at
	r.at += 2
	b, ok := r.hex4()
	both := utf16.DecodeRune(a, b)
	if both == utf8.RuneError {
		r.at = back
	}
	return both, ok
}

func (r *jsonReader) hex4() (rune, bool) {
	if r.at+4 > len(r.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(r.text[r.at:r.at+4], 16, 16)
	r.at += 4
	return rune(n), err == nil
}
