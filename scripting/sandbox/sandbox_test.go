package sandbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
)

var roomy = Limits{Time: 5 * time.Second, Instructions: 50e6, Memory: 16 << 20}

// run loads source into a fresh state and returns what its print printed.
func run(t *testing.T, source string) (string, error) {
	t.Helper()
	var out []string
	s := New(Options{Print: func(l string) { out = append(out, l) }})
	defer s.Close()
	p, err := Compile("test.lua", source)
	if err != nil {
		return "", err
	}
	err = s.Load(context.Background(), roomy, p)
	return strings.Join(out, "|"), err
}

func TestLanguage(t *testing.T) {
	for source, want := range map[string]string{
		`print(1, "a" .. 2 .. nil_or("b"))  function nil_or(x) return x end`:                                                     "!attempt to call",
		`function f(x) return x end print("a" .. 2 .. f("b"))`:                                                                   "a2b",
		`local t = {} t.a, t.b, x = 1, 2 print(t.a, t.b, x)`:                                                                     "1\t2\tnil",
		`local a, b = 1, 2 a, b = b, a print(a, b)`:                                                                              "2\t1",
		`local i, t = 1, {} i, t[i] = i + 1, 20 print(i, t[1], t[2])`:                                                            "2\t20\tnil",
		`t = {f = {}} function t.f.g(a) return a end function t.f:h(a) return self == t.f and a end print(t.f.g(1), t.f:h(2))`:   "1\t2",
		`local function fact(n) return n < 2 and 1 or n * fact(n - 1) end print(fact(5))`:                                        "120",
		`local function v(...) return select("#", ...), ... end print(v(1, nil, 3))`:                                             "3\t1\tnil\t3",
		`print((function() return 1, 2 end)())`:                                                                                  "1\t2",
		`print({1, 2, (function() return 3, 4 end)()}[4])`:                                                                       "!near",
		`local t = {1, 2, (function() return 3, 4 end)()} print(#t)`:                                                             "4",
		`local m = setmetatable({}, {__concat = function(a, b) return "cat" end}) print(m .. 1, "x" .. m, "a" .. "b" .. m)`:      "cat\tcat\tacat",
		`local log = {} local m = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, v * 2) end}) m.a = 2 print(m.a)`: "4",
		`local base = {} local m = setmetatable({}, {__newindex = base}) m.a = 2 print(rawget(m, "a"), base.a)`:                  "nil\t2",
		`x = 1 local function up() x = x + 1 end up() print(x, _G.x)`:                                                            "2\t2",
		`local n = 0 for i = 1, 3 do local function inc() n = n + i end inc() end print(n)`:                                      "6",
		`for k, v in pairs({a = 1}) do print(k, v) end for i, v in ipairs({5, 6}) do print(i, v) end`:                            "a\t1|1\t5|2\t6",
		`local i = 0 repeat local done = i == 2 i = i + 1 until done print(i)`:                                                   "3",
		`goto done print("no") ::done:: print("yes")`:                                                                            "yes",
		`print(pcall(error, {code = 1}))`:                                                                                        "*",
		`print(pcall(error)) print(pcall(error, nil)) print(pcall(function() error() end)) print(xpcall(error, type))`:           "false\tnil|false\tnil|false\tnil|false\tnil",
		`error()`:                     "!an error without a message",
		`print(pcall(error, "x", 0))`: "false\tx",
		`print(pcall(string.rep)) print(pcall(string.rep, "x", {}))`:                                                                     "*bad argument #1 to string.rep (",
		`print(pcall(setmetatable, 1)) local f = tonumber print(pcall(f))`:                                                               "*bad argument #1 to setmetatable (",
		`mine = {} local rep = string.rep string = nil print(pcall(rep))`:                                                                "*(anonymous)",
		`print(pcall(function() string.rep() end))`:                                                                                      "*bad argument #1 to rep (",
		`print(pcall(pcall)) print(pcall(function() return false, "x" end))`:                                                             "*true\tfalse\tx",
		`print(pcall(function() error("x") end))`:                                                                                        "false\ttest.lua:1: x",
		`print(pcall(function() return "a" .. {} end))`:                                                                                  "false\ttest.lua:1: attempt to concatenate a table value",
		`print(pcall(function() local t; t.x = 1 end))`:                                                                                  `*attempt to index a nil value`,
		`print(string.format("%5.1f|%d|%s|%q|%-4s|%x|%c", 3.14159, 42, "x", "a\n", "ab", 255, 65))`:                                      "  3.1|42|x|\"a\\\n\"|ab  |ff|A",
		`print(string.find("hello world", "o w"), string.find("hello", "l+"), string.find("a.b", ".", 1, true))`:                         "5\t3\t2\t2",
		`print(string.match("key = value", "^(%w+)%s*=%s*(%w+)$"))`:                                                                      "key\tvalue",
		`print(string.gsub("hello world", "o", "0"))`:                                                                                    "hell0 w0rld\t2",
		`print(string.gsub("abc", "%w", "%0%0"))`:                                                                                        "aabbcc\t3",
		`print(string.gsub("$name is $age", "%$(%w+)", {name = "x", age = 3}))`:                                                          "x is 3\t2",
		`print(string.gsub("abc", "", "-"))`:                                                                                             "-a-b-c-\t4",
		`for k, v in string.gmatch("a=1, b=2", "(%w+)=(%w+)") do print(k, v) end`:                                                        "a\t1|b\t2",
		`print(string.match("f(a(b)c)d", "%b()"), string.match("THE (quick) fox", "%f[%a]%a+", 5))`:                                      "(a(b)c)\tquick",
		`print(("x"):rep(3, ","), ("abc"):sub(-2), ("abc"):byte(1, -1))`:                                                                 "x,x,x\tbc\t97\t98\t99",
		`print(table.concat({1, 2, 3}, "-"), table.unpack({1, 2}))`:                                                                      "1-2-3\t1\t2",
		`local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) print(table.concat(t, ","))`:                                 "3,2,1",
		`local t = {1, 2, 3} table.insert(t, 2, 9) print(table.remove(t, 1), table.concat(t, ","), table.remove(t))`:                     "1\t9,2,3\t3",
		`print(table.pack(1, nil, 3).n, select("#", table.unpack({1, nil, 3}, 1, 3)))`:                                                   "3\t3",
		`print(bit32.band(12, 10), bit32.bor(12, 10), bit32.bxor(12, 10), bit32.lshift(1, 4), bit32.bnot(0), bit32.extract(0xF0, 4, 4))`: "8\t14\t6\t16\t4294967295\t15",
		`print(utf8.char(228, 8364), utf8.len("äö"), utf8.codepoint("€"), utf8.offset("aäb", 3))`:                                        "ä€\t2\t8364\t4",
		`for p, c in utf8.codes("aä") do print(p, c) end`:                                                                                "1\t97|2\t228",
		`print(string.unpack("<I2s1z", string.pack("<I2s1z", 258, "ab", "cd")))`:                                                         "258\tab\tcd\t9",
		`print(string.pack(">I2", 258):byte(1, -1)) print(string.packsize("i4d"))`:                                                       "1\t2|12",
		`print(math.floor(3.7), math.type(3), math.type(3.5), math.tointeger(4), math.huge)`:                                             "3\tinteger\tfloat\t4\t*",
		`print(load("return 1 + 1")(), load("syntax error here"))`:                                                                       "*2\tnil\t(load):1:",
		`local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) print(co(1), co(10))`:                  "2\t20",
		`local co = coroutine.create(function() error("x") end) print(coroutine.resume(co)) print(coroutine.status(co))`:                 "false\ttest.lua:1: x|dead",
		`print(pcall(coroutine.wrap(function() error("in") end)))`:                                                                       "*in",
		`print(os.date("!%Y-%m-%d %H:%M:%S", 0), type(os.time()), os.time({year = 2020, month = 1, day = 1}) > 0)`:                       "1970-01-01 00:00:00\tnumber\ttrue",
		`print(pcall(os.execute, "ls"))`:                                                                                                 "*os.execute is not available",
		`print(pcall(loadfile, "x"))`:                                                                                                    "*not available",
		`print(io, package, debug.getinfo, string.dump and "d", newproxy, setfenv)`:                                                      "nil\tnil\tnil\td\tnil\tnil",
		`print(getmetatable("x"))`: "false",
		`print(...)`:               "",
		`local s = 0 for i = 10, 1, -3 do s = s + i end print(s)`:                               "22",
		`local t = setmetatable({}, {__index = function(_, k) return k .. "!" end}) print(t.x)`: "x!",
		`local a <const> = 1`: "!remove the attribute",
		`local a = 7 // 2`:    "!math.floor(a / b)",
		`local a = 7 & 2`:     "!bit32.band",
		`local a = 1 << 2`:    "!bit32.lshift",
		"x = \n\nend":         "!test.lua:3:",
	} {
		got, err := run(t, source)
		switch {
		case strings.HasPrefix(want, "!"):
			if err == nil || !strings.Contains(err.Error(), want[1:]) {
				t.Errorf("%s\n\tgot %q, %v, want an error with %q", source, got, err, want[1:])
			}
		case err != nil:
			t.Errorf("%s\n\tgot error %v", source, err)
		case strings.HasPrefix(want, "*"):
			if !strings.Contains(got, want[1:]) {
				t.Errorf("%s\n\tgot %q, want it to contain %q", source, got, want[1:])
			}
		case strings.HasSuffix(want, "*"):
			if !strings.HasPrefix(got, want[:len(want)-1]) {
				t.Errorf("%s\n\tgot %q, want it to begin with %q", source, got, want)
			}
		case got != want:
			t.Errorf("%s\n\tgot %q, want %q", source, got, want)
		}
	}
}

