package sandbox

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// maxCaptures is how many captures a pattern may have.
const maxCaptures = 32

// maxRecursion bounds the depth of the matcher.
const maxRecursion = 200

// matcher matches a Lua pattern. Its steps count as instructions of the call.
//
// Source: Lua 5.1 Reference Manual §5.4.1; %f and %g are those of 5.2.
type matcher struct {
	L     *lua.LState
	s     *State
	src   string
	pat   string
	depth int
	n     int // captures begun
	caps  [maxCaptures]capture
}

// capture is one capture: src[start:start+length].
type capture struct{ start, length int }

// Lengths that are none.
const (
	capOpen     = -1 // begun, not ended
	capPosition = -2 // ()
)

const specials = "^$*+?.([%-"

// match matches pat[p:] at src[i:] and returns the end of the match, -1 if
// there is none.
func (m *matcher) match(i, p int) int {
	if m.depth++; m.depth > maxRecursion {
		errorf(m.L, "pattern too complex")
	}
	defer func() { m.depth-- }()
	for {
		m.s.Spend(m.L, 1)
		if p == len(m.pat) {
			return i
		}
		switch m.pat[p] {
		case '(':
			if p+1 < len(m.pat) && m.pat[p+1] == ')' {
				return m.begin(i, p+2, capPosition)
			}
			return m.begin(i, p+1, capOpen)
		case ')':
			return m.end(i, p+1)
		case '$':
			if p+1 == len(m.pat) {
				if i == len(m.src) {
					return i
				}
				return -1
			}
		case '%':
			next, end, special := m.escaped(i, p)
			if special && end < 0 {
				return -1
			}
			if special {
				i, p = end, next
				continue
			}
		}
		next, end, done := m.quantified(i, p)
		if done {
			return end
		}
		i, p = end, next
	}
}

// escaped matches %b, %f and back references; special = it is one of them.
func (m *matcher) escaped(i, p int) (next, end int, special bool) {
	if p+1 == len(m.pat) {
		return 0, 0, false
	}
	switch c := m.pat[p+1]; {
	case c == 'b':
		return p + 4, m.balanced(i, p+2), true
	case c == 'f':
		if next = m.frontier(i, p+2); next < 0 {
			return 0, -1, true
		}
		return next, i, true
	case digit(c):
		return p + 2, m.back(i, c), true
	}
	return 0, 0, false
}

// quantified matches the class at p with its quantifier. Unless it is done, the
// pattern goes on at next and the text at end.
func (m *matcher) quantified(i, p int) (next, end int, done bool) {
	e := m.classEnd(p)
	quantifier := byte(0)
	if e < len(m.pat) {
		quantifier = m.pat[e]
	}
	here := i < len(m.src) && m.single(m.src[i], p, e)
	switch quantifier {
	case '?':
		if here {
			if r := m.match(i+1, e+1); r >= 0 {
				return 0, r, true
			}
		}
		return e + 1, i, false
	case '+':
		if !here {
			return 0, -1, true
		}
		return 0, m.greedy(i+1, p, e), true
	case '*':
		return 0, m.greedy(i, p, e), true
	case '-':
		return 0, m.lazy(i, p, e), true
	}
	if !here {
		return 0, -1, true
	}
	return e, i + 1, false
}

// greedy takes as many of the class pat[p:e] as there are, then fewer.
func (m *matcher) greedy(i, p, e int) int {
	n := 0
	for i+n < len(m.src) && m.single(m.src[i+n], p, e) {
		if n++; n&15 == 0 {
			m.s.Spend(m.L, 16)
		}
	}
	for ; n >= 0; n-- {
		if r := m.match(i+n, e+1); r >= 0 {
			return r
		}
	}
	return -1
}

// lazy takes as few as possible.
func (m *matcher) lazy(i, p, e int) int {
	for {
		if r := m.match(i, e+1); r >= 0 {
			return r
		}
		if i >= len(m.src) || !m.single(m.src[i], p, e) {
			return -1
		}
		i++
	}
}

func (m *matcher) begin(i, p, kind int) int {
	if m.n == maxCaptures {
		errorf(m.L, "too many captures")
	}
	m.caps[m.n] = capture{i, kind}
	m.n++
	r := m.match(i, p)
	if r < 0 {
		m.n--
	}
	return r
}

func (m *matcher) end(i, p int) int {
	k := m.n - 1
	for ; k >= 0 && m.caps[k].length != capOpen; k-- {
	}
	if k < 0 {
		errorf(m.L, "invalid pattern capture")
	}
	m.caps[k].length = i - m.caps[k].start
	r := m.match(i, p)
	if r < 0 {
		m.caps[k].length = capOpen
	}
	return r
}

