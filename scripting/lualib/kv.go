package lualib

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	lua "github.com/yuin/gopher-lua"
)

var (
	kvName = Param{"name", "string", "name of the table"}
	kvKey  = Param{"key", "string|number|boolean", "what the value is found by"}
)

var kvModule = Module{
	Name: "kv", Doc: "Tables in memory that all scripts of this node share. They survive reloads and end with the process.",
	Functions: []Function{
		{Name: "ensure_table", Params: []Param{{"options", "table", "name, and type: set (default), ordered_set, bag or duplicate_bag"}}, Returns: "boolean",
			Doc: "Makes a table unless there is one of that name."},
		{Name: "insert", Params: []Param{kvName, {"entries", "table", "values by key"}}, Returns: "boolean",
			Doc: "Stores each entry: in a set in place of what was there, in a bag beside it."},
		{Name: "insert_new", Params: []Param{kvName, {"entries", "table", "values by key"}}, Returns: "boolean",
			Doc: "Stores all entries, or none and returns false if one of the keys is there."},
		{Name: "lookup", Params: []Param{kvName, kvKey}, Returns: "table", Doc: "Returns the array of values of a key, empty if there are none."},
		{Name: "delete", Params: []Param{kvName, kvKey}, Returns: "boolean", Doc: "Removes a key with its values."},
		{Name: "delete_all", Params: []Param{kvName}, Returns: "boolean", Doc: "Empties a table."},
		{Name: "incr", Params: []Param{kvName, kvKey, {"by", "number?", "how much, 1 if left out"}}, Returns: "number",
			Doc: "Adds to the number of a key in a set, from 0 if there is none, in one step that no other call comes between, and returns the sum."},
	},
	open: func(b *binding) map[string]lua.LGFunction {
		return map[string]lua.LGFunction{
			"ensure_table": b.kvEnsure, "lookup": b.kvLookup, "delete": b.kvDelete, "incr": b.kvIncr,
			"insert":     func(L *lua.LState) int { return b.kvInsert(L, "kv.insert", false) },
			"insert_new": func(L *lua.LState) int { return b.kvInsert(L, "kv.insert_new", true) },
			"delete_all": func(L *lua.LState) int {
				b.kv.clear(b.kvTable(L, "kv.delete_all"))
				L.Push(lua.LTrue)
				return 1
			},
		}
	},
}

func (b *binding) kvEnsure(L *lua.LState) int {
	o := Copy(L, b.state, "kv.ensure_table", L.Get(1)).(*Table)
	name, ok := o.Field("name").(string)
	if !ok {
		L.RaiseError("kv.ensure_table: name is missing or no string")
	}
	kind := o.Field("type")
	switch kind {
	case nil:
		kind = "set"
	case "set", "ordered_set", "bag", "duplicate_bag":
	default:
		L.RaiseError("kv.ensure_table: type is %s, want set, ordered_set, bag or duplicate_bag", clip(formValue(kind)))
	}
	if err := b.kv.ensure(name, kind.(string)); err != nil {
		L.RaiseError("kv.ensure_table: %s", err.Error())
	}
	L.Push(lua.LTrue)
	return 1
}

// kvTable returns the table that the first argument names.
func (b *binding) kvTable(L *lua.LState, what string) *kvTable {
	name := text(L, 1)
	t := b.kv.table(name)
	if t == nil {
		L.RaiseError("%s: there is no table %q; make it with kv.ensure_table", what, clip(name))
	}
	return t
}

func (b *binding) kvInsert(L *lua.LState, what string, onlyNew bool) int {
	t := b.kvTable(L, what)
	entries := Copy(L, b.state, what, L.Get(2)).(*Table)
	list := entries.Keys
	for i, v := range entries.Items {
		if v != nil {
			list = append(list, Entry{float64(i + 1), v})
		}
	}
	if t.kind == "bag" {
		for _, e := range list {
			b.state.Spend(L, len(t.get(e.Key)))
		}
	}
	ok, err := b.kv.insert(t, list, onlyNew)
	if err != nil {
		L.RaiseError("%s: %s", what, err.Error())
	}
	L.Push(lua.LBool(ok))
	return 1
}

func (b *binding) kvLookup(L *lua.LState) int {
	t := b.kvTable(L, "kv.lookup")
	L.Push(itemsToLua(L, b.state, t.get(Copy(L, b.state, "kv.lookup", L.Get(2))), 0))
	return 1
}

func (b *binding) kvDelete(L *lua.LState) int {
	t := b.kvTable(L, "kv.delete")
	b.kv.delete(t, Copy(L, b.state, "kv.delete", L.Get(2)))
	L.Push(lua.LTrue)
	return 1
}