func TestErrors_Stack(t *testing.T) {
	p, err := Compile("hooks.lua", "local function a()\n  error('boom')\nend\nlocal function b()\n  a()\nend\nfunction go() b() end")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{})
	if err := s.Load(context.Background(), roomy, p); err != nil {
		t.Fatal(err)
	}
	s.Begin(context.Background(), roomy)
	_, err = s.Run(s.Global("go").(*lua.LFunction))
	var e *ScriptError
	if !errors.As(err, &e) || e.Message != "hooks.lua:2: boom" || !strings.Contains(e.Stack, "hooks.lua:5:") {
		t.Errorf("got %v with the stack\n%s", err, e.Stack)
	}
}

// TestReset shows that nothing a call changes is there at the next one.
func TestReset(t *testing.T) {
	const setup = `
		counter, config = 0, {deep = {n = 1}, list = {3, 1, 2}}
		local hidden, cache = 0, {}
		meta = setmetatable({}, {__index = {v = 1}})
		shared = coroutine.wrap(function() local n = 0 while true do n = n + 1 coroutine.yield(n) end end)
		function show()
			return table.concat({tostring(counter), config.deep.n, table.concat(config.list, ","), hidden, tostring(cache.x), string.format("%d", 7),
				tostring(fresh), tostring(meta.v), tostring(print ~= nil), #config.list, tostring(config.list.extra), tostring(next(cache))}, " ")
		end
		changes = {
			function() counter = counter + 1 end,
			function() config.deep.n = 2 end,
			function() config.deep = nil end,
			function() config = nil end,
			function() hidden = hidden + 1 end,
			function() cache.x = 1 cache.x = 2 cache[1] = 5 end,
			function() string.format = function() return "evil" end end,
			function() string = nil table = nil end,
			function() fresh = {} end,
			function() _G.print = nil end,
			function() rawset(config, "deep", {n = 9}) end,
			function() table.sort(config.list) end,
			function() table.insert(config.list, 1, 9) end,
			function() config.list[2] = 7 table.remove(config.list, 1) config.list[1] = 8 end,
			function() table.remove(config.list) config.list.extra = 1 end,
			function() setmetatable(meta, {__index = {v = 2}}) end,
			function() getmetatable(meta).__index.v = 3 end,
			function() show = function() return "evil" end end,
			function() changes = nil end,
			function() for k in pairs(config) do config[k] = nil end end,
			function() for k in pairs(_G) do if k ~= "pairs" then _G[k] = nil end end end,
			function() table.move({1, 2, 3, 4}, 1, 4, 1, config.list) end,
			function() error(setmetatable(config, {})) end,
			function() config.deep.n = 5 string.len = nil error("late") end,
			function() local ok = pcall(function() config.deep.n = 6 error() end) end,
			function() coroutine.wrap(function() counter = 99 coroutine.yield() end)() end,
			function() load("counter = 5")() end,
			function() debug.setmetatable(meta, nil) end,
			function() local f = function() hidden = 77 end f() end,
		}`
	p, err := Compile("reset.lua", setup)
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{})
	if err := s.Load(context.Background(), roomy, p); err != nil {
		t.Fatal(err)
	}
	s.Freeze()
	show := func() string {
		s.Begin(context.Background(), roomy)
		v, err := s.Run(s.Global("show").(*lua.LFunction))
		if err != nil {
			return err.Error()
		}
		return v.String()
	}
	want := show()
	s.Reset()
	n := s.Global("changes").(*lua.LTable).Len()
	for i := 1; i <= n; i++ {
		s.Begin(context.Background(), roomy)
		_, _ = s.Run(s.Global("changes").(*lua.LTable).RawGetInt(i).(*lua.LFunction))
		if !s.Reset() {
			t.Errorf("change %d: the state is said to be lost", i)
		}
		if got := show(); got != want {
			t.Errorf("change %d: got %q, want %q", i, got, want)
		}
		s.Reset()
	}
	// A coroutine that is older than the call cannot be wound back.
	s.Begin(context.Background(), roomy)
	if _, err := s.Run(s.Global("shared").(*lua.LFunction)); err != nil {
		t.Fatal(err)
	}
	if s.Reset() {
		t.Error("a state whose old coroutine went on is said to be as before")
	}
}