// balanced matches %bxy, p at x.
func (m *matcher) balanced(i, p int) int {
	if p+1 >= len(m.pat) {
		errorf(m.L, "unbalanced pattern: %%b needs two characters")
	}
	if i >= len(m.src) || m.src[i] != m.pat[p] {
		return -1
	}
	open, shut, deep := m.pat[p], m.pat[p+1], 1
	for k := i + 1; k < len(m.src); k++ {
		if k&15 == 0 {
			m.s.Spend(m.L, 16)
		}
		switch m.src[k] {
		case shut:
			if deep--; deep == 0 {
				return k + 1
			}
		case open:
			deep++
		}
	}
	return -1
}

// frontier matches %f[set], p at [; it returns where the pattern goes on.
func (m *matcher) frontier(i, p int) int {
	if p >= len(m.pat) || m.pat[p] != '[' {
		errorf(m.L, "missing '[' after %%f in pattern")
	}
	e := m.classEnd(p)
	var before, after byte
	if i > 0 {
		before = m.src[i-1]
	}
	if i < len(m.src) {
		after = m.src[i]
	}
	if m.set(before, p, e-1) || !m.set(after, p, e-1) {
		return -1
	}
	return e
}

// back matches %1 to %9.
func (m *matcher) back(i int, c byte) int {
	k := int(c) - '1'
	if k < 0 || k >= m.n || m.caps[k].length == capOpen {
		errorf(m.L, "invalid capture index")
	}
	want := m.capture(k)
	m.s.Spend(m.L, len(want)/16)
	if !strings.HasPrefix(m.src[i:], want) {
		return -1
	}
	return i + len(want)
}

// capture returns the text of a capture that is not a position.
func (m *matcher) capture(k int) string {
	c := m.caps[k]
	if c.length < 0 {
		return ""
	}
	return m.src[c.start : c.start+c.length]
}

// classEnd returns where the class that begins at p ends.
func (m *matcher) classEnd(p int) int {
	c := m.pat[p]
	p++
	switch c {
	case '%':
		if p >= len(m.pat) {
			errorf(m.L, "malformed pattern (ends with '%%')")
		}
		return p + 1
	case '[':
		if p < len(m.pat) && m.pat[p] == '^' {
			p++
		}
		for first := true; ; first = false {
			if p >= len(m.pat) {
				errorf(m.L, "malformed pattern (missing ']')")
			}
			c := m.pat[p]
			p++
			if c == '%' {
				p++
			} else if c == ']' && !first {
				return p
			}
		}
	}
	return p
}

// single reports whether c is of the class pat[p:e].
func (m *matcher) single(c byte, p, e int) bool {
	switch m.pat[p] {
	case '.':
		return true
	case '%':
		return class(c, m.pat[p+1])
	case '[':
		m.s.Spend(m.L, (e-p)/16)
		return m.set(c, p, e-1)
	}
	return m.pat[p] == c
}

// set reports whether c is in the set pat[p] = '[' to pat[e] = ']'.
func (m *matcher) set(c byte, p, e int) bool {
	p++
	want := true
	if m.pat[p] == '^' {
		want = false
		p++
	}
	for ; p < e; p++ {
		switch {
		case m.pat[p] == '%':
			p++
			if p < e && class(c, m.pat[p]) {
				return want
			}
		case p+2 < e && m.pat[p+1] == '-':
			if m.pat[p] <= c && c <= m.pat[p+2] {
				return want
			}
			p += 2
		case m.pat[p] == c:
			return want
		}
	}
	return !want
}

// class reports whether c is of the class %k; an upper case k is the
// complement.
func class(c, k byte) bool {
	var in bool
	switch k | 0x20 {
	case 'a':
		in = letter(c)
	case 'c':
		in = c < 32 || c == 127
	case 'd':
		in = digit(c)
	case 'g':
		in = c > 32 && c < 127
	case 'l':
		in = c >= 'a' && c <= 'z'
	case 'p':
		in = c > 32 && c < 127 && !letter(c) && !digit(c)
	case 's':
		in = c == ' ' || c >= 9 && c <= 13
	case 'u':
		in = c >= 'A' && c <= 'Z'
	case 'w':
		in = letter(c) || digit(c)
	case 'x':
		in = digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f'
	case 'z':
		in = c == 0
	default:
		return k == c
	}
	if !letter(k) {
		return k == c
	}
	return in == (k >= 'a')
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }
