package sandbox

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// raise is the function error. Unlike gopher-lua's it takes nothing, too.
//
// Source: Lua 5.1 §5.1.
func raise(L *lua.LState) int {
	if L.GetTop() == 0 {
		L.Push(lua.LNil)
	}
	L.Error(L.Get(1), L.OptInt(2, 1))
	return 0
}

// nameless is what gopher-lua calls a library function in its messages when it
// was not called by Lua code.
const nameless = " to (anonymous) ("

// protected is pcall or xpcall: messages about the arguments of a library
// function that it calls directly name it.
func (s *State) protected(call lua.LGFunction) lua.LGFunction {
	return func(L *lua.LState) int {
		fn, _ := L.Get(1).(*lua.LFunction)
		n := call(L)
		if n != 2 || fn == nil || !fn.IsG || L.Get(-2) != lua.LFalse {
			return n
		}
		text, ok := L.Get(-1).(lua.LString)
		if !ok || !strings.Contains(string(text), nameless) {
			return n
		}
		if name := s.nameOf(L, fn); name != "" {
			L.Pop(1)
			s.Charge(L, len(text)+len(name)+costString)
			L.Push(lua.LString(strings.Replace(string(text), nameless, " to "+name+" (", 1)))
		}
		return n
	}
}

// nameOf looks for a function among those of the libraries, "" if it is none.
func (s *State) nameOf(L *lua.LState, fn *lua.LFunction) (name string) {
	for _, lib := range []string{"_G", "string", "table", "math", "os", "utf8", "bit32", "coroutine", "debug"} {
		t, ok := s.Global(lib).(*lua.LTable)
		if !ok {
			continue
		}
		n := 0
		t.ForEach(func(k, v lua.LValue) {
			if n++; v == lua.LValue(fn) && name == "" {
				name = strings.TrimPrefix(lib+"."+k.String(), "_G.")
			}
		})
		s.Spend(L, n)
		if name != "" {
			return name
		}
	}
	return ""
}