// TestReset_Notices breaks the journal on purpose: without it a change stays.
func TestReset_Notices(t *testing.T) {
	p, _ := Compile("x.lua", "counter = 0 function go() counter = counter + 1 return counter end")
	s := New(Options{})
	if err := s.Load(context.Background(), roomy, p); err != nil {
		t.Fatal(err)
	}
	s.Freeze()
	clear(s.journal.old)
	for want := 1; want <= 2; want++ {
		s.Begin(context.Background(), roomy)
		v, err := s.Run(s.Global("go").(*lua.LFunction))
		if err != nil || v != lua.LNumber(want) {
			t.Errorf("got %v, %v, want %d", v, err, want)
		}
		s.Reset()
	}
}

type fields map[string]lua.LValue

var shape = &Shape{Keys: []string{"topic", "payload", "absent", "qos"}}

func (f fields) Shape() *Shape { return shape }

func (f fields) Field(_ *State, i int) lua.LValue {
	if v, ok := f[shape.Keys[i]]; ok {
		return v
	}
	return lua.LNil
}

func TestLazy(t *testing.T) {
	f := fields{"topic": lua.LString("a/b"), "payload": lua.LString("x"), "qos": lua.LNumber(1)}
	for source, want := range map[string]string{
		`return m.topic .. tostring(m.absent) .. m.qos`:                          "a/bnil1",
		`local n = 0 for k, v in pairs(m) do n = n + 1 end return n`:             "3",
		`local k = next(m) return k`:                                             "topic",
		`return rawget(m, "payload")`:                                            "x",
		`return #m`:                                                              "0",
		`m.topic = nil return tostring(m.topic) .. tostring(rawget(m, "topic"))`: "nilnil",
		`m.topic = "new" return m.topic`:                                         "new",
		`m.extra = 1 local n = 0 for _ in pairs(m) do n = n + 1 end return n`:    "4",
		`return tostring(getmetatable(m))`:                                       "nil",
		`setmetatable(m, {__index = function(_, k) return "meta " .. k end}) return m.topic .. m.absent`: "a/bmeta absent",
		`return type(m)`:                               "table",
		`local t = {m} return t[1].qos`:                "1",
		`return m.topic == m["topic"]`:                 "true",
		`kept = m return kept.payload`:                 "x",
		`rawset(m, "qos", nil) return tostring(m.qos)`: "nil",
	} {
		for _, keep := range []bool{false, true} {
			s := New(Options{})
			p, err := Compile("lazy.lua", "function go(m) "+source+" end")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Load(context.Background(), roomy, p); err != nil {
				t.Fatal(err)
			}
			if s.Freeze(); keep {
				s.Keep(0)
			}
			for range 2 {
				s.Begin(context.Background(), roomy)
				v, err := s.Run(s.Global("go").(*lua.LFunction), s.Lazy(f))
				if err != nil || v.String() != want {
					t.Errorf("%s (keep %t): got %v, %v, want %s", source, keep, v, err, want)
				}
				s.Reset()
			}
		}
	}
}

