package sandbox

import (
	"math"

	lua "github.com/yuin/gopher-lua"
)

// What values cost, in bytes: what Go allocates, generously; see
// TestTableCost. Values made by libraries are charged by TableCost.
const (
	costString  = 32      // beside its bytes
	costTable   = 128     // without its entries
	costArray   = 32 * 16 // the first element stored later: gopher-lua makes room for 32
	costItem    = 24      // an element at the end of an array
	costHash    = 640     // the first entry of a table made with room for it
	costDict    = 2560    // the first entry stored later: gopher-lua makes room for 32
	costEntry   = 152     // a new key: map entry, key list, index
	costClosure = 160
	costThread  = 48 << 10
	costProgram = 16 << 10
)

// TableCost is what a table made with room for so many array elements and other
// entries costs, in bytes, the values themselves not counted.
func TableCost(items, keys int) int {
	c := costTable + items*costItem
	if keys > 0 {
		c += costHash + keys*costEntry
	}
	return c
}

// NewTable makes a table with room for so many array elements and other entries,
// charged with them. For libraries that know both; others use Put.
func (s *State) NewTable(L *lua.LState, items, keys int) *lua.LTable {
	s.Charge(L, TableCost(items, keys))
	return L.CreateTable(items, keys)
}

// Put stores into a table that a library makes, without metamethods, and charges
// what a script's own store is charged.
func (s *State) Put(L *lua.LState, t *lua.LTable, key, value lua.LValue) {
	s.Charge(L, keyCost(t, key))
	t.RawSet(key, value)
}

// guards returns the functions that rewritten code calls, in the order of
// guardNames.
func (s *State) guards(file string) []lua.LValue {
	L := s.L
	if s.journal.guards == nil {
		s.journal.guards = []lua.LValue{
			L.NewFunction(s.concat), L.NewFunction(s.store), L.NewFunction(s.global), L.NewFunction(s.table), L.NewFunction(s.closure),
		}
	}
	line := L.NewFunction(func(L *lua.LState) int {
		if s.opts.Line != nil {
			s.opts.Line(file, int(L.Get(1).(lua.LNumber)))
		}
		return 0
	})
	return append(s.journal.guards[:5:5], line)
}

// concat is a .. b .. c.
func (s *State) concat(L *lua.LState) int {
	n := L.GetTop()
	size := 0
	for i := 1; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			size += len(v)
		case lua.LNumber:
			size += 24
		default:
			return s.concatMeta(L, n)
		}
	}
	s.Charge(L, size+costString)
	buf := make([]byte, 0, size)
	for i := 1; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			buf = append(buf, v...)
		case lua.LNumber:
			buf = append(buf, v.String()...)
		}
	}
	L.Push(lua.LString(buf))
	return 1
}

// concatMeta concatenates from the right, with metamethods.
func (s *State) concatMeta(L *lua.LState, n int) int {
	right := L.Get(n)
	for i := n - 1; i >= 1; i-- {
		left := L.Get(i)
		if lua.LVCanConvToString(left) && lua.LVCanConvToString(right) {
			l, r := left.String(), right.String()
			s.Charge(L, len(l)+len(r)+costString)
			right = lua.LString(l + r)
			continue
		}
		meta := L.GetMetaField(left, "__concat")
		if meta == lua.LNil {
			meta = L.GetMetaField(right, "__concat")
		}
		if meta == lua.LNil {
			bad := right
			if !lua.LVCanConvToString(left) {
				bad = left
			}
			L.RaiseError("attempt to concatenate a %s value", bad.Type().String())
		}
		L.Push(meta)
		L.Push(left)
		L.Push(right)
		L.Call(2, 1)
		right = L.Get(-1)
		L.Pop(1)
	}
	L.Push(right)
	return 1
}

// maxIndexLoop bounds chains of __newindex.
const maxIndexLoop = 100

// store is object[key] = value.
func (s *State) store(L *lua.LState) int {
	s.setIndex(L, L.Get(1), L.Get(2), L.Get(3))
	return 0
}

func (s *State) setIndex(L *lua.LState, object, key, value lua.LValue) {
	for range maxIndexLoop {
		t, ok := object.(*lua.LTable)
		if ok && (t.Metatable == lua.LNil || t.RawGet(key) != lua.LNil) {
			s.rawSet(L, t, key, value)
			return
		}
		meta := L.GetMetaField(object, "__newindex")
		switch {
		case meta == lua.LNil && ok:
			s.rawSet(L, t, key, value)
			return
		case meta == lua.LNil:
			L.RaiseError("attempt to index a %s value with key %q", object.Type().String(), clip(key.String()))
		}
		if f, isFunc := meta.(*lua.LFunction); isFunc {
			L.Push(f)
			L.Push(object)
			L.Push(key)
			L.Push(value)
			L.Call(3, 0)
			return
		}
		object = meta
	}
	L.RaiseError("__newindex: the chain is longer than %d", maxIndexLoop)
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}

// rawSet stores into a table: charged, and remembered if the table is older
// than the call.
func (s *State) rawSet(L *lua.LState, t *lua.LTable, key, value lua.LValue) {
	switch k := key.(type) {
	case *lua.LNilType:
		L.RaiseError("table index is nil")
	case lua.LNumber:
		if math.IsNaN(float64(k)) {
			L.RaiseError("table index is NaN")
		}
	}
	if t.Metatable != lua.LNil && s.lazies.owns(t) {
		s.changed(L, t, value)
	}
	old := t.RawGet(key)
	if old == lua.LNil && value != lua.LNil {
		s.Charge(L, keyCost(t, key))
	}
	s.journal.note(t, key, old)
	t.RawSet(key, value)
}

// keyCost is what a new key costs. An array is filled up to a number that lies
// beyond its end.
func keyCost(t *lua.LTable, key lua.LValue) int {
	k, ok := key.(lua.LNumber)
	if !ok || k < 1 || k >= lua.LNumber(lua.MaxArrayIndex) || k != lua.LNumber(int(k)) {
		if first, _ := t.Next(lua.LNumber(t.MaxN())); first == lua.LNil {
			return costDict + costEntry
		}
		return costEntry
	}
	switch {
	case k == 1 && t.MaxN() == 0:
		return costArray + costItem
	case k == 1 || t.RawGetInt(int(k)-1) != lua.LNil:
		return costItem
	}
	return (int(k) - min(t.MaxN(), int(k)) + 1) * costItem
}

// global is name = value.
func (s *State) global(L *lua.LState) int {
	s.setIndex(L, L.G.Global, L.Get(1), L.Get(2))
	return 0
}

// table takes the value of a table constructor.
func (s *State) table(L *lua.LState) int {
	t := L.Get(1).(*lua.LTable)
	n, keys := t.MaxN(), 0
	t.ForEach(func(lua.LValue, lua.LValue) { keys++ })
	s.Charge(L, TableCost(n, max(0, keys-n)))
	L.SetTop(1)
	return 1
}

// closure takes a function that has just been made, or stands before one.
func (s *State) closure(L *lua.LState) int {
	s.Charge(L, costClosure)
	L.SetTop(min(L.GetTop(), 1))
	return L.GetTop()
}
