package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

// hostile are scripts that try to take the machine down, one way each. Each
// must end with an error, of whatever kind, soon and without much memory; with
// "ok:" it may also end by itself.
var hostile = []string{
	// endless
	`while true do end`,
	`for i = 1, math.huge do end`,
	`local function f() return f() end f()`,
	`local function f() f() end f()`,
	`while true do pcall(error) end`,
	`while true do pcall(function() while true do end end) end`,
	`local function f() pcall(f) end f() while true do end`,
	`while true do xpcall(function() error("x") end, function() while true do end end) end`,
	`goto a ::a:: goto a`,
	`repeat until false`,
	`local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x`,
	`local t = setmetatable({}, {__index = function(t, k) return t[k] end}) return t.x`,
	`local t = setmetatable({}, {__newindex = function(t, k, v) t[k] = v end}) t.x = 1`,
	`local t = setmetatable({}, {}) getmetatable(t).__newindex = t t.x = 1`,
	`local t = setmetatable({}, {__concat = function(a, b) return a .. b end}) return t .. t`,
	`local t = setmetatable({}, {__eq = function(a, b) return a == b end}) return t == setmetatable({}, getmetatable(t))`,
	`local t = setmetatable({}, {__lt = function(a, b) return a < b end}) return t < t`,
	`local t = setmetatable({}, {__call = function(self) return self() end}) t()`,
	`local t = setmetatable({}, {__tostring = function(t) return tostring(t) end}) tostring(t)`,
	`local t = setmetatable({}, {__unm = function(t) return -t end}) return -t`,
	`local t = setmetatable({}, {__len = function(t) return #t end}) return #t`,
	`for _ in function() return 1 end do end`,
	`table.sort({3, 2, 1, 5, 4}, function(a, b) while true do end end)`,
	`string.gsub("abc", "%w", function() while true do end end)`,
	`string.gsub(string.rep("a", 1e6), "", function() end) while true do end`,
	`load(function() return " " end)`,
	`for k in pairs(setmetatable({}, {__pairs = function() return function() return 1 end end})) do end`,
	// strings
	`local s = "x" while true do s = s .. s end`,
	`local s = "x" for i = 1, 100 do s = s .. s .. s .. s end`,
	`return string.rep("x", 1e9)`,
	`return string.rep("x", 1e15)`,
	`return ("x"):rep(1e7):rep(1e7)`,
	`return string.rep("", 1e15, "ab")`,
	`local s = string.rep("x", 4e6) local t = {} for i = 1, 1e9 do t[i] = s .. i end`,
	`return string.format("%99999999d", 1)`,
	`local t = {} for i = 1, 1e9 do t[i] = string.format("%99d", i) end`,
	`local s = string.rep("a", 1e5) return string.gsub(s, "a", s)`,
	`return string.gsub(string.rep("a", 1e6), "a", "%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0")`,
	`local t = {} for i = 1, 1e6 do t[i] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" end local s = table.concat(t) while true do s = s:upper() end`,
	`local s = string.rep("x", 1e6) local t = {} while true do t[#t + 1] = s:reverse() end`,
	`local t = {} while true do t[#t + 1] = tostring({}) end`,
	`local t = {} while true do t[#t + 1] = string.char(1, 2, 3, #t % 256) end`,
	`return #string.pack("c999999999", "x")`,
	`return utf8.char(table.unpack({}, 1, 1e8))`,
	// patterns
	`return string.find(string.rep("a", 30), string.rep("a?", 30) .. string.rep("a", 30) .. "b")`,
	`return string.find(string.rep("a", 1e5), ".-.-.-.-.-.-b")`,
	`string.find(string.rep("a", 1e6), "(a*)*b") while true do end`,
	`return string.match(string.rep("(", 1e6), "%b()") or string.find(string.rep("x", 1e6), string.rep(".-", 150) .. "y")`,
	`return string.find("a", string.rep("(", 1e5))`,
	`return string.find(string.rep("a", 5e5), "a-a-a-a-$b")`,
	`for m in string.gmatch(string.rep("a", 1e6), "a-") do local s = m .. m end while true do end`,
	`return string.find(string.rep("a", 1e5), "[" .. string.rep("b", 1e5) .. "]+c")`,
	`return string.find(string.rep("ab", 2e5), "%f[b].-%f[a].-%f[z]")`,
	// tables
	`local t = {} while true do t[#t + 1] = {} end`,
	`local t = {} for i = 1, 1e9 do t[i] = i end`,
	`local t = {} t[67108862] = 1`,
	`local t = {} for i = 1, 1e5 do t = {t, t, t} t[6e5 + i] = 1 end`,
	`local t = {} for i = 1, 1e9 do t["k" .. i] = true end`,
	`local t = {} for i = 1, 1e9 do t[{}] = true end`,
	`local t = {} while true do t[#t + 1] = {} t[#t].a = 1 end`,
	`local t = {} local u = t while true do u.properties = {} u = u.properties end`,
	`local t = {} while true do t[#t + 1] = {a = 1} end`,
	`local t = {} while true do table.insert(t, 1, {}) end`,
	`local t = {} while true do rawset(t, #t + 1, {}) end`,
	`while true do _G[{}] = {} end`,
	`x = {} while true do x = {x, {}, {}, {}} end`,
	`return {table.unpack({}, 1, 1e7)}`,
	`return table.concat(setmetatable({}, {__len = function() return 1e9 end}), "", 1, 1e9)`,
	`local t = {} for i = 1, 7000 do t[i] = i end while true do t = table.pack(table.unpack(t)) t[8000] = t end`,
	`table.move({1}, 1, 1e15, 2)`,
	// functions and coroutines
	`local t = {} while true do t[#t + 1] = function() return t end end`,
	`local t = {} for i = 1, 1e9 do local function f() return i end t[i] = f end`,
	`local t = {} while true do t[#t + 1] = coroutine.create(function() end) end`,
	`local function f() coroutine.wrap(f)() end f()`,
	`coroutine.wrap(function() while true do end end)()`,
	`local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end`,
	`while true do pcall(coroutine.wrap(function() while true do end end)) end`,
	`local function f(n) return coroutine.wrap(function() return f(n + 1) end)() end return f(0)`,
	`while true do coroutine.resume(coroutine.create(function() string.rep("x", 1e6) end)) end`,
	`local t = {} while true do t[#t + 1] = load("return 1") end`,
	`local s = "return 1" for i = 1, 1e5 do s = s .. " + 1" end return load(s)`,
	`ok: return load("return " .. string.rep("(", 1e5) .. "1" .. string.rep(")", 1e5))()`,
	`return load("return " .. string.rep("{", 1e5) .. string.rep("}", 1e5))()`,
	`return load("return " .. string.rep("- ", 1e5) .. "1")()`,
	`return load(string.rep("do ", 1e5) .. string.rep("end ", 1e5))`,
	`local function f(...) return select("#", ...) + f(1, ...) end return f()`,
	`local function f(...) return f(1, 2, 3, 4, 5, 6, 7, 8, ...) end return f()`,
	// outside
	`ok: os.execute("rm -rf /")`,
	`ok: io.open("/etc/passwd")`,
	`ok: dofile("/etc/passwd")`,
	`ok: require("/etc/passwd")`,
	`ok: load("\27Lua")()`,
	`ok: string.dump(print)`,
	`ok: getmetatable("").__index = nil`,
	`ok: os.exit(0)`,
	`ok: debug.getregistry()`,
	`ok: getfenv(0).x = 1`,
	`ok: collectgarbage("stop") local t = {} for i = 1, 1e5 do t = {} end`,
}

