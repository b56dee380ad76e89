package lualib

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/scripting/sandbox"
)

var jsonModule = Module{
	Name: "json", Doc: "Reads and writes JSON (RFC 8259).",
	Functions: []Function{
		{Name: "encode", Params: []Param{{"value", "any", "a table; anything else gives nil"}}, Returns: "string?",
			Doc: "Returns the JSON text of a table, without blanks, names sorted. An empty table is {}."},
		{Name: "decode", Params: []Param{{"text", "any", "a JSON text; what is no string gives nil"}}, Returns: "table?",
			Doc: "Returns the object or array, nil for anything else. Members that are null are absent; [] is an empty table."},
	},
	open: func(b *binding) map[string]lua.LGFunction {
		return map[string]lua.LGFunction{
			"encode": func(L *lua.LState) int {
				t, ok := L.Get(1).(*lua.LTable)
				if !ok {
					L.Push(lua.LNil)
					return 1
				}
				w := jsonWriter{L: L, s: b.state}
				w.table(t, 0)
				L.Push(Text(L, b.state, w.buf))
				return 1
			},
			"decode": func(L *lua.LState) int {
				v, ok := L.Get(1).(lua.LString)
				if !ok {
					L.Push(lua.LNil)
					return 1
				}
				L.Push(decodeJSON(L, b.state, string(v)))
				return 1
			},
		}
	},
}

// jsonWriter writes a value. It raises errors.
type jsonWriter struct {
	L   *lua.LState
	s   *sandbox.State
	buf []byte
}

func (w *jsonWriter) value(v lua.LValue, depth int) {
	w.s.Spend(w.L, 1)
	switch x := v.(type) {
	case *lua.LNilType:
		w.buf = append(w.buf, "null"...)
	case lua.LBool:
		w.buf = strconv.AppendBool(w.buf, bool(x))
	case lua.LNumber:
		w.number(float64(x))
	case lua.LString:
		w.string(string(x))
	case *lua.LTable:
		w.table(x, depth)
	default:
		w.L.RaiseError("json.encode: a %s has no form in JSON", v.Type().String())
	}
}

func (w *jsonWriter) number(f float64) {
	w.s.Charge(w.L, 24)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		w.L.RaiseError("json.encode: the number %v has no form in JSON", f)
	case f == math.Trunc(f) && math.Abs(f) < 1e21:
		w.buf = strconv.AppendFloat(w.buf, f, 'f', 0, 64)
	default:
		w.buf = strconv.AppendFloat(w.buf, f, 'g', -1, 64)
	}
}

const hexDigits = "0123456789abcdef"

func (w *jsonWriter) string(v string) {
	w.s.Charge(w.L, 2*len(v)+8) // the buffer grows
	w.s.Spend(w.L, len(v)/16)
	w.buf = append(w.buf, '"')
	for _, r := range v { // bytes that are no UTF-8 become U+FFFD
		switch {
		case r == '"' || r == '\\':
			w.buf = append(w.buf, '\\', byte(r))
		case r == '\n':
			w.buf = append(w.buf, `\n`...)
		case r == '\r':
			w.buf = append(w.buf, `\r`...)
		case r == '\t':
			w.buf = append(w.buf, `\t`...)
		case r < 0x20:
			w.buf = append(w.buf, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			w.buf = utf8.AppendRune(w.buf, r)
		}
	}
	w.buf = append(w.buf, '"')
}

// table writes an array if all keys are numbers from 1 without large holes.
func (w *jsonWriter) table(t *lua.LTable, depth int) {
	if depth >= maxDepth {
		w.L.RaiseError("json.encode: tables lie more than %d deep, or inside themselves", maxDepth)
	}
	w.s.Complete(w.L, t)
	w.s.Charge(w.L, 8)
	n, count, array := t.Len(), 0, true
	t.ForEach(func(k, _ lua.LValue) {
		i, ok := k.(lua.LNumber)
		array = array && ok && i >= 1 && i <= lua.LNumber(n) && i == lua.LNumber(int(i))
		count++
	})
	w.s.Spend(w.L, count)
	if count == 0 || !array || n > 4*count+16 {
		w.object(t, count, depth)
		return
	}
	w.buf = append(w.buf, '[')
	for i := 1; i <= n; i++ {
		if i > 1 {
			w.buf = append(w.buf, ',')
		}
		w.value(t.RawGetInt(i), depth+1)
	}
	w.buf = append(w.buf, ']')
}

func (w *jsonWriter) object(t *lua.LTable, count, depth int) {
	type member struct {
		name string
		v    lua.LValue
	}
	w.s.Charge(w.L, count*2*costItem)
	members := make([]member, 0, count)
	t.ForEach(func(k, v lua.LValue) {
		if !lua.LVCanConvToString(k) {
			w.L.RaiseError("json.encode: a %s as key has no form in JSON", k.Type().String())
		}
		members = append(members, member{k.String(), v})
	})
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	w.buf = append(w.buf, '{')
	for i, m := range members {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.string(m.name)
		w.buf = append(w.buf, ':')
		w.value(m.v, depth+1)
	}
	w.buf = append(w.buf, '}')
}