func (b *binding) kvIncr(L *lua.LState) int {
	t := b.kvTable(L, "kv.incr")
	by := 1.0
	if n, ok := L.Get(3).(lua.LNumber); ok {
		by = float64(n)
	}
	sum, err := b.kv.incr(t, Copy(L, b.state, "kv.incr", L.Get(2)), by)
	if err != nil {
		L.RaiseError("kv.incr: %s", err.Error())
	}
	L.Push(lua.LNumber(sum))
	return 1
}

// kvStore holds the tables. Safe for concurrent use; its locks are leaves.
type kvStore struct {
	max  int64
	used atomic.Int64 // bytes

	mu     sync.RWMutex
	tables map[string]*kvTable
}

// kvTable is one table. Values are immutable.
type kvTable struct {
	kind string
	mu   sync.RWMutex
	rows map[any][]any
}

func newKV(limit int64) *kvStore { return &kvStore{max: limit, tables: map[string]*kvTable{}} }

// kvTableCost is what an empty table accounts for, in bytes.
const kvTableCost = 512

// kvCost is what a value accounts for, in bytes.
func kvCost(v any) int64 {
	switch x := v.(type) {
	case string:
		return int64(len(x)) + costString
	case *Table:
		n := int64(costTable)
		for _, i := range x.Items {
			n += kvCost(i) + costItem
		}
		for _, e := range x.Keys {
			n += kvCost(e.Key) + kvCost(e.Value) + costItem
		}
		return n
	}
	return costItem
}

// take accounts for n bytes more.
func (s *kvStore) take(n int64) error {
	if s.used.Add(n) > s.max && n > 0 {
		s.used.Add(-n)
		return fmt.Errorf("the tables are full: they hold %d of %d bytes, and %d are to be added; delete something or raise script.kv_max_memory", s.used.Load(), s.max, n)
	}
	return nil
}

func (s *kvStore) ensure(name, kind string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables[name] != nil {
		return nil
	}
	if err := s.take(kvTableCost + int64(len(name))); err != nil {
		return err
	}
	s.tables[name] = &kvTable{kind: kind, rows: map[any][]any{}}
	return nil
}

func (s *kvStore) table(name string) *kvTable {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.tables[name]
}

// get returns the values of a key; the caller must not change the slice.
func (t *kvTable) get(key any) []any {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.rows[key]
}

func (s *kvStore) insert(t *kvTable, list []Entry, onlyNew bool) (ok bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	cost := int64(0)
	for _, e := range list {
		old, there := t.rows[e.Key]
		if there && onlyNew {
			return false, nil
		}
		cost += kvCost(e.Value)
		switch {
		case !there:
			cost += costEntry + kvCost(e.Key)
		case t.replaces():
			cost -= kvCost(old[0])
		}
	}
	if err := s.take(cost); err != nil {
		return false, err
	}
	for _, e := range list {
		old := t.rows[e.Key]
		switch {
		case t.replaces():
			t.rows[e.Key] = []any{e.Value}
		case t.kind == "bag" && slices.ContainsFunc(old, func(v any) bool { return reflect.DeepEqual(v, e.Value) }):
			s.used.Add(-kvCost(e.Value))
		default:
			t.rows[e.Key] = append(old, e.Value)
		}
	}
	return true, nil
}

// replaces reports whether a key has one value.
func (t *kvTable) replaces() bool { return t.kind == "set" || t.kind == "ordered_set" }

func (s *kvStore) incr(t *kvTable, key any, by float64) (float64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.replaces() {
		return 0, fmt.Errorf("the table is a %s, want a set", t.kind)
	}
	old := t.rows[key]
	if old == nil {
		if err := s.take(costEntry + kvCost(key) + kvCost(by)); err != nil {
			return 0, err
		}
		old = []any{0.0}
	}
	n, ok := old[0].(float64)
	if !ok {
		return 0, fmt.Errorf("the value of the key is no number")
	}
	t.rows[key] = []any{n + by}
	return n + by, nil
}

// free gives back what a key and its values took.
func (s *kvStore) free(key any, values []any) {
	n := costEntry + kvCost(key)
	for _, v := range values {
		n += kvCost(v)
	}
	s.used.Add(-n)
}

func (s *kvStore) delete(t *kvTable, key any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old, ok := t.rows[key]; ok {
		delete(t.rows, key)
		s.free(key, old)
	}
}

func (s *kvStore) clear(t *kvTable) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, old := range t.rows {
		s.free(k, old)
	}
	t.rows = map[any][]any{}
}
