package lualib

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
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
				w := jsonWriter{buffer{L: L, s: b.state}}
				w.table(t, 0)
				L.Push(w.buffer.value())
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
type jsonWriter struct{ buffer }

func (w *jsonWriter) value(v lua.LValue, depth int) {
	w.s.Spend(w.L, 1)
	switch x := v.(type) {
	case *lua.LNilType:
		w.text("null")
	case lua.LBool:
		w.text(strconv.FormatBool(bool(x)))
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
	w.room(32) // the longest has 24
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		w.L.RaiseError("json.encode: the number %v has no form in JSON", f)
	case f == math.Trunc(f) && math.Abs(f) < 1e21:
		w.b = strconv.AppendFloat(w.b, f, 'f', 0, 64)
	default:
		w.b = strconv.AppendFloat(w.b, f, 'g', -1, 64)
	}
}

const hexDigits = "0123456789abcdef"

// string writes what needs no escape as it is. Bytes that are no UTF-8 become
// U+FFFD.
func (w *jsonWriter) string(v string) {
	w.s.Spend(w.L, len(v)/16)
	w.text(`"`)
	for v != "" {
		n := 0
		for n < len(v) && v[n] >= 0x20 && v[n] < utf8.RuneSelf && v[n] != '"' && v[n] != '\\' {
			n++
		}
		w.text(v[:n])
		if v = v[n:]; v != "" {
			r, size := utf8.DecodeRuneInString(v)
			w.escape(r)
			v = v[size:]
		}
	}
	w.text(`"`)
}

func (w *jsonWriter) escape(r rune) {
	w.room(6)
	switch {
	case r == '"' || r == '\\':
		w.b = append(w.b, '\\', byte(r))
	case r == '\n':
		w.b = append(w.b, `\n`...)
	case r == '\r':
		w.b = append(w.b, `\r`...)
	case r == '\t':
		w.b = append(w.b, `\t`...)
	case r < 0x20:
		w.b = append(w.b, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
	default:
		w.b = utf8.AppendRune(w.b, r)
	}
}

// table writes an array if all keys are numbers from 1 without large holes.
func (w *jsonWriter) table(t *lua.LTable, depth int) {
	if depth >= maxDepth {
		w.L.RaiseError("json.encode: tables lie more than %d deep, or inside themselves", maxDepth)
	}
	w.s.Complete(w.L, t)
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
	w.text(`[`)
	for i := 1; i <= n; i++ {
		if i > 1 {
			w.text(`,`)
		}
		w.value(t.RawGetInt(i), depth+1)
	}
	w.text(`]`)
}

func (w *jsonWriter) object(t *lua.LTable, count, depth int) {
	type member struct {
		name string
		v    lua.LValue
	}
	w.s.Charge(w.L, count*3*costItem) // with names made of numbers
	members := make([]member, 0, count)
	t.ForEach(func(k, v lua.LValue) {
		if !lua.LVCanConvToString(k) {
			w.L.RaiseError("json.encode: a %s as key has no form in JSON", k.Type().String())
		}
		members = append(members, member{k.String(), v})
	})
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	w.text(`{`)
	for i, m := range members {
		if i > 0 {
			w.text(`,`)
		}
		w.string(m.name)
		w.text(`:`)
		w.value(m.v, depth+1)
	}
	w.text(`}`)
}
