package sandbox

import (
	"slices"

	lua "github.com/yuin/gopher-lua"
)

// Shape is the fields that tables of one kind may have. Immutable; compared by
// its address.
type Shape struct {
	Keys []string // in the order in which they are shown
}

// Filler makes the fields of one table. Immutable while the table is in use.
type Filler interface {
	Shape() *Shape
	// Field makes the field Keys[i], LNil if it is absent. What it makes is
	// charged by the caller.
	Field(s *State, i int) lua.LValue
}

// lazy is one table whose fields are made when they are needed.
type lazy struct {
	t      *lua.LTable
	shape  *Shape
	f      Filler // nil once complete
	filled []int  // fields that were made, to be removed for the next use
	soiled bool   // the script stored something in it
}

// lazies are the lazy tables of the call in progress, in use first. Scripts
// see no difference to plain tables: what enumerates them or hands them on
// completes them. Fields that the source names anywhere are made at once,
// which costs less than the detour by __index.
type lazies struct {
	list   []*lazy
	used   int
	meta   *lua.LTable
	spoken map[string]bool  // constants of all programs loaded
	eager  map[*Shape][]int // fields of a shape that are spoken of
}

// speak adds constants of a program.
func (z *lazies) speak(names map[string]bool) {
	if z.spoken == nil {
		z.spoken = map[string]bool{}
	}
	for n := range names {
		z.spoken[n] = true
	}
	z.eager = map[*Shape][]int{}
}

// Mentions reports whether a text stands as a constant in one of the programs
// loaded: then the script's author wrote it as it is.
func (s *State) Mentions(text string) bool { return s.lazies.spoken[text] }

// atOnce returns the fields of a shape that are made at once.
func (z *lazies) atOnce(shape *Shape) []int {
	list, ok := z.eager[shape]
	if !ok {
		for i, k := range shape.Keys {
			if z.spoken[k] {
				list = append(list, i)
			}
		}
		z.eager[shape] = list
	}
	return list
}

// Lazy returns a table with the fields of f, made when they are read, or at
// once if the State keeps what calls leave. It is valid until Reset.
func (s *State) Lazy(f Filler) *lua.LTable {
	z := &s.lazies
	shape := f.Shape()
	if s.keeps { // the script may hold it longer than the call
		s.Take(TableCost(0, len(shape.Keys)))
		t := s.L.CreateTable(0, len(shape.Keys))
		for i, key := range shape.Keys {
			t.RawSetString(key, s.made(f, i))
		}
		return t
	}
	if z.meta == nil {
		z.meta = s.L.NewTable()
		z.meta.RawSetString("__index", s.L.NewFunction(s.lazyIndex))
	}
	l := z.take(shape)
	l.f, l.t.Metatable = f, z.meta
	for _, i := range z.atOnce(shape) {
		s.fill(l, i)
	}
	return l.t
}

// take returns a table that is not in use, one of the same shape if there is
// any.
func (z *lazies) take(shape *Shape) *lazy {
	for i := z.used; i < len(z.list); i++ {
		if z.list[i].shape == shape {
			z.list[z.used], z.list[i] = z.list[i], z.list[z.used]
			z.used++
			return z.list[z.used-1]
		}
	}
	z.list = append(z.list, &lazy{t: &lua.LTable{}, shape: shape})
	last := len(z.list) - 1
	z.list[z.used], z.list[last] = z.list[last], z.list[z.used]
	z.used++
	return z.list[z.used-1]
}

// fill makes one field.
func (s *State) fill(l *lazy, i int) lua.LValue {
	v := s.made(l.f, i)
	if v != lua.LNil {
		l.t.RawSetString(l.shape.Keys[i], v)
		l.filled = append(l.filled, i)
	}
	return v
}

// made makes a field and charges it.
func (s *State) made(f Filler, i int) lua.LValue {
	v := f.Field(s, i)
	if x, ok := v.(lua.LString); ok {
		s.account.charge(int64(len(x)) + costString) // noticed at the next instruction
	}
	return v
}

// find returns the lazy table that t is, nil if it is a plain one.
func (z *lazies) find(t *lua.LTable) *lazy {
	for _, l := range z.list[:z.used] {
		if l.t == t {
			return l
		}
	}
	return nil
}

// owns reports whether t is a lazy table that is not yet complete.
func (z *lazies) owns(t *lua.LTable) bool {
	return z.meta != nil && t.Metatable == lua.LValue(z.meta)
}

// lazyIndex is __index: it makes one field.
func (s *State) lazyIndex(L *lua.LState) int {
	key, ok := L.Get(2).(lua.LString)
	l := s.lazies.find(L.Get(1).(*lua.LTable))
	v := lua.LValue(lua.LNil)
	if ok && l != nil && l.f != nil {
		if i := slices.Index(l.shape.Keys, string(key)); i >= 0 {
			v = s.fill(l, i)
		}
	}
	L.Push(v)
	return 1
}

// Complete makes all fields of a table that may be lazy. Libraries call it
// before they enumerate a table or hand it on.
func (s *State) Complete(_ *lua.LState, t *lua.LTable) {
	l := s.lazies.find(t)
	if l == nil || l.f == nil {
		return
	}
	for i, key := range l.shape.Keys {
		if t.RawGetString(key) == lua.LNil {
			s.fill(l, i)
		}
	}
	l.f, t.Metatable = nil, lua.LNil
}

// changed is called before the script, or a library for it, stores into a lazy
// table: a removed field must not come back.
func (s *State) changed(L *lua.LState, t *lua.LTable, value lua.LValue) {
	l := s.lazies.find(t)
	if l == nil {
		return
	}
	l.soiled = true
	if value == lua.LNil {
		s.Complete(L, t)
	}
}

// reset takes the tables back; those that hold nothing of the script's are used
// again.
func (z *lazies) reset() {
	for i, l := range z.list[:z.used] {
		if l.soiled || l.f == nil {
			z.list[i] = &lazy{t: &lua.LTable{}, shape: l.shape}
			continue
		}
		for _, k := range l.filled {
			l.t.RawSetString(l.shape.Keys[k], lua.LNil)
		}
		l.filled, l.f = l.filled[:0], nil
	}
	z.used = 0
}