// callLimits are those of a call on a worker.
var callLimits = Limits{Time: time.Second, Instructions: 10e6, Memory: 16 << 20}

func TestMain(m *testing.M) {
	if i, err := strconv.Atoi(os.Getenv("SANDBOX_HOSTILE")); err == nil {
		child(i)
		return
	}
	os.Exit(m.Run())
}

// child runs one script in a process of its own and prints what came of it and
// the most memory the process had.
func child(i int) {
	debug.SetGCPercent(100)
	p, err := Compile("hostile.lua", strings.TrimPrefix(hostile[i], "ok:"))
	began := time.Now()
	if err == nil {
		s := New(Options{})
		err = s.Load(context.Background(), callLimits, p)
		s.Reset()
	}
	kind := "none"
	var limit *LimitError
	switch {
	case errors.As(err, &limit):
		kind = "limit"
	case err != nil:
		kind = "error"
	}
	fmt.Printf("\nRESULT %s %d %d %.200q\n", kind, time.Since(began).Milliseconds(), peak(), fmt.Sprint(err))
}

// peak is the most memory the process had resident, in kB.
func peak() int {
	text, _ := os.ReadFile("/proc/self/status")
	m := regexp.MustCompile(`VmHWM:\s+(\d+)`).FindSubmatch(text)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

func TestHostile(t *testing.T) {
	if n := len(hostile); n < 60 {
		t.Errorf("got %d hostile scripts", n)
	}
	idle := peak()
	for i, script := range hostile {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "SANDBOX_HOSTILE="+strconv.Itoa(i))
		out, err := cmd.CombinedOutput()
		m := regexp.MustCompile(`RESULT (\w+) (\d+) (\d+) (.*)`).FindSubmatch(out)
		if err != nil || m == nil {
			t.Errorf("%s\n\tkilled its process: %v\n%.600s", script, err, out)
			continue
		}
		ms, _ := strconv.Atoi(string(m[2]))
		kb, _ := strconv.Atoi(string(m[3]))
		if string(m[1]) == "none" && !strings.HasPrefix(script, "ok:") {
			t.Errorf("%s\n\tended by itself after %d ms", script, ms)
		}
		if ms > 3000 || kb-min(idle, kb) > 64<<10 {
			t.Errorf("%s\n\ttook %d ms and %d kB: %s", script, ms, kb, m[4])
		}
		if testing.Verbose() {
			t.Logf("%-5s %5d ms %6d kB  %s  %s", m[1], ms, kb, script, m[4])
		}
	}
}
