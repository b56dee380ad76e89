package scripttest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/scripting/sandbox"
)

// testLimits are those of a whole test in Lua.
var testLimits = sandbox.Limits{Time: time.Minute, Instructions: 1e8, Memory: 256 << 20}

// luaTest runs a test in Lua. It has the global test:
//
//	test.script(path)        loads a script, path relative to the test
//	test.call(hook, fields)  calls a hook; returns {verdict, modifiers, error, log}
//	test.advance(seconds)    lets virtual time pass
//	test.equal(got, want)    fails with both values shown
//
// and the libraries that scripts have.
func (r *runner) luaTest(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	p, err := sandbox.Compile(filepath.Base(path), string(text))
	if err != nil {
		return err
	}
	s := sandbox.New(sandbox.Options{Now: func() time.Time { return r.now }, Print: func(l string) { fmt.Fprintln(r.o.Out, "    "+l) }})
	defer s.Close()
	host := r.o.Host(slog.New(slog.DiscardHandler))
	defer host.Close()
	host.Open(s, filepath.Base(path)) // for json, crypto and so on
	t := s.L.NewTable()
	for name, f := range map[string]lua.LGFunction{
		"script": func(L *lua.LState) int {
			if err := r.load(filepath.Join(filepath.Dir(path), L.CheckString(1))); err != nil {
				L.RaiseError("%s", err.Error())
			}
			return 0
		},
		"call": r.luaCall,
		"advance": func(L *lua.LState) int {
			r.now = r.now.Add(time.Duration(float64(L.CheckNumber(1)) * float64(time.Second)))
			return 0
		},
		"equal": func(L *lua.LState) int {
			got, want := toGo(L.Get(1)), toGo(L.Get(2))
			if !reflect.DeepEqual(got, want) {
				L.RaiseError("%s: got %s, want %s", L.OptString(3, "not equal"), show(got), show(want))
			}
			return 0
		},
	} {
		t.RawSetString(name, s.L.NewFunction(f))
	}
	s.SetGlobal("test", t)
	if err := s.Load(context.Background(), testLimits, p); err != nil {
		r.fail("%v", err)
	}
	return nil
}

func (r *runner) luaCall(L *lua.LState) int {
	if r.engine == nil {
		L.RaiseError("test.call: load a script with test.script first")
	}
	fields, _ := toGo(L.OptTable(2, L.NewTable())).(map[string]any)
	if fields == nil {
		fields = map[string]any{}
	}
	fields["hook"] = L.CheckString(1)
	e, err := newEvent(fields)
	var out outcome
	var logged []string
	if err == nil {
		out, logged, err = r.call(e)
	}
	if err != nil {
		L.RaiseError("test.call: %s", err.Error())
	}
	t := L.NewTable()
	t.RawSetString("verdict", lua.LString(out.verdict))
	t.RawSetString("modifiers", toLua(L, out.modifiers))
	if out.err != "" {
		t.RawSetString("error", lua.LString(out.err))
	}
	lines := make([]any, len(logged))
	for i, l := range logged {
		lines[i] = l
	}
	t.RawSetString("log", toLua(L, lines))
	L.Push(t)
	return 1
}

// toGo makes a value of those that JSON knows; a table with only the keys 1 to
// n is an array, an empty one an object.
func toGo(v lua.LValue) any {
	switch x := v.(type) {
	case lua.LString:
		return string(x)
	case lua.LNumber:
		return float64(x)
	case lua.LBool:
		return bool(x)
	case *lua.LTable:
		n, keys := x.Len(), 0
		x.ForEach(func(lua.LValue, lua.LValue) { keys++ })
		if n > 0 && n == keys {
			list := make([]any, n)
			for i := range list {
				list[i] = toGo(x.RawGetInt(i + 1))
			}
			return list
		}
		m := map[string]any{}
		x.ForEach(func(k, v lua.LValue) { m[k.String()] = toGo(v) })
		return m
	}
	return nil
}

func toLua(L *lua.LState, v any) lua.LValue {
	switch x := v.(type) {
	case string:
		return lua.LString(x)
	case float64:
		return lua.LNumber(x)
	case bool:
		return lua.LBool(x)
	case []any:
		t := L.NewTable()
		for i := range x {
			t.RawSetInt(i+1, toLua(L, x[i]))
		}
		return t
	case map[string]any:
		if x == nil {
			return lua.LNil
		}
		t := L.NewTable()
		for k := range x {
			t.RawSetString(k, toLua(L, x[k]))
		}
		return t
	case nil:
		return lua.LNil
	}
	return lua.LString(strings.TrimSpace(fmt.Sprint(v)))
}
