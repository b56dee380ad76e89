package scripting

import (
	"errors"
	"strings"
	"testing"

	"github.com/lunemq/lunemq/scripting/sandbox"
)

func TestRedact(t *testing.T) {
	long := strings.Repeat("abcdefgh", 20)
	for _, tt := range []struct{ text, secret, want string }{
		{"nothing of it", "hunter2", "nothing of it"},
		{`there is no pool "hunter2", hunter2`, "hunter2", `there is no pool "[password]", [password]`},
		{`got the string "` + long[:50] + `..."`, long, `got the string "[password]..."`},
		{`got "a\"b\x01c"`, "a\"b\x01c", `got "[password]"`},
		{"got \"a\\\"b\\\nc\"", "a\"b\nc", `got "[password]"`},
		{"no password", "", "no password"},
		{`short: "ab" in about`, "ab", `short: "[password]" in about`},
		{"short", "xy", "short"},
		{"hunterhunter2", "hunter2", "hunter[password]"},
	} {
		if got := redact(tt.text, tt.secret); got != tt.want {
			t.Errorf("%q without %q: got %q, want %q", tt.text, tt.secret, got, tt.want)
		}
	}
	limit := &sandbox.LimitError{}
	if err := hide(limit, []byte("secret")); err != error(limit) {
		t.Errorf("got %v", err)
	}
	err := hide(errors.Join(&sandbox.ScriptError{Message: "a.lua:1: hunter2", Stack: "a.lua:1: in f"}), []byte("hunter2"))
	var inLua *sandbox.ScriptError
	if !errors.As(err, &inLua) || inLua.Message != "a.lua:1: [password]" || inLua.Stack != "a.lua:1: in f" {
		t.Errorf("got %#v", err)
	}
}
