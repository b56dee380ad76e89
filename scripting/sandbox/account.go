package sandbox

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Limits bound one call. Zero fields are unlimited.
type Limits struct {
	Time         time.Duration
	Instructions int64
	Memory       int64 // bytes of Lua values made by the call, freed ones included
	// Shared bounds what the calls in progress of all States take together that
	// have it; nil = they are not bounded.
	Shared *Memory
}

// Memory is what several calls in progress may take together, beyond the first
// bytes of each. Safe for concurrent use.
type Memory struct{ left, size atomic.Int64 }

// NewMemory returns a Memory of so many bytes.
func NewMemory(bytes int64) *Memory {
	m := &Memory{}
	m.Resize(bytes)
	return m
}

// Resize changes how much there is.
func (m *Memory) Resize(bytes int64) { m.left.Add(bytes - m.size.Swap(bytes)) }

// Used is how many bytes are taken.
func (m *Memory) Used() int64 { return m.size.Load() - m.left.Load() }

func (m *Memory) take(n int64) bool {
	if m.left.Add(-n) >= 0 {
		return true
	}
	m.left.Add(n)
	return false
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
	SharedBreach // all calls in progress together used too much memory
)

// String returns "time", "instructions", "memory", "cancelled", "shared memory"
// or "none".
func (b Breach) String() string {
	return [...]string{"none", "time", "instructions", "memory", "cancelled", "shared memory"}[b]
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
	case SharedBreach:
		return fmt.Sprintf("all calls in progress together used more than %d bytes", e.Limits.Shared.size.Load())
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
	mark     int64 // of memory, at which more must be taken from what is shared
	granted  int64 // bytes of that
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

// What the first bytes of a call are that are not taken from the shared memory,
// and how many are taken from it at a time.
const (
	sharedFrom  = 1 << 20
	sharedBlock = 256 << 10
)

// start begins a call.
func (a *account) start(ctx context.Context, l Limits) {
	a.release()
	a.Context, a.limits, a.breach = ctx, l, NoBreach
	a.step, a.left, a.memory, a.deadline = quantum, l.Instructions, l.Memory, time.Time{}
	if l.Instructions == 0 {
		a.left = 1 << 62
	}
	if l.Memory == 0 {
		a.memory = 1 << 62
	}
	if a.mark = 0; l.Shared != nil {
		a.mark = max(0, a.memory-sharedFrom)
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
	if a.memory -= n; a.memory >= a.mark {
		return true
	}
	return a.more()
}

// more takes from the shared memory what the call has used since it did so last.
func (a *account) more() bool {
	if a.memory < 0 {
		a.broke(MemoryBreach)
		return false
	}
	n := (a.mark-a.memory)/sharedBlock*sharedBlock + sharedBlock
	if !a.limits.Shared.take(n) {
		a.broke(SharedBreach)
		return false
	}
	a.granted += n
	a.mark = max(0, a.mark-n)
	return true
}

// release gives back what was taken from the shared memory.
func (a *account) release() {
	if a.granted > 0 {
		a.limits.Shared.left.Add(a.granted)
		a.granted = 0
	}
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
