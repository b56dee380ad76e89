package sandbox

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// functions is a library to be.
type functions map[string]lua.LGFunction

// library makes a table of functions.
func (s *State) library(f functions) *lua.LTable {
	t := s.L.NewTable()
	for name, fn := range f {
		t.RawSetString(name, s.L.NewFunction(fn))
	}
	return t
}

// openLibraries gives a new state the language's libraries.
func openLibraries(s *State) {
	L := s.L
	for _, open := range []lua.LGFunction{lua.OpenBase, lua.OpenMath, lua.OpenCoroutine} {
		L.Push(L.NewFunction(open))
		L.Call(0, 0)
	}
	g := L.G.Global
	for _, name := range []string{"_printregs", "_GOPHER_LUA_VERSION", "collectgarbage", "module", "newproxy", "setfenv", "getfenv", "package"} {
		g.RawSetString(name, lua.LNil)
	}
	for _, name := range []string{"pcall", "xpcall"} {
		g.RawSetString(name, L.NewFunction(s.protected(g.RawGetString(name).(*lua.LFunction).GFunction)))
	}
	for name, fn := range s.base() {
		g.RawSetString(name, L.NewFunction(fn))
	}
	math := g.RawGetString("math").(*lua.LTable)
	for name, fn := range mathExtras {
		math.RawSetString(name, L.NewFunction(fn))
	}
	math.RawSetString("maxinteger", lua.LNumber(1<<53))
	math.RawSetString("mininteger", lua.LNumber(-1<<53))
	stringLib := s.library(s.strings())
	g.RawSetString("string", stringLib)
	meta := L.NewTable()
	meta.RawSetString("__index", stringLib)
	meta.RawSetString("__metatable", lua.LFalse) // scripts cannot reach it
	L.SetMetatable(lua.LString(""), meta)
	g.RawSetString("table", s.library(s.tables()))
	g.RawSetString("os", s.library(s.os()))
	g.RawSetString("utf8", s.utf8())
	g.RawSetString("bit32", s.library(bit32))
	g.RawSetString("coroutine", s.library(s.coroutines(g.RawGetString("coroutine").(*lua.LTable))))
	g.RawSetString("debug", s.library(functions{"getmetatable": getMetatable, "setmetatable": s.setMetatable, "traceback": traceback}))
	g.RawSetString("_VERSION", lua.LString("Lua 5.1"))
}

// base are the functions of the base library that are ours.
func (s *State) base() functions {
	f := functions{
		"error": raise, "next": s.next, "pairs": s.pairs, "rawget": s.rawGet, "rawset": s.rawSetLib, "rawlen": rawLen,
		"getmetatable": getMetatable, "setmetatable": s.setMetatable, "print": s.print, "require": s.require,
		"tostring": toString, "load": s.load, "loadstring": s.load, "unpack": s.unpack, "collectgarbage": collectGarbage,
	}
	for name, remedy := range map[string]string{
		"dofile":   "put the code into a module and use require",
		"loadfile": "put the code into a module and use require",
	} {
		f[name] = func(L *lua.LState) int {
			errorf(L, "%s is not available: scripts have no access to files; %s", name, remedy)
			return 0
		}
	}
	return f
}

// collectGarbage answers what scripts written for other engines expect; memory
// is looked after by the account.
func collectGarbage(L *lua.LState) int {
	L.Push(lua.LNumber(0))
	return 1
}