func TestLazy_AllocatesNothing(t *testing.T) {
	f := fields{"topic": lua.LString("a/b"), "payload": lua.LString("x")}
	s := New(Options{})
	p, _ := Compile("x.lua", `function go(m) return m.topic == "a/b" and m.payload ~= nil end`)
	if err := s.Load(context.Background(), roomy, p); err != nil {
		t.Fatal(err)
	}
	s.Freeze()
	fn := s.Global("go").(*lua.LFunction)
	ctx := context.Background()
	call := func() {
		s.Begin(ctx, roomy)
		if v, err := s.Run(fn, s.Lazy(f)); err != nil || v != lua.LTrue {
			t.Fatal(v, err)
		}
		s.Reset()
	}
	call()
	if n := testing.AllocsPerRun(200, call); n > 0 {
		t.Errorf("got %v allocations per call, want none", n)
	}
}

func BenchmarkCall(b *testing.B) {
	f := fields{"topic": lua.LString("a/b"), "payload": lua.LString("x")}
	s := New(Options{})
	p, _ := Compile("x.lua", `function go(m) return m.topic == "a/b" and m.payload ~= nil end`)
	if err := s.Load(context.Background(), roomy, p); err != nil {
		b.Fatal(err)
	}
	s.Freeze()
	fn := s.Global("go").(*lua.LFunction)
	b.ReportAllocs()
	for b.Loop() {
		s.Begin(context.Background(), roomy)
		if v, err := s.Run(fn, s.Lazy(f)); err != nil || v != lua.LTrue {
			b.Fatal(v, err)
		}
		s.Reset()
	}
}

