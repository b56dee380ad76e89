package sandbox

import (
	"fmt"
	"math"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// os are the functions of the os library that touch neither files nor
// processes; the others say why they are not there.
func (s *State) os() functions {
	f := functions{"clock": s.clock, "date": s.date, "difftime": difftime, "time": s.time}
	for _, name := range []string{"execute", "exit", "remove", "rename", "tmpname", "getenv", "setlocale"} {
		f[name] = func(L *lua.LState) int {
			errorf(L, "os.%s is not available: scripts have no access to files, processes and the environment", name)
			return 0
		}
	}
	return f
}

func (s *State) clock(L *lua.LState) int {
	L.Push(lua.LNumber(s.opts.Now().Sub(s.began).Seconds()))
	return 1
}

func difftime(L *lua.LState) int {
	L.Push(L.CheckNumber(1) - L.OptNumber(2, 0))
	return 1
}

func (s *State) time(L *lua.LState) int {
	if L.GetTop() == 0 || L.Get(1) == lua.LNil {
		L.Push(lua.LNumber(s.opts.Now().Unix()))
		return 1
	}
	t := L.CheckTable(1)
	field := func(name string, def int) int {
		switch v := t.RawGetString(name).(type) {
		case lua.LNumber:
			return int(v)
		case *lua.LNilType:
			if def < 0 {
				errorf(L, "field '%s' missing in date table", name)
			}
		default:
			errorf(L, "field '%s' is not a number", name)
		}
		return def
	}
	at := time.Date(field("year", -1), time.Month(field("month", -1)), field("day", -1), field("hour", 12), field("min", 0), field("sec", 0), 0, time.Local)
	L.Push(lua.LNumber(at.Unix()))
	return 1
}

// layouts are strftime's directives in Go's layout.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'c': "Mon Jan _2 15:04:05 2006", 'd': "02", 'D': "01/02/06", 'e': "_2",
	'F': "2006-01-02", 'h': "Jan", 'H': "15", 'I': "03", 'm': "01", 'M': "04", 'p': "PM", 'r': "03:04:05 PM", 'R': "15:04",
	'S': "05", 'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05", 'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
}

func (s *State) date(L *lua.LState) int {
	text := L.OptString(1, "%c")
	at := s.opts.Now()
	if L.GetTop() >= 2 {
		n := float64(L.CheckNumber(2))
		if math.Abs(n) > 1e11 || math.IsNaN(n) {
			L.ArgError(2, "time out of range")
		}
		at = time.Unix(int64(n), 0)
	}
	if strings.HasPrefix(text, "!") {
		text, at = text[1:], at.UTC()
	}
	if strings.HasPrefix(text, "*t") {
		t := s.NewTable(L, 0, 9)
		for name, v := range map[string]int{"year": at.Year(), "month": int(at.Month()), "day": at.Day(), "hour": at.Hour(),
			"min": at.Minute(), "sec": at.Second(), "wday": int(at.Weekday()) + 1, "yday": at.YearDay()} {
			t.RawSetString(name, lua.LNumber(v))
		}
		t.RawSetString("isdst", lua.LBool(at.IsDST()))
		L.Push(t)
		return 1
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		s.Charge(L, 32)
		if text[i] != '%' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch c := text[i]; {
		case layouts[c] != "":
			b.WriteString(at.Format(layouts[c]))
		case c == 'j':
			fmt.Fprintf(&b, "%03d", at.YearDay())
		case c == 'w':
			fmt.Fprint(&b, int(at.Weekday()))
		case c == 's':
			fmt.Fprint(&b, at.Unix())
		case c == '%':
			b.WriteByte('%')
		default:
			L.ArgError(1, fmt.Sprintf("invalid conversion specifier '%%%c'", c))
		}
	}
	L.Push(lua.LString(b.String()))
	return 1
}
