package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command runs one command and returns what it printed.
func command(args ...string) (out string, status int) {
	var stdout, stderr bytes.Buffer
	status = run(context.Background(), nil, process{args: args, stdout: &stdout, stderr: &stderr})
	return stdout.String() + stderr.String(), status
}

// TestScripts runs each script's test in Lua, as its author would.
func TestScripts(t *testing.T) {
	recipes, err := filepath.Glob("../../scripts/examples/*.lua")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range recipes {
		if strings.HasSuffix(file, "_test.lua") {
			continue
		}
		n++
		out, status := command("script", "test", file)
		if status != 0 || !strings.Contains(out, " calls, passed") || !strings.Contains(out, " lines ran (") {
			t.Errorf("%s: status %d\n%s", file, status, out)
		}
	}
	if n < 10 {
		t.Errorf("there are %d recipes", n)
	}
}

func TestScript_Usage(t *testing.T) {
	for _, args := range [][]string{{"script"}, {"script", "test"}, {"script", "test", "a.lua", "b.lua"}, {"script", "test", "--x"}, {"script", "run", "a.lua"}} {
		if out, status := command(args...); status != 2 || !strings.Contains(out, "usage: lunemq script") {
			t.Errorf("%v: status %d\n%s", args, status, out)
		}
	}
	if out, status := command("script", "test", "/nowhere.lua"); status != 1 || !strings.Contains(out, "/nowhere.lua") {
		t.Errorf("status %d\n%s", status, out)
	}
}

var rewriteStubs = flag.Bool("rewrite-stubs", false, "write scripts/stubs/lunemq.lua anew")

// TestStubs: the annotations in the tree are those of the catalogues.
func TestStubs(t *testing.T) {
	const file = "../../scripts/stubs/lunemq.lua"
	out, status := command("script", "stubs")
	if status != 0 {
		t.Fatal(out)
	}
	if *rewriteStubs {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil || string(text) != out {
		t.Errorf("%s is stale (%v): go test ./cmd/lunemq -run Stubs -rewrite-stubs", file, err)
	}
	for _, want := range []string{"---@class lunemq.auth_on_publish_m5", "function redis.cmd(", "function kv.insert(", "---@field on_deliver_m5?"} {
		if !strings.Contains(out, want) {
			t.Errorf("the annotations lack %q", want)
		}
	}
}
