package sandbox

import (
	lua "github.com/yuin/gopher-lua"
)

// journal remembers what a call changes of the things that were there before
// it, and undoes it. Owned by its State.
type journal struct {
	old     map[*lua.LTable]struct{} // tables that existed at Freeze
	threads map[*lua.LState]struct{} // coroutines made before Freeze
	cells   []cell                   // locals of enclosing functions, as they were at Freeze

	entries  []entry
	wholes   []whole
	metas    []meta
	newKeys  int  // of old tables, since Freeze: removed ones leave their index behind
	upvalues bool // a program assigns to such locals

	guards []lua.LValue
	kept   kept
	next   *lua.LFunction // for pairs
}

// entry is one overwritten value.
type entry struct {
	t        *lua.LTable
	key, old lua.LValue
}

// whole is a table as it was before a library rearranged it.
type whole struct {
	t    *lua.LTable
	copy *lua.LTable
}

type meta struct {
	t   *lua.LTable
	old lua.LValue
}

type cell struct {
	at  *lua.Upvalue
	old lua.LValue
}

// maxNewKeys is how many new keys of old tables are undone before the State is
// replaced.
const maxNewKeys = 4096

// note remembers t[key], which is about to be overwritten.
func (j *journal) note(t *lua.LTable, key, old lua.LValue) {
	if _, is := j.old[t]; !is {
		return
	}
	if old == lua.LNil {
		j.newKeys++
	}
	j.entries = append(j.entries, entry{t, key, old})
}

// noteMeta remembers a metatable that is about to be replaced.
func (j *journal) noteMeta(t *lua.LTable) {
	if _, is := j.old[t]; is {
		j.metas = append(j.metas, meta{t, t.Metatable})
	}
}

// Freeze says that loading is over: what there is now is what each call finds.
// For States whose calls leave nothing; the others are told Keep.
func (s *State) Freeze() {
	j := &s.journal
	j.old = map[*lua.LTable]struct{}{}
	w := walker{tables: func(t *lua.LTable) { j.old[t] = struct{}{} }}
	if j.upvalues {
		w.cells = func(u *lua.Upvalue) { j.cells = append(j.cells, cell{u, u.Value()}) }
	}
	w.walk(s.L.G.Global)
	w.walk(s.loaded)
	j.entries, j.wholes, j.metas = j.entries[:0], j.wholes[:0], j.metas[:0]
}

// Touch must be called by a library before it changes a table that the script
// may have: its content is remembered if it is older than the call.
func (s *State) Touch(L *lua.LState, t *lua.LTable) {
	if s.lazies.owns(t) {
		s.changed(L, t, lua.LNil)
	}
	if _, is := s.journal.old[t]; !is {
		return
	}
	for _, w := range s.journal.wholes {
		if w.t == t {
			return
		}
	}
	c := s.journal.asBefore(t)
	n := 0
	c.ForEach(func(lua.LValue, lua.LValue) { n++ })
	s.Charge(L, TableCost(c.MaxN(), max(0, n-c.MaxN())))
	s.journal.wholes = append(s.journal.wholes, whole{t, c})
}

// asBefore returns a copy of t as it was when the call began: single changes
// are undone, and then done again.
func (j *journal) asBefore(t *lua.LTable) *lua.LTable {
	var again []entry
	for i := len(j.entries) - 1; i >= 0; i-- {
		if e := j.entries[i]; e.t == t {
			again = append(again, entry{t, e.key, t.RawGet(e.key)})
			t.RawSet(e.key, e.old)
		}
	}
	c := &lua.LTable{Metatable: lua.LNil}
	t.ForEach(func(k, v lua.LValue) { c.RawSet(k, v) })
	for i := len(again) - 1; i >= 0; i-- {
		t.RawSet(again[i].key, again[i].old)
	}
	return c
}

// Reset makes the State what it was when the call began; false = it cannot be,
// and the State must be thrown away. After Keep only what the host lent
// is taken back, and the size of what stays is looked at.
func (s *State) Reset() (ok bool) {
	s.L.SetTop(0)
	s.account.release()
	s.lazies.reset()
	s.nested = 0
	if s.keeps {
		return !s.tainted && s.bounded()
	}
	s.account.start(s.account.Context, Limits{})
	j := &s.journal
	for i := len(j.entries) - 1; i >= 0; i-- {
		e := j.entries[i]
		e.t.RawSet(e.key, e.old)
	}
	for i := len(j.wholes) - 1; i >= 0; i-- {
		restore(j.wholes[i].t, j.wholes[i].copy)
	}
	for i := len(j.metas) - 1; i >= 0; i-- {
		j.metas[i].t.Metatable = j.metas[i].old
	}
	if j.upvalues {
		for _, c := range j.cells {
			if c.at.Value() != c.old {
				c.at.SetValue(c.old)
			}
		}
	}
	clear(j.entries)
	clear(j.wholes)
	j.entries, j.wholes, j.metas = j.entries[:0], j.wholes[:0], j.metas[:0]
	return !s.tainted && j.newKeys < maxNewKeys
}

// restore gives t the content of c. The table stays the same object.
func restore(t, c *lua.LTable) {
	m := t.Metatable
	*t = *c
	t.Metatable = m
}

// resumed says that a coroutine runs: one that is older than the call cannot be
// wound back.
func (j *journal) resumed(th *lua.LState) (old bool) {
	_, old = j.threads[th]
	return old
}

// walker visits everything that can be reached from a value. Functions may be
// nil.
type walker struct {
	tables func(*lua.LTable)
	cells  func(*lua.Upvalue)
	value  func(lua.LValue) (goOn bool)

	seenT map[*lua.LTable]bool
	seenF map[*lua.LFunction]bool
	seenU map[*lua.Upvalue]bool
	stop  bool
}

func (w *walker) walk(v lua.LValue) {
	if w.seenT == nil {
		w.seenT, w.seenF, w.seenU = map[*lua.LTable]bool{}, map[*lua.LFunction]bool{}, map[*lua.Upvalue]bool{}
	}
	todo := []lua.LValue{v}
	for len(todo) > 0 && !w.stop {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if w.value != nil && !w.value(v) {
			w.stop = true
			return
		}
		switch x := v.(type) {
		case *lua.LTable:
			if x == nil || w.seenT[x] {
				continue
			}
			w.seenT[x] = true
			if w.tables != nil {
				w.tables(x)
			}
			todo = append(todo, x.Metatable)
			x.ForEach(func(k, v lua.LValue) { todo = append(todo, k, v) })
		case *lua.LFunction:
			if x == nil || w.seenF[x] {
				continue
			}
			w.seenF[x] = true
			for _, u := range x.Upvalues {
				if u == nil || w.seenU[u] {
					continue
				}
				w.seenU[u] = true
				if w.cells != nil {
					w.cells(u)
				}
				todo = append(todo, u.Value())
			}
		}
	}
}
