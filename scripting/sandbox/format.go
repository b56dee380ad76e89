package sandbox

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// format is string.format; widths and precisions are at most two digits.
func (s *State) format(L *lua.LState) int {
	text := L.CheckString(1)
	var b strings.Builder
	write := func(v string) {
		s.Charge(L, 2*len(v)) // the builder grows
		b.WriteString(v)
	}
	arg := 1
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			j := strings.IndexByte(text[i:], '%')
			if j < 0 {
				j = len(text) - i
			}
			write(text[i : i+j])
			i += j - 1
			continue
		}
		if i+1 < len(text) && text[i+1] == '%' {
			write("%")
			i++
			continue
		}
		spec, verb, end := directive(L, text, i)
		arg++
		write(formatOne(L, spec, verb, arg))
		i = end
	}
	s.Charge(L, costString)
	L.Push(lua.LString(b.String()))
	return 1
}

// directive reads %[flags][width][.precision]verb at i; end is the verb's
// place.
func directive(L *lua.LState, text string, i int) (spec string, verb byte, end int) {
	k := i + 1
	for k < len(text) && strings.IndexByte("-+ #0", text[k]) >= 0 {
		k++
	}
	if k-i > 6 {
		errorf(L, "invalid format (repeated flags)")
	}
	digits := func() {
		from := k
		for k < len(text) && digit(text[k]) {
			k++
		}
		if k-from > 2 {
			errorf(L, "invalid format (width or precision longer than two digits)")
		}
	}
	digits()
	if k < len(text) && text[k] == '.' {
		k++
		digits()
	}
	if k >= len(text) {
		errorf(L, "invalid format (ends with %q)", text[i:])
	}
	return text[i:k], text[k], k
}

// formatOne formats argument arg.
func formatOne(L *lua.LState, spec string, verb byte, arg int) string {
	if arg > L.GetTop() {
		L.ArgError(arg, "no value")
	}
	switch verb {
	case 'd', 'i', 'x', 'X', 'o', 'u', 'c':
		n := float64(L.CheckNumber(arg))
		if verb == 'c' {
			return fmt.Sprintf(strings.ReplaceAll(spec, "0", "")+"s", string([]byte{byte(int64(n))}))
		}
		if math.IsNaN(n) || math.IsInf(n, 0) || n != math.Trunc(n) {
			L.ArgError(arg, "number has no integer representation")
		}
		if verb == 'i' || verb == 'u' {
			verb = 'd'
		}
		if n < 0 && verb != 'd' {
			return fmt.Sprintf(spec+string(verb), uint64(int64(n)))
		}
		return fmt.Sprintf(spec+string(verb), int64(n))
	case 'e', 'E', 'f', 'F', 'g', 'G':
		n := float64(L.CheckNumber(arg))
		if math.IsInf(n, 0) || math.IsNaN(n) {
			return fmt.Sprintf(strings.SplitN(strings.ReplaceAll(spec, "0", ""), ".", 2)[0]+"s", lua.LNumber(n).String())
		}
		if (verb == 'g' || verb == 'G') && !strings.Contains(spec, ".") {
			spec += ".6"
		}
		return fmt.Sprintf(spec+string(verb), n)
	case 'a', 'A':
		return strconv.FormatFloat(float64(L.CheckNumber(arg)), 'x', -1, 64)
	case 's':
		v := stringOf(L, L.Get(arg))
		if spec == "%" {
			return v
		}
		return pad(spec, v)
	case 'q':
		v := L.CheckString(arg)
		From(L).Charge(L, 3*len(v)) // what escapes may add
		return quote(v)
	}
	errorf(L, "invalid conversion '%s%c' to 'format'", spec, verb)
	return ""
}

// pad applies width and precision of %s to bytes, not characters.
func pad(spec, v string) string {
	left := strings.Contains(spec, "-")
	width, precision, _ := strings.Cut(strings.TrimLeft(spec, "%-+ #0"), ".")
	if strings.Contains(spec, ".") {
		p, _ := strconv.Atoi(precision)
		v = v[:min(p, len(v))]
	}
	w, _ := strconv.Atoi(width)
	fill := strings.Repeat(" ", max(0, w-len(v)))
	if left {
		return v + fill
	}
	return fill + v
}

// quote is %q: a literal that Lua reads back.
func quote(v string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString("\\\n")
		case c == '\r':
			b.WriteString(`\r`)
		case c == 0:
			if i+1 < len(v) && digit(v[i+1]) {
				b.WriteString(`\000`)
			} else {
				b.WriteString(`\0`)
			}
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
