package sandbox

import (
	lua "github.com/yuin/gopher-lua"
)

// maxNested is how many coroutines may be resumed inside each other.
const maxNested = 32

// coroutines wraps gopher-lua's library: a coroutine shares the account of its
// creator.
func (s *State) coroutines(lib *lua.LTable) functions {
	create, resume := lib.RawGetString("create").(*lua.LFunction).GFunction, lib.RawGetString("resume").(*lua.LFunction).GFunction
	f := functions{"isyieldable": func(L *lua.LState) int {
		L.Push(lua.LBool(L != L.G.MainThread))
		return 1
	}}
	for _, name := range []string{"yield", "running", "status"} {
		f[name] = lib.RawGetString(name).(*lua.LFunction).GFunction
	}
	f["create"] = func(L *lua.LState) int {
		s.create(L, create)
		return 1
	}
	f["resume"] = func(L *lua.LState) int {
		s.enter(L, L.CheckThread(1))
		defer s.leave()
		return resume(L)
	}
	f["wrap"] = func(L *lua.LState) int {
		s.create(L, create)
		th := L.Get(-1).(*lua.LState)
		L.Push(L.NewFunction(func(L *lua.LState) int {
			s.enter(L, th)
			defer s.leave()
			L.Insert(th, 1)
			n := resume(L)
			first := L.Get(-n)
			if first != lua.LTrue {
				L.Error(L.Get(-1), 1)
			}
			return n - 1
		}))
		return 1
	}
	return f
}

// create makes a coroutine of the function that is argument 1.
func (s *State) create(L *lua.LState, create lua.LGFunction) {
	L.CheckFunction(1)
	s.Charge(L, costThread)
	ctx := L.RemoveContext() // else each thread gets a context of its own
	create(L)
	L.SetContext(ctx)
	th := L.Get(-1).(*lua.LState)
	th.SetContext(ctx)
	if j := &s.journal; j.old == nil && !s.keeps {
		if j.threads == nil {
			j.threads = map[*lua.LState]struct{}{}
		}
		j.threads[th] = struct{}{}
	}
}

func (s *State) enter(L *lua.LState, th *lua.LState) {
	if !s.keeps && s.journal.resumed(th) {
		s.tainted = true
	}
	if s.nested++; s.nested > maxNested {
		s.nested--
		errorf(L, "more than %d coroutines are resumed inside each other", maxNested)
	}
}

func (s *State) leave() { s.nested-- }
