package scripttest

import (
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunemq/lunemq/scripting"
	"github.com/lunemq/lunemq/scripting/authcache"
	"github.com/lunemq/lunemq/scripting/luaconv"
	"github.com/lunemq/lunemq/scripting/lualib"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/*.want anew")

// options are what a test needs that runs nothing in the broker.
func options(out *strings.Builder) Options {
	return Options{
		Bundled: "testdata/none", Out: out, Start: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC),
		Config: scripting.Config{States: 1, MaxStates: 4, Timeout: 5 * time.Second, MaxSteps: 1e6, MaxMemory: 16 << 20, TotalMemory: 256 << 20, OnError: "refuse", MaxWaiting: 10},
		Host: func(log *slog.Logger) *lualib.Host {
			return &lualib.Host{Log: log, Cache: authcache.New(), Secrets: luaconv.NewObfuscation("")}
		},
	}
}

func run(file, events string) (string, bool, error) {
	var out strings.Builder
	o := options(&out)
	o.File, o.Events = file, events
	failed, err := Run(o)
	return out.String(), failed, err
}

// TestRun compares the whole output with testdata/*.want.
func TestRun(t *testing.T) {
	for name, tt := range map[string]struct {
		file, events string
		failed       bool
	}{
		"rewrite-events": {"rewrite.lua", "rewrite.jsonl", true},
		"rewrite-lua":    {"rewrite.lua", "", false},
		"every":          {"every.lua", "every.jsonl", false},
	} {
		events := tt.events
		if events != "" {
			events = filepath.Join("testdata", events)
		}
		got, failed, err := run(filepath.Join("testdata", tt.file), events)
		if err != nil || failed != tt.failed {
			t.Errorf("%s: failed %t, %v", name, failed, err)
		}
		want := filepath.Join("testdata", name+".want")
		if *rewrite {
			if err := os.WriteFile(want, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(want)
		if err != nil || got != string(text) {
			t.Errorf("%s: got\n%s\nwant\n%s%v", name, got, text, err)
		}
	}
}

// TestRun_Fails: what is wrong is an error or a failure, never a pass.
func TestRun_Fails(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.lua", "hooks = { auth_on_publish = function(m) return true end }")
	for _, tt := range []struct{ file, events, want string }{
		{write("broken.lua", "x = = 1"), "", `broken.lua:1: syntax error`},
		{filepath.Join(dir, "none.lua"), "", "no such file"},
		{good, write("a.jsonl", `{"hook": "on_nothing"}`), `there is no hook "on_nothing"`},
		{good, write("b.jsonl", "\n\n{x"), "b.jsonl:3: invalid character"},
		{good, write("c.jsonl", `{"topic": "a"}`), `the field "hook" is missing`},
		{good, write("d.jsonl", `{"hook": "auth_on_publish", "after": "soon"}`), `"after"`},
		{good, write("i.jsonl", `{"hook": "auth_on_publish", "client": "a"}`), `has no field "client"`},
		{good, write("j.jsonl", `{"hook": "auth_on_publish", "qos": "1"}`), `"qos": want integer, got "1"`},
		{good, write("k.jsonl", `{"hook": "auth_on_publish_m5", "properties": {"p_type": "x"}}`), `there is none called "p_type"`},
		{good, write("l.jsonl", `{"hook": "auth_on_publish", "expect": "yes"}`), `want a verdict, ok, deny`},
		{good, write("m.jsonl", `{"hook": "auth_on_publish", "expect": {"verdict": "ok", "topic": "x"}}`), `no field "topic"`},
		{write("e_test.lua", `test.script("none.lua")`), "", "no such file"},
		{write("f_test.lua", `test.call("auth_on_publish", {})`), "", "load a script with test.script first"},
		{write("g_test.lua", `test.script("good.lua") assert(test.call("auth_on_publish").verdict == "deny")`), "", "assertion failed"},
		{good, "", "nothing was tested: " + good + " loads, and nothing says what to call; write a test, good_test.lua, or give events: --events FILE"},
		{good, write("n.jsonl", ""), "n.jsonl holds no events; write some"},
		{good, write("o.jsonl", "# 0 calls of good.lua\n\n"), "o.jsonl holds no events; write some"},
		{write("p_test.lua", ""), "", "p_test.lua called no hook; load a script with test.script"},
		{write("q_test.lua", `test.script("good.lua")`), "", "q_test.lua called no hook"},
		{write("h_test.lua", `while true do end`), "", "more than"},
	} {
		out, failed, err := run(tt.file, tt.events)
		if err != nil {
			out += err.Error()
		}
		if !failed || !strings.Contains(out, tt.want) {
			t.Errorf("%s %s: failed %t, printed\n%s\nwant %q", tt.file, tt.events, failed, out, tt.want)
		}
	}
}
