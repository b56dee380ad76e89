package sandbox

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// matcher begins a search: it returns the matcher and where the pattern begins
// behind an anchor.
func (s *State) matcher(L *lua.LState, src, pat string) (m *matcher, p int, anchored bool) {
	m = &matcher{L: L, s: s, src: src, pat: pat}
	if strings.HasPrefix(pat, "^") {
		return m, 1, true
	}
	return m, 0, false
}

// search finds the first match at or after i.
func (m *matcher) search(i, p int, anchored bool) (from, to int) {
	for ; i <= len(m.src); i++ {
		m.n, m.depth = 0, 0
		if e := m.match(i, p); e >= 0 {
			return i, e
		}
		if anchored {
			break
		}
	}
	return -1, -1
}

// push pushes the captures, or the whole match if there are none.
func (m *matcher) push(L *lua.LState, from, to int) int {
	if m.n == 0 {
		m.s.Charge(L, costString)
		L.Push(lua.LString(m.src[from:to]))
		return 1
	}
	for k := range m.n {
		L.Push(m.value(L, k))
	}
	return m.n
}

// value is the value of a capture.
func (m *matcher) value(L *lua.LState, k int) lua.LValue {
	switch c := m.caps[k]; c.length {
	case capOpen:
		errorf(L, "unfinished capture")
	case capPosition:
		return lua.LNumber(c.start + 1)
	}
	m.s.Charge(L, costString)
	return lua.LString(m.capture(k))
}

// startAt returns the offset of the optional argument init; false if it lies
// beyond the end.
func startAt(L *lua.LState, src string, arg int) (int, bool) {
	i := L.OptInt(arg, 1)
	if i < 0 {
		i = max(len(src)+i+1, 1)
	} else if i == 0 {
		i = 1
	}
	return i - 1, i-1 <= len(src)
}

func (s *State) find(L *lua.LState) int {
	src, pat := L.CheckString(1), L.CheckString(2)
	i, ok := startAt(L, src, 3)
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	if lua.LVAsBool(L.Get(4)) || !strings.ContainsAny(pat, specials) {
		s.Spend(L, (len(src)-i)/16)
		at := strings.Index(src[i:], pat)
		if at < 0 {
			L.Push(lua.LNil)
			return 1
		}
		L.Push(lua.LNumber(i + at + 1))
		L.Push(lua.LNumber(i + at + len(pat)))
		return 2
	}
	m, p, anchored := s.matcher(L, src, pat)
	from, to := m.search(i, p, anchored)
	if from < 0 {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(from + 1))
	L.Push(lua.LNumber(to))
	if m.n == 0 {
		return 2
	}
	return 2 + m.push(L, from, to)
}

func (s *State) match(L *lua.LState) int {
	src, pat := L.CheckString(1), L.CheckString(2)
	i, ok := startAt(L, src, 3)
	if !ok {
		L.Push(lua.LNil)
		return 1
	}
	m, p, anchored := s.matcher(L, src, pat)
	from, to := m.search(i, p, anchored)
	if from < 0 {
		L.Push(lua.LNil)
		return 1
	}
	return m.push(L, from, to)
}

// gmatch returns an iterator; an anchor has no meaning there (Lua 5.1).
func (s *State) gmatch(L *lua.LState) int {
	src, pat := L.CheckString(1), L.CheckString(2)
	s.Charge(L, costClosure+costTable)
	at := 0
	L.Push(L.NewFunction(func(L *lua.LState) int {
		m := &matcher{L: L, s: s, src: src, pat: pat}
		from, to := m.search(at, 0, false)
		if from < 0 {
			at = len(src) + 1
			L.Push(lua.LNil)
			return 1
		}
		if at = to; to == from {
			at++
		}
		return m.push(L, from, to)
	}))
	return 1
}

// gsub replaces matches by a string, the entries of a table or the results of
// a function.
func (s *State) gsub(L *lua.LState) int {
	src, pat, with := L.CheckString(1), L.CheckString(2), L.Get(3)
	switch with.Type() {
	case lua.LTString, lua.LTNumber, lua.LTFunction:
	case lua.LTTable:
		s.Complete(L, with.(*lua.LTable))
	default:
		L.ArgError(3, "string, function or table expected")
	}
	most := L.OptInt(4, len(src)+1)
	m, p, anchored := s.matcher(L, src, pat)
	var out strings.Builder
	n, i := 0, 0
	for n < most {
		m.n, m.depth = 0, 0
		e := m.match(i, p)
		if e >= 0 {
			n++
			s.replace(L, m, &out, with, i, e)
		}
		if e > i {
			i = e
		} else if i < len(src) {
			s.Charge(L, 1)
			out.WriteByte(src[i])
			i++
		} else {
			break
		}
		if anchored {
			break
		}
	}
	if i < len(src) {
		s.Charge(L, len(src)-i)
		out.WriteString(src[i:])
	}
	s.Charge(L, costString)
	L.Push(lua.LString(out.String()))
	L.Push(lua.LNumber(n))
	return 2
}

// replace appends what stands for the match src[i:e].
func (s *State) replace(L *lua.LState, m *matcher, out *strings.Builder, with lua.LValue, i, e int) {
	var v lua.LValue
	switch w := with.(type) {
	case *lua.LTable:
		v = L.GetTable(w, m.first(L, i, e))
	case *lua.LFunction:
		L.Push(w)
		n := m.push(L, i, e)
		L.Call(n, 1)
		v = L.Get(-1)
		L.Pop(1)
	default:
		v = lua.LString(s.expand(L, m, with.String(), i, e))
	}
	switch {
	case v == lua.LNil || v == lua.LFalse:
		s.Charge(L, e-i)
		out.WriteString(m.src[i:e])
	case lua.LVCanConvToString(v):
		text := v.String()
		s.Charge(L, 2*len(text)) // the builder grows
		out.WriteString(text)
	default:
		errorf(L, "invalid replacement value (a %s)", v.Type().String())
	}
}

// first is the first capture, or the whole match.
func (m *matcher) first(L *lua.LState, i, e int) lua.LValue {
	if m.n == 0 {
		return lua.LString(m.src[i:e])
	}
	return m.value(L, 0)
}

// expand replaces %0 to %9 and %% in a replacement string.
func (s *State) expand(L *lua.LState, m *matcher, with string, i, e int) string {
	if !strings.Contains(with, "%") {
		return with
	}
	var b strings.Builder
	for k := 0; k < len(with); k++ {
		c := with[k]
		if c != '%' {
			b.WriteByte(c)
			continue
		}
		if k++; k == len(with) {
			errorf(L, "invalid use of '%%' in replacement string")
		}
		part := ""
		switch c = with[k]; {
		case c == '%':
			part = "%"
		case c == '0' || c == '1' && m.n == 0:
			part = m.src[i:e]
		case digit(c):
			if int(c-'1') >= m.n {
				errorf(L, "invalid capture index %%%c in replacement string", c)
			}
			part = m.value(L, int(c-'1')).String()
		default:
			errorf(L, "invalid use of '%%' in replacement string")
		}
		s.Charge(L, len(part))
		b.WriteString(part)
	}
	return b.String()
}