func (s *State) next(L *lua.LState) int {
	t := L.CheckTable(1)
	s.Complete(L, t)
	k, v := t.Next(L.Get(2))
	if k == lua.LNil {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(k)
	L.Push(v)
	return 2
}

// pairs honours __pairs, as of Lua 5.2.
func (s *State) pairs(L *lua.LState) int {
	if meta := L.GetMetaField(L.CheckAny(1), "__pairs"); meta != lua.LNil {
		L.Push(meta)
		L.Push(L.Get(1))
		L.Call(1, 3)
		return 3
	}
	t := L.CheckTable(1)
	s.Complete(L, t)
	if s.journal.next == nil {
		s.journal.next = L.NewFunction(s.next)
	}
	L.Push(s.journal.next)
	L.Push(t)
	L.Push(lua.LNil)
	return 3
}

func (s *State) rawGet(L *lua.LState) int {
	t := L.CheckTable(1)
	s.Complete(L, t)
	L.Push(t.RawGet(L.CheckAny(2)))
	return 1
}

func (s *State) rawSetLib(L *lua.LState) int {
	s.rawSet(L, L.CheckTable(1), L.CheckAny(2), L.Get(3))
	L.SetTop(1)
	return 1
}

func rawLen(L *lua.LState) int {
	switch v := L.CheckAny(1).(type) {
	case *lua.LTable:
		L.Push(lua.LNumber(v.Len()))
	case lua.LString:
		L.Push(lua.LNumber(len(v)))
	default:
		L.ArgError(1, "table or string expected")
	}
	return 1
}

// getMetatable hides the metatables of the host.
func getMetatable(L *lua.LState) int {
	v := L.CheckAny(1)
	if t, ok := v.(*lua.LTable); ok && From(L).lazies.owns(t) {
		L.Push(lua.LNil)
		return 1
	}
	if hidden := L.GetMetaField(v, "__metatable"); hidden != lua.LNil {
		L.Push(hidden)
		return 1
	}
	L.Push(L.GetMetatable(v))
	return 1
}

func (s *State) setMetatable(L *lua.LState) int {
	t := L.CheckTable(1)
	m := L.Get(2)
	if m != lua.LNil && m.Type() != lua.LTTable {
		L.ArgError(2, "nil or table expected")
	}
	s.Complete(L, t)
	if L.GetMetaField(t, "__metatable") != lua.LNil {
		errorf(L, "cannot change a protected metatable")
	}
	s.journal.noteMeta(t)
	if l := s.lazies.find(t); l != nil {
		l.soiled = true
	}
	t.Metatable = m
	L.SetTop(1)
	return 1
}

func traceback(L *lua.LState) int {
	msg := ""
	if v, ok := L.Get(1).(lua.LString); ok {
		msg = string(v) + "\n"
	}
	var out []string
	for i := 1; i < 20; i++ {
		d, ok := L.GetStack(i)
		if !ok {
			break
		}
		if _, err := L.GetInfo("Sl", d, lua.LNil); err == nil && d.CurrentLine > 0 {
			out = append(out, fmt.Sprintf("\t%s:%d", d.Source, d.CurrentLine))
		}
	}
	L.Push(lua.LString(msg + "stack traceback:\n" + strings.Join(out, "\n")))
	return 1
}

// print writes its arguments, separated by tabs, as one line.
func (s *State) print(L *lua.LState) int {
	var parts []string
	for i := 1; i <= L.GetTop(); i++ {
		v := stringOf(L, L.Get(i))
		s.Charge(L, 2*len(v)+costString) // they are joined
		parts = append(parts, v)
	}
	if s.opts.Print != nil {
		s.opts.Print(strings.Join(parts, "\t"))
	}
	return 0
}

// stringOf is tostring(v).
func stringOf(L *lua.LState, v lua.LValue) string {
	if meta := L.GetMetaField(v, "__tostring"); meta != lua.LNil {
		L.Push(meta)
		L.Push(v)
		L.Call(1, 1)
		r := L.Get(-1)
		L.Pop(1)
		if r.Type() != lua.LTString {
			L.RaiseError("'__tostring' must return a string")
		}
		return r.String()
	}
	return v.String()
}

func toString(L *lua.LState) int {
	L.Push(lua.LString(stringOf(L, L.CheckAny(1))))
	return 1
}

// load compiles source: a string, or a function that returns its parts.
func (s *State) load(L *lua.LState) int {
	var source string
	switch v := L.CheckAny(1).(type) {
	case lua.LString:
		source = string(v)
	case *lua.LFunction:
		var b strings.Builder
		for {
			L.Push(v)
			L.Call(0, 1)
			part, ok := L.Get(-1).(lua.LString)
			L.Pop(1)
			if !ok || part == "" {
				break
			}
			s.Charge(L, len(part))
			b.WriteString(string(part))
		}
		source = b.String()
	default:
		L.ArgError(1, "string or function expected")
	}
	name := strings.TrimPrefix(L.OptString(2, "=(load)"), "=")
	if L.GetTop() >= 4 && L.Get(4) != lua.LNil {
		errorf(L, "load: an environment is not supported")
	}
	s.Charge(L, costProgram+200*len(source)) // parser, syntax tree and code
	s.Spend(L, 10*len(source))
	p, err := Compile(name, source)
	if err != nil {
		L.Push(lua.LNil)
		L.Push(lua.LString(err.Error()))
		return 2
	}
	L.Push(s.instantiate(L, p))
	return 1
}
