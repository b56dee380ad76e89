package sandbox

import (
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// tables are the functions of the table library.
func (s *State) tables() functions {
	return functions{
		"concat": s.tableConcat, "insert": s.insert, "remove": s.remove, "sort": s.sort, "maxn": s.maxn, "getn": getn,
		"pack": s.tablePack, "unpack": s.unpack, "move": s.move,
	}
}

func (s *State) maxn(L *lua.LState) int {
	t := L.CheckTable(1)
	s.Complete(L, t)
	most := lua.LNumber(t.MaxN())
	t.ForEach(func(k, _ lua.LValue) {
		if n, ok := k.(lua.LNumber); ok {
			most = max(most, n)
		}
	})
	L.Push(most)
	return 1
}

func getn(L *lua.LState) int {
	L.Push(lua.LNumber(L.CheckTable(1).Len()))
	return 1
}

func (s *State) tableConcat(L *lua.LState) int {
	t, sep := L.CheckTable(1), L.OptString(2, "")
	i, j := L.OptInt(3, 1), L.OptInt(4, t.Len())
	var b strings.Builder
	for k := i; k <= j; k++ {
		v := t.RawGet(lua.LNumber(k))
		if !lua.LVCanConvToString(v) {
			errorf(L, "invalid value (%s) at index %d in table for 'concat'", v.Type().String(), k)
		}
		text := v.String()
		if k > i {
			text = sep + text
		}
		s.Spend(L, 1)
		s.Charge(L, 2*len(text)) // the builder grows
		b.WriteString(text)
	}
	s.Charge(L, costString)
	L.Push(lua.LString(b.String()))
	return 1
}

// insert moves what stands behind the position; the end needs no moving.
func (s *State) insert(L *lua.LState) int {
	t := L.CheckTable(1)
	n := t.Len()
	switch L.GetTop() {
	case 2:
		s.rawSet(L, t, lua.LNumber(n+1), L.Get(2))
	case 3:
		pos := L.CheckInt(2)
		if pos < 1 || pos > n+1 {
			L.ArgError(2, "position out of bounds")
		}
		if pos == n+1 {
			s.rawSet(L, t, lua.LNumber(pos), L.Get(3))
			return 0
		}
		s.Touch(L, t)
		s.Charge(L, costItem)
		s.Spend(L, (n-pos)/16)
		t.Insert(pos, L.Get(3))
	default:
		errorf(L, "wrong number of arguments to 'insert'")
	}
	return 0
}

func (s *State) remove(L *lua.LState) int {
	t := L.CheckTable(1)
	n := t.Len()
	pos := L.OptInt(2, n)
	if n == 0 || pos < 1 || pos > n {
		if L.GetTop() > 1 && pos != n && pos != n+1 {
			L.ArgError(2, "position out of bounds")
		}
		L.Push(t.RawGet(lua.LNumber(pos)))
		return 1
	}
	if pos == n {
		v := t.RawGetInt(pos)
		s.rawSet(L, t, lua.LNumber(pos), lua.LNil)
		L.Push(v)
		return 1
	}
	s.Touch(L, t)
	s.Spend(L, (n-pos)/16)
	L.Push(t.Remove(pos))
	return 1
}

// sort sorts the array part; an inconsistent order function cannot harm it.
func (s *State) sort(L *lua.LState) int {
	t := L.CheckTable(1)
	less := L.OptFunction(2, nil)
	n := t.Len()
	s.Touch(L, t)
	s.Charge(L, n*costItem)
	list := make([]lua.LValue, n)
	for i := range list {
		if list[i] = t.RawGetInt(i + 1); list[i] == lua.LNil {
			errorf(L, "attempt to sort an array with holes (index %d is nil)", i+1)
		}
	}
	before := func(a, b lua.LValue) bool {
		s.Spend(L, 4)
		if less == nil {
			return L.LessThan(a, b)
		}
		L.Push(less)
		L.Push(a)
		L.Push(b)
		L.Call(2, 1)
		v := lua.LVAsBool(L.Get(-1))
		L.Pop(1)
		return v
	}
	slices.SortFunc(list, func(a, b lua.LValue) int {
		switch {
		case before(a, b):
			return -1
		case before(b, a):
			return 1
		}
		return 0
	})
	for i, v := range list {
		t.RawSetInt(i+1, v)
	}
	return 0
}

func (s *State) tablePack(L *lua.LState) int {
	n := L.GetTop()
	t := s.NewTable(L, n, 1)
	for i := 1; i <= n; i++ {
		t.RawSetInt(i, L.Get(i))
	}
	t.RawSetString("n", lua.LNumber(n))
	L.Push(t)
	return 1
}

func (s *State) unpack(L *lua.LState) int {
	t := L.CheckTable(1)
	i := L.OptInt(2, 1)
	j := L.OptInt(3, t.Len())
	if i > j {
		return 0
	}
	if j-i >= maxResults || j-i < 0 {
		errorf(L, "too many results to unpack")
	}
	for k := i; k <= j; k++ {
		L.Push(t.RawGet(lua.LNumber(k)))
	}
	return j - i + 1
}

// move is table.move of Lua 5.3.
func (s *State) move(L *lua.LState) int {
	from, f, e, to := L.CheckTable(1), L.CheckInt(2), L.CheckInt(3), L.CheckInt(4)
	dst := L.OptTable(5, from)
	if e >= f {
		s.Spend(L, max(e-f, 0))
		set := func(k int) { s.rawSet(L, dst, lua.LNumber(to+k), from.RawGet(lua.LNumber(f+k))) }
		if to > e || to <= f || dst != from {
			for k := 0; k <= e-f; k++ {
				set(k)
			}
		} else {
			for k := e - f; k >= 0; k-- {
				set(k)
			}
		}
	}
	L.Push(dst)
	return 1
}
