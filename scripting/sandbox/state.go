package sandbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// Options are what a State is made with.
type Options struct {
	// Print gets the lines of print; nil discards them.
	Print func(line string)
	// Require finds a module by its name; nil = there are none. The error says
	// what was looked for.
	Require func(name string) (*Program, error)
	// Line is called before each statement of programs compiled for coverage.
	Line func(file string, line int)
	// Now is the clock of os.time, os.date and os.clock; nil = the system's.
	// Limits of time go by the system's in any case.
	Now func() time.Time
}

// State is one Lua state with its libraries. Owned by one goroutine at a time.
type State struct {
	// L is the interpreter's main thread. Libraries get their own L, which may
	// be a coroutine; From finds the State.
	L *lua.LState

	opts    Options
	keeps   bool  // what calls change stays
	maxLive int64 // and may grow to so many bytes; 0 = unlimited
	roots   []*lua.LFunction
	account *account
	journal journal
	lazies  lazies
	loading []string // modules being required
	loaded  *lua.LTable
	tainted bool // Reset cannot undo what was done
	nested  int  // coroutines resumed inside each other
	waiter  Waiter
	began   time.Time // the zero of os.clock
}

// Waiter is told by a library that it is about to wait for something outside.
type Waiter func()

// stackOptions keep a state small.
var stackOptions = lua.Options{CallStackSize: 200, RegistrySize: 1024, RegistryGrowStep: 1024, RegistryMaxSize: 1 << 16, SkipOpenLibs: true, MinimizeStackMemory: true}

// key of the State among a Lua state's registry.
const stateKey = "(state)"

// New makes a State with the language's own libraries. Others are added with
// SetGlobal before anything is loaded.
func New(o Options) *State {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &State{L: lua.NewState(stackOptions), opts: o, account: newAccount(), began: o.Now()}
	self := s.L.NewUserData()
	self.Value = s
	s.L.G.Registry.RawSetString(stateKey, self)
	s.L.SetContext(s.account)
	s.loaded = s.L.NewTable()
	s.account.start(context.Background(), Limits{})
	openLibraries(s)
	return s
}

// From returns the State that L, perhaps a coroutine, belongs to.
func From(L *lua.LState) *State {
	return L.G.Registry.RawGetString(stateKey).(*lua.LUserData).Value.(*State)
}

// SetGlobal sets a global variable of the host.
func (s *State) SetGlobal(name string, v lua.LValue) {
	s.L.G.Global.RawSetString(name, v)
}

// Global returns a global variable without metamethods.
func (s *State) Global(name string) lua.LValue { return s.L.G.Global.RawGetString(name) }

// Load runs a program from top to bottom. Errors are those of Call.
func (s *State) Load(ctx context.Context, l Limits, p *Program) error {
	s.account.start(ctx, l)
	defer s.account.release()
	_, err := s.call(s.instantiate(s.L, p))
	return err
}

// instantiate makes the function of a program.
func (s *State) instantiate(L *lua.LState, p *Program) *lua.LFunction {
	s.journal.upvalues = s.journal.upvalues || p.upvalues
	s.lazies.speak(p.names)
	// The chunk returns the function that takes the guards, which returns the
	// program: both run no code of the script.
	outer := L.NewFunctionFromProto(p.proto)
	L.Push(outer)
	L.Call(0, 1)
	wrap := L.Get(-1)
	L.Pop(1)
	L.Push(wrap)
	for _, g := range s.guards(p.Name) {
		L.Push(g)
	}
	L.Call(len(guardNames), 1)
	fn := L.Get(-1).(*lua.LFunction)
	L.Pop(1)
	return fn
}

// Begin starts the account of a call: arguments made between Begin and Run are
// charged to it.
func (s *State) Begin(ctx context.Context, l Limits) { s.account.start(ctx, l) }

// Run calls a function under the account of Begin and returns its first
// result. The error is a *LimitError or a *ScriptError.
func (s *State) Run(fn *lua.LFunction, args ...lua.LValue) (lua.LValue, error) {
	return s.call(fn, args...)
}

func (s *State) call(fn *lua.LFunction, args ...lua.LValue) (v lua.LValue, err error) {
	// gopher-lua itself may panic on the way out of an overflow.
	defer func() {
		if r := recover(); r != nil {
			s.tainted = true
			v, err = lua.LNil, &ScriptError{Message: fmt.Sprintf("the interpreter failed: %v", r)}
		}
	}()
	L := s.L
	err = L.CallByParam(lua.P{Fn: fn, NRet: 1, Protect: true}, args...)
	if b := s.account.breach; b != NoBreach {
		s.tainted = true
		e := &LimitError{Breach: b, Limits: s.account.limits}
		if api := (*lua.ApiError)(nil); errors.As(err, &api) {
			e.Stack = clean(api.StackTrace)
		}
		L.SetTop(0)
		return lua.LNil, e
	}
	if err != nil {
		L.SetTop(0)
		return lua.LNil, scriptError(err)
	}
	v = L.Get(-1)
	L.Pop(1)
	return v, nil
}

