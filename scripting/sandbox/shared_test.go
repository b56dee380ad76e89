package sandbox

import (
	"context"
	"errors"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// TestShared: calls in progress take from one memory, and give back.
func TestShared(t *testing.T) {
	shared := NewMemory(6 << 20)
	limits := Limits{Instructions: 1e9, Memory: 16 << 20, Shared: shared}
	program, err := Compile("big.lua", `function go(n) local s = string.rep("x", n) return #s end`)
	if err != nil {
		t.Fatal(err)
	}
	begin := func() *State {
		s := New(Options{})
		if err := s.Load(context.Background(), limits, program); err != nil {
			t.Fatal(err)
		}
		s.Freeze()
		s.Begin(context.Background(), limits)
		return s
	}
	run := func(s *State, n int) error {
		_, err := s.Run(s.Global("go").(*lua.LFunction), lua.LNumber(n))
		return err
	}
	small := begin()
	if err := run(small, 900_000); err != nil || shared.Used() != 0 {
		t.Errorf("%v, %d bytes used by a small call", err, shared.Used())
	}
	one, two := begin(), begin()
	if err := run(one, 5<<20); err != nil || shared.Used() < 4<<20 || shared.Used() > 5<<20 {
		t.Errorf("%v, %d bytes used", err, shared.Used())
	}
	err = run(two, 5<<20)
	var limit *LimitError
	if !errors.As(err, &limit) || limit.Breach != SharedBreach || err.Error() != "all calls in progress together used more than 6291456 bytes" {
		t.Errorf("got %v", err)
	}
	two.Close()
	if !one.Reset() || shared.Used() != 0 {
		t.Errorf("%d bytes stay used", shared.Used())
	}
	three := begin()
	if err := run(three, 5<<20); err != nil {
		t.Error(err)
	}
	if err := run(three, 12<<20); !errors.As(err, &limit) || limit.Breach != MemoryBreach {
		t.Errorf("got %v", err)
	}
	three.Close()
	kept := begin()
	kept.Keep(0)
	if err := run(kept, 5<<20); err != nil || !kept.Reset() || shared.Used() != 0 {
		t.Errorf("%v, %d bytes stay used by a state that is kept", err, shared.Used())
	}
	if shared.Resize(1 << 20); shared.Used() != 0 {
		t.Errorf("%d bytes used after Resize", shared.Used())
	}
}
