package sandbox

import (
	lua "github.com/yuin/gopher-lua"
)

// measured is how much a call must have allocated, in bytes, since the last
// measurement before what stays is measured again.
const measured = 1 << 20

// kept is what a State after Keep knows of its size.
type kept struct {
	charged int64 // since the last measurement
}

// Keep says that loading is over and that what calls change from now on stays.
// It may grow to maxLive bytes, 0 = without limit; beyond that Reset fails.
// roots are functions that the host holds, besides what globals lead to.
func (s *State) Keep(maxLive int64, roots ...*lua.LFunction) {
	s.keeps, s.maxLive, s.roots = true, maxLive, roots
}

// bounded reports whether what stays is below the limit of Keep. It walks all
// values once per so many bytes charged, and shrinks tables from which keys were
// removed.
func (s *State) bounded() bool {
	if s.maxLive == 0 {
		return true
	}
	used := s.account.limits.Memory - s.account.memory
	s.journal.kept.charged += max(used, 0)
	if s.journal.kept.charged < min(measured, s.maxLive/2) {
		return true
	}
	s.journal.kept.charged = 0
	live := int64(0)
	w := walker{
		value: func(v lua.LValue) bool {
			switch x := v.(type) {
			case lua.LString:
				live += int64(len(x)) + costString
			case *lua.LFunction:
				live += costClosure
			case *lua.LState:
				live += costThread
			}
			return live <= s.maxLive
		},
		tables: func(t *lua.LTable) {
			n := 0
			t.ForEach(func(lua.LValue, lua.LValue) { n++ })
			items := t.MaxN()
			live += int64(TableCost(items, max(0, n-items)))
			compact(t, n)
		},
	}
	w.walk(s.L.G.Global)
	w.walk(s.loaded)
	for _, fn := range s.roots {
		if fn != nil {
			w.walk(fn)
		}
	}
	return live <= s.maxLive
}

// compact makes a table forget keys that were removed: gopher-lua keeps their
// index for ever.
func compact(t *lua.LTable, n int) {
	if n == t.MaxN() {
		if n == 0 {
			m := t.Metatable
			*t = lua.LTable{Metatable: m}
		}
		return
	}
	c := &lua.LTable{Metatable: lua.LNil}
	t.ForEach(func(k, v lua.LValue) { c.RawSet(k, v) })
	restore(t, c)
}