// ScriptError is an error raised in Lua and not caught there.
type ScriptError struct {
	Message string // usually begins with FILE:LINE:
	Stack   string // of Lua, one frame per line
}

// Error returns the message.
func (e *ScriptError) Error() string { return e.Message }

func scriptError(err error) error {
	var api *lua.ApiError
	if !errors.As(err, &api) {
		return &ScriptError{Message: err.Error()}
	}
	text := ""
	switch o := api.Object.(type) {
	case nil:
		text = strings.TrimSpace(err.Error())
	case *lua.LNilType:
		text = "an error without a message"
	case lua.LString:
		text = string(o)
	case *lua.LTable:
		text = "an error that is a table"
		if m, ok := o.RawGetString("message").(lua.LString); ok {
			text += ": " + string(m)
		}
	default:
		text = o.String()
	}
	return &ScriptError{Message: shorten(text, maxMessage), Stack: shorten(clean(api.StackTrace), 8*maxMessage)}
}

// maxMessage is how much of an error's text is kept, in bytes: a script may put a
// whole payload into it.
const maxMessage = 1 << 10

func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + fmt.Sprintf("... (%d bytes in all)", len(text))
}

// clean removes from a stack trace the frames that are not the script's.
func clean(trace string) string {
	var out []string
	for line := range strings.SplitSeq(trace, "\n") {
		if line = strings.TrimSpace(line); line == "" || line == "stack traceback:" || strings.HasPrefix(line, "[G]") {
			continue
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// Charge takes n bytes from the account of the call; it raises an error when
// there are not as many left. Libraries call it before they make values.
func (s *State) Charge(L *lua.LState, n int) {
	if !s.account.charge(int64(n)) {
		L.RaiseError("%s", s.account.Err().Error())
	}
}

// Spend takes n steps of a library's loop from the instructions of the call; it
// raises an error when a limit is broken.
func (s *State) Spend(L *lua.LState, n int) {
	if !s.account.spend(int64(n)) {
		L.RaiseError("%s", s.account.Err().Error())
	}
}

// Context returns the context of the call for a library that waits; it ends at
// the call's deadline.
func (s *State) Context() (context.Context, context.CancelFunc) {
	if s.waiter != nil {
		s.waiter()
	}
	if s.account.deadline.IsZero() {
		return context.WithCancel(s.account.Context)
	}
	return context.WithDeadline(s.account.Context, s.account.deadline)
}

// Value returns a value of the context that the call was begun with, nil if it
// has none.
func (s *State) Value(key any) any { return s.account.Context.Value(key) }

// OnWait sets whom Context tells that a call waits.
func (s *State) OnWait(w Waiter) { s.waiter = w }

// Steps returns how many instructions the call has executed, steps of libraries
// included, rounded down to the quantum in which they are counted. Only with a
// limit of instructions.
func (s *State) Steps() int64 { return s.account.limits.Instructions - s.account.left }

// Close frees the state.
func (s *State) Close() {
	s.account.release()
	s.L.Close()
}

// require is the function require.
func (s *State) require(L *lua.LState) int {
	name := L.CheckString(1)
	if v := s.loaded.RawGetString(name); v != lua.LNil {
		L.Push(v)
		return 1
	}
	if v := s.Global(name); v.Type() == lua.LTTable { // a library of the host
		L.Push(v)
		return 1
	}
	if slices.Contains(s.loading, name) {
		L.RaiseError("require %q: the module requires itself (%s)", name, strings.Join(append(s.loading, name), " -> "))
	}
	if s.opts.Require == nil {
		L.RaiseError("require %q: there are no modules here", name)
	}
	p, err := s.opts.Require(name)
	if err != nil {
		L.RaiseError("require %q: %s", name, err.Error())
	}
	s.loading = append(s.loading, name)
	depth := len(s.loading)
	defer func() { s.loading = s.loading[:min(depth-1, len(s.loading))] }()
	L.Push(s.instantiate(L, p))
	L.Push(lua.LString(name))
	L.Call(1, 1)
	v := L.Get(-1)
	if v == lua.LNil {
		v = lua.LTrue
	}
	s.Touch(L, s.loaded)
	s.loaded.RawSetString(name, v)
	L.Push(v)
	return 1
}

// Modules returns the names of the modules loaded so far, sorted.
func (s *State) Modules() []string {
	names := map[string]bool{}
	s.loaded.ForEach(func(k, _ lua.LValue) { names[k.String()] = true })
	return slices.Sorted(maps.Keys(names))
}

// errorf raises an error with the place of the caller.
func errorf(L *lua.LState, format string, args ...any) {
	L.RaiseError("%s", fmt.Sprintf(format, args...))
}

// Take takes n bytes from the account like Charge, for arguments made outside
// of Lua: a breach is noticed at the call's next instruction.
func (s *State) Take(n int) { s.account.charge(int64(n)) }
