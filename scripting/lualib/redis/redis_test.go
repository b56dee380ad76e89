package redis

import (
	"fmt"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		command       string
		literal, more bool
		want          string
	}{
		{"get x", true, false, "[get x]"},
		{"  set  a b  ", true, false, "[set a b]"},
		{"get", false, true, "[get]"},
		{"get x", false, false, "[get x]"},
		{"get x y z", false, false, "[get x y z]"}, // one key with blanks
		{"get x ", false, false, "[get x ]"},
		{"set k", false, true, "[set k]"},
		{"set k v EX 1", false, false, "refused"},
		{"set k EX", false, true, "refused"},
		{"get x y", false, true, "refused"},
		{" get x", false, false, "refused"},
		{"", true, false, "refused"},
		{"  ", false, false, "refused"},
	} {
		args, err := split(tt.command, tt.literal, tt.more)
		got := fmt.Sprint(args)
		if err != nil {
			got = "refused"
		}
		// The argument of a command put together at run time is one, whatever it holds.
		if got != tt.want || !tt.literal && len(args) > 2 {
			t.Errorf("%q %t %t: got %s, want %s", tt.command, tt.literal, tt.more, got, tt.want)
		}
	}
}
