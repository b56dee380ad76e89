package lualib

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// form appends what a table stands for as application/x-www-form-urlencoded:
// its entries with names, sorted.
//
// Source: WHATWG URL Standard §5.2.
func (w *buffer) form(t *Table) {
	for i, e := range t.Keys {
		if i > 0 {
			w.text("&")
		}
		w.escaped(fmt.Sprint(e.Key))
		w.text("=")
		w.escaped(formValue(e.Value))
	}
}

// escaped appends v as net/url.QueryEscape writes it.
func (w *buffer) escaped(v string) {
	w.s.Spend(w.L, len(v)/16)
	for i := range len(v) {
		w.room(3)
		switch c := v[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			w.b = append(w.b, c)
		case c == ' ':
			w.b = append(w.b, '+')
		default:
			w.b = append(w.b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		}
	}
}

// formValue writes a value as text, a number without ".0".
func formValue(v any) string {
	if t, ok := v.(*Table); ok {
		return fmt.Sprintf("(a table of %d)", len(t.Items)+len(t.Keys))
	}
	if f, ok := v.(float64); ok {
		return lua.LNumber(f).String()
	}
	return fmt.Sprint(v)
}
