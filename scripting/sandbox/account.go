package sandbox

import (
	"context"
	"fmt"
	"time"
)

// Limits bound one call. Zero fields are unlimited.
type Limits struct {
	Time         time.Duration
	Instructions int64
	Memory       int64 // bytes of Lua values made by the call, freed ones included
}

// Breach names the limit that a call broke.
type Breach uint8

// Breaches.
const (
	NoBreach Breach = iota
	TimeBreach
	InstructionBreach
	MemoryBreach
	CancelBreach // the caller's context ended
)

// String returns "time", "instructions", "memory", "cancelled" or "none".
func (b Breach) String() string {
	return [...]string{"none", "time", "instructions", "memory", "cancelled"}[b]
}

// LimitError is the error of a call that broke a limit. The State must be
// thrown away.
type LimitError struct {
	Breach Breach
	Limits Limits
	Stack  string // of Lua, where it happened
}

// Error names limit and value.
func (e *LimitError) Error() string {
	switch e.Breach {
	case TimeBreach:
		return fmt.Sprintf("the call took longer than %s", e.Limits.Time)
	case InstructionBreach:
		return fmt.Sprintf("the call executed more than %d instructions", e.Limits.Instructions)
	case MemoryBreach:
		return fmt.Sprintf("the call used more than %d bytes", e.Limits.Memory)
	}
	return "the call was cancelled"
}

// quantum is how many instructions run between two looks at the clock.
const quantum = 64

// account is the budget of the call in progress. gopher-lua asks Done before
// each instruction, which counts it: a closed channel raises an error there, and
// again at every later instruction, so that no pcall gets further than one.
// Owned by the State's user.
type account struct {
	context.Context // of the caller, for libraries that wait

	step     int64 // instructions left of the quantum; stays negative once broken
	left     int64 // instructions left beyond the quantum
	memory   int64 // bytes left
	deadline time.Time
	breach   Breach
	limits   Limits
	closed   chan struct{} // is closed
}

func newAccount() *account {
	a := &account{Context: context.Background(), closed: make(chan struct{})}
	close(a.closed)
	return a
}

// start begins a call.
func (a *account) start(ctx context.Context, l Limits) {
	a.Context, a.limits, a.breach = ctx, l, NoBreach
	a.step, a.left, a.memory, a.deadline = quantum, l.Instructions, l.Memory, time.Time{}
	if l.Instructions == 0 {
		a.left = 1 << 62
	}
	if l.Memory == 0 {
		a.memory = 1 << 62
	}
	if l.Time > 0 {
		a.deadline = time.Now().Add(l.Time)
	}
}

// Done implements context.Context for the interpreter.
func (a *account) Done() <-chan struct{} {
	a.step--
	if a.step >= 0 {
		return nil
	}
	return a.look()
}

// look is taken once per quantum.
func (a *account) look() <-chan struct{} {
	if a.breach == NoBreach {
		a.left -= quantum
		switch {
		case a.left < 0:
			a.breach = InstructionBreach
		case !a.deadline.IsZero() && !time.Now().Before(a.deadline):
			a.breach = TimeBreach
		case a.Context.Err() != nil:
			a.breach = CancelBreach
		}
	}
	if a.breach != NoBreach {
		a.step = 0
		return a.closed
	}
	a.step = quantum
	return nil
}

// Err implements context.Context: the text of the error that the interpreter
// raises.
func (a *account) Err() error { return &LimitError{Breach: a.breach, Limits: a.limits} }

// charge takes n bytes; false = there are not as many left.
func (a *account) charge(n int64) bool {
	if a.memory -= n; a.memory >= 0 {
		return true
	}
	a.broke(MemoryBreach)
	return false
}

// spend takes n instructions; false = a limit is broken.
func (a *account) spend(n int64) bool {
	for ; n > a.step; n -= quantum {
		a.step = -1
		if a.look() != nil {
			return false
		}
	}
	a.step -= n
	return true
}

func (a *account) broke(b Breach) {
	if a.breach == NoBreach {
		a.breach = b
	}
	a.step = 0
}
