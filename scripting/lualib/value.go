package lualib

import (
	"cmp"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/scripting/sandbox"
)

// What values copied out of a state cost, in bytes.
const (
	costString = 32 // beside its bytes
	costTable  = 128
	costEntry  = 112
	costItem   = 24
)

// maxDepth is how deep tables may lie inside each other.
const maxDepth = 64

// Table is a Lua table copied out of its state. Immutable.
type Table struct {
	Items []any   // what stands at 1, 2, ...; nil is a hole
	Keys  []Entry // the others, sorted
}

// Entry is one key of a Table with its value.
type Entry struct{ Key, Value any }

// Field returns the value of a string key, nil if there is none.
func (t *Table) Field(name string) any {
	for _, e := range t.Keys {
		if e.Key == name {
			return e.Value
		}
	}
	return nil
}

// Copy copies a value out of its state: nil, bool, float64, string or *Table.
// It raises an error for functions and the like, and for tables that lie too
// deep; what names the argument in it.
func Copy(L *lua.LState, s *sandbox.State, what string, v lua.LValue) any {
	return copyValue(L, s, what, v, 0)
}

func copyValue(L *lua.LState, s *sandbox.State, what string, v lua.LValue, depth int) any {
	switch x := v.(type) {
	case *lua.LNilType:
		return nil
	case lua.LBool:
		return bool(x)
	case lua.LNumber:
		return float64(x)
	case lua.LString:
		s.Charge(L, len(x)+costString)
		return strings.Clone(string(x))
	case *lua.LTable:
		return copyTable(L, s, what, x, depth)
	}
	L.RaiseError("%s: a %s cannot be handed over; want strings, numbers, booleans and tables of them", what, v.Type().String())
	return nil
}

func copyTable(L *lua.LState, s *sandbox.State, what string, t *lua.LTable, depth int) *Table {
	if depth >= maxDepth {
		L.RaiseError("%s: tables lie more than %d deep, or inside themselves", what, maxDepth)
	}
	s.Complete(L, t)
	n := t.Len()
	s.Spend(L, n)
	s.Charge(L, costTable+n*costItem)
	out := &Table{Items: make([]any, 0, n)}
	for i := 1; i <= n; i++ {
		out.Items = append(out.Items, copyValue(L, s, what, t.RawGetInt(i), depth+1))
	}
	t.ForEach(func(k, v lua.LValue) {
		if i, ok := k.(lua.LNumber); ok && i >= 1 && i <= lua.LNumber(n) && i == lua.LNumber(int(i)) {
			return
		}
		s.Spend(L, 1)
		s.Charge(L, costEntry)
		out.Keys = append(out.Keys, Entry{copyValue(L, s, what, k, maxDepth), copyValue(L, s, what, v, depth+1)})
	})
	slices.SortFunc(out.Keys, func(a, b Entry) int { return compareKeys(a.Key, b.Key) })
	return out
}

// compareKeys orders numbers before strings before booleans.
func compareKeys(a, b any) int {
	rank := func(v any) int {
		switch v.(type) {
		case float64:
			return 0
		case string:
			return 1
		}
		return 2
	}
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch x := a.(type) {
	case float64:
		return cmp.Compare(x, b.(float64))
	case string:
		return cmp.Compare(x, b.(string))
	}
	return 0
}

// NewTable makes a table that is charged with its entries.
func NewTable(L *lua.LState, s *sandbox.State, items, keys int) *lua.LTable {
	return s.NewTable(L, items, keys)
}

// Text makes a string that is charged.
func Text[T string | []byte](L *lua.LState, s *sandbox.State, v T) lua.LValue {
	s.Charge(L, len(v)+costString)
	return lua.LString(v)
}

// ToLua makes a Lua value of what Copy returned, or of int, int64, []byte,
// []any and map[string]any. Anything else becomes nil.
func ToLua(L *lua.LState, s *sandbox.State, v any) lua.LValue {
	switch x := v.(type) {
	case bool:
		return lua.LBool(x)
	case float64:
		return lua.LNumber(x)
	case int:
		return lua.LNumber(x)
	case int64:
		return lua.LNumber(x)
	case string:
		return Text(L, s, x)
	case []byte:
		return Text(L, s, x)
	case []any:
		return itemsToLua(L, s, x, 0)
	case map[string]any:
		t := NewTable(L, s, 0, len(x))
		for k, v := range x {
			t.RawSetString(k, ToLua(L, s, v))
		}
		return t
	case *Table:
		t := itemsToLua(L, s, x.Items, len(x.Keys))
		for _, e := range x.Keys {
			t.RawSet(ToLua(L, s, e.Key), ToLua(L, s, e.Value))
		}
		return t
	}
	return lua.LNil
}

func itemsToLua(L *lua.LState, s *sandbox.State, items []any, keys int) *lua.LTable {
	t := NewTable(L, s, len(items), keys)
	for i, v := range items {
		if v != nil {
			t.RawSetInt(i+1, ToLua(L, s, v))
		}
	}
	return t
}