func BenchmarkNew(b *testing.B) {
	p, _ := Compile("x.lua", `hooks = {go = function(m) return true end}`)
	b.ReportAllocs()
	for b.Loop() {
		s := New(Options{})
		if err := s.Load(context.Background(), roomy, p); err != nil {
			b.Fatal(err)
		}
		s.Freeze()
	}
}

func ExampleCompile() {
	_, err := Compile("first.lua", "x = 7 // 2")
	fmt.Println(err)
	// Output: first.lua:1: syntax error near "/"; if the operator // is meant: this engine speaks Lua 5.1, write math.floor(a / b)
}

// TestErrors_Long: a script may put a whole payload into an error; its text does
// not fill the log.
func TestErrors_Long(t *testing.T) {
	p, err := Compile("long.lua", `error(string.rep("x", 1000000))`)
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{})
	defer s.Close()
	if err := s.Load(context.Background(), Limits{}, p); err == nil || len(err.Error()) > 2*maxMessage || !strings.Contains(err.Error(), "bytes in all)") {
		t.Errorf("%d bytes", len(err.Error()))
	}
}

// TestCompile_Deep: what is nested too deeply is an error with a place, however
// it is nested.
func TestCompile_Deep(t *testing.T) {
	const n = 40_000
	for _, part := range [][3]string{
		{"f = ", "function() return ", " end"}, {"f = ", "{", "}"}, {"", "do ", " end"}, {"f = 1", "+1", ""}, {"f = a", ".b", ""},
		{"", "if a then ", " end"}, {"", "local function f() ", " end"}, {"", "for i = 1, 2 do ", " end"}, {"f = ", "a(", ")"},
	} {
		source := "\n" + part[0] + strings.Repeat(part[1], n)
		if part[0] == "f = " {
			source += "1"
		}
		_, err := Compile("deep.lua", source+strings.Repeat(part[2], n))
		if err == nil || !strings.Contains(err.Error(), "deep.lua:2: expressions or blocks are nested too deeply") {
			t.Errorf("%q: %v", part, err)
		}
	}
}
