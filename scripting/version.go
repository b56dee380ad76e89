package scripting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	lua "github.com/yuin/gopher-lua"

	"github.com/lunemq/lunemq/scripting/luaconv"
	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// version is one content of a script's file, ready to be called. Safe for
// concurrent use.
type version struct {
	engine  *Engine
	name    string // what errors call the file
	cfg     *Config
	sum     [32]byte
	program *sandbox.Program
	has     [slots]bool
	pool    *pool
	// door is the pool for clients that want to be let in, so that those whose
	// registration hangs do not take the states from the others. It is pool for
	// a script that keeps its state.
	door *pool

	// workers: hooks are called outside of the loops; why says the reason.
	workers atomic.Bool
	why     string // guarded by Engine.mu

	mu      sync.Mutex // of modules; a leaf
	modules map[string]*module
	numbers atomic.Int64 // states made
}

// module is a file that was required. Immutable.
type module struct {
	path    string
	sum     [32]byte
	program *sandbox.Program
}

// heavyLoad is how many instructions a script may take to load before states for
// all loops are made in advance: about a tenth of a millisecond's worth.
const heavyLoad = slowCall / 10

// newVersion compiles and initialises a script. The error says where it went
// wrong.
func (e *Engine) newVersion(cfg *Config, name string, f source) (*version, error) {
	v := &version{engine: e, name: name, cfg: cfg, sum: f.sum, modules: map[string]*module{}}
	var err error
	if v.program, err = e.compile(name, f.text); err != nil {
		return nil, err
	}
	first, settings, err := v.load()
	if err != nil {
		return nil, err
	}
	for i, fn := range first.fns {
		v.has[i] = fn != nil
	}
	v.decideWhere()
	v.pool = v.newPool()
	v.pool.keep = settings.keep
	if v.door = v.pool; !settings.keep {
		v.door = v.newPool()
	}
	advance, atDoor := 1, 0
	if settings.keep {
		advance = settings.states
		v.pool.free = make([]atomic.Pointer[instance], advance)
	} else if first.state.Steps() > heavyLoad {
		advance = min(runtime.GOMAXPROCS(0), cfg.MaxStates)
		atDoor = advance
	}
	v.pool.made.Store(1)
	v.finish(first)
	v.pool.put(first)
	if err := cmp.Or(v.pool.advance(advance-1), v.door.advance(atDoor)); err != nil {
		v.retire()
		return nil, err
	}
	return v, nil
}

func (v *version) newPool() *pool {
	p := newPool(v.cfg.MaxStates, v.cfg.MaxWaiting, v.grow)
	p.replace, p.failed = v.engine.observers.aside, func(err error) { v.engine.deps.Log.Error("script", "script", v.name, "error", err) }
	return p
}

// poolFor returns the pool whose states make the calls of a hook.
func (v *version) poolFor(k slot) *pool {
	if point := k &^ m5; point == authOnRegister || point == onAuth {
		return v.door
	}
	return v.pool
}

// made is how many states there are.
func (v *version) made() int64 {
	n := v.pool.made.Load()
	if v.door != v.pool {
		n += v.door.made.Load()
	}
	return n
}

// retire ends the version: calls in progress finish.
func (v *version) retire() {
	v.pool.retire()
	v.door.retire()
}

func (e *Engine) compile(name, text string) (*sandbox.Program, error) {
	if e.deps.Line != nil {
		return sandbox.CompileForCoverage(name, text)
	}
	return sandbox.Compile(name, text)
}

// decideWhere looks for modules that may wait.
func (v *version) decideWhere() {
	name := lualib.Waits(v.program)
	for _, m := range v.modules {
		if name == "" {
			name = lualib.Waits(m.program)
		}
	}
	if name != "" {
		v.why = "it mentions " + name
		v.workers.Store(true)
	}
}

// settings are what a script's globals say of its states.
type settings struct {
	keep   bool
	states int
}

// bounded adds the memory that all calls share.
func (v *version) bounded(l sandbox.Limits) sandbox.Limits {
	l.Shared = v.engine.shared
	return l
}

// load makes a state and runs the script in it.
func (v *version) load() (*instance, settings, error) {
	s := sandbox.New(sandbox.Options{Print: v.print, Require: v.require, Now: v.engine.deps.Now, Line: v.engine.deps.Line})
	v.engine.host.Open(s, v.name)
	n := v.numbers.Add(1)
	s.SetGlobal("__SCRIPT_INSTANCE_ID__", lua.LNumber(n))
	if err := s.Load(context.Background(), v.bounded(v.cfg.loadLimits()), v.program); err != nil {
		s.Close()
		return nil, settings{}, fmt.Errorf("%s does not initialise: %w", v.name, err)
	}
	in := &instance{state: s, args: luaconv.NewArgs(s, v.engine.host.Secrets)}
	if err := in.hooks(v.name); err != nil {
		s.Close()
		return nil, settings{}, err
	}
	set := settings{keep: v.cfg.KeepState, states: v.cfg.States}
	if keep, ok := s.Global("keep_state").(lua.LBool); ok {
		set.keep = bool(keep)
	}
	if n, ok := s.Global("num_states").(lua.LNumber); ok {
		if n < 1 || n > 10000 || n != lua.LNumber(int(n)) {
			s.Close()
			return nil, set, fmt.Errorf("%s: num_states is %v, want a whole number from 1 to 10000", v.name, n)
		}
		set.states = int(n)
	} else if set.keep {
		set.states = 1 // so that a counter counts
	}
	return in, set, nil
}

// hooks reads the global hooks.
func (in *instance) hooks(name string) error {
	t, ok := in.state.Global("hooks").(*lua.LTable)
	if !ok {
		if g := in.state.Global("hooks"); g != lua.LNil {
			return fmt.Errorf("%s: the global hooks is a %s, want a table of functions by hook name", name, g.Type())
		}
		return nil // a script without hooks answers nothing
	}
	t.ForEach(func(k, f lua.LValue) {
		if fn, ok := f.(*lua.LFunction); ok {
			if s, known := slotsByName[k.String()]; known {
				in.fns[s] = fn
			}
		}
	})
	return nil
}

// unknownHooks returns names in the table hooks that no hook has.
func (in *instance) unknownHooks() (names []string) {
	if t, ok := in.state.Global("hooks").(*lua.LTable); ok {
		t.ForEach(func(k, f lua.LValue) {
			if _, known := slotsByName[k.String()]; !known && f.Type() == lua.LTFunction {
				names = append(names, k.String())
			}
		})
	}
	return names
}

// finish makes a loaded state ready for calls.
func (v *version) finish(in *instance) {
	if v.pool.keep {
		in.state.Keep(int64(v.cfg.MaxMemory), in.fns[:]...)
	} else {
		in.state.Freeze()
	}
	in.state.OnWait(v.waits)
}

// grow makes one more state.
func (v *version) grow() (*instance, error) {
	in, _, err := v.load()
	if err != nil {
		return nil, err
	}
	v.finish(in)
	return in, nil
}

// waits is told when a call waits: a script that does so without mentioning a
// module that may is moved to workers from now on.
func (v *version) waits() {
	if !v.workers.Load() {
		v.engine.moveToWorkers(v, "a call of it waited")
	}
}

func (v *version) print(line string) { v.engine.deps.Log.Info(line, "script", v.name) }

// require finds a module: first below script_dir, then below bundled_dir.
func (v *version) require(name string) (*sandbox.Program, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if m := v.modules[name]; m != nil {
		return m.program, nil
	}
	rel := filepath.FromSlash(strings.TrimSuffix(name, ".lua")) + ".lua"
	if !filepath.IsLocal(rel) {
		return nil, errors.New("want the path of a file below script.script_dir without .lua, such as auth/auth_commons")
	}
	for _, dir := range []string{v.cfg.Dir, v.cfg.BundledDir} {
		path := filepath.Join(dir, rel)
		f, err := readSource(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		p, err := v.engine.compile(shortName(v.cfg, path), f.text)
		if err != nil {
			return nil, err
		}
		v.modules[name] = &module{path, f.sum, p}
		return p, nil
	}
	return nil, fmt.Errorf("there is no %s below %s or %s", rel, v.cfg.Dir, v.cfg.BundledDir)
}

// lines returns the lines with statements of each file of the version.
func (v *version) lines() map[string][]int {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := map[string][]int{v.program.Name: v.program.Lines}
	for _, m := range v.modules {
		all[m.program.Name] = m.program.Lines
	}
	return all
}

// files returns the modules' files with the sums of their contents.
func (v *version) files() map[string][32]byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := map[string][32]byte{}
	for _, m := range v.modules {
		all[m.path] = m.sum
	}
	return all
}

// shortName is what errors call a file: its path below the folders of scripts,
// else the whole path.
func shortName(cfg *Config, path string) string {
	for _, dir := range []string{cfg.Dir, cfg.BundledDir} {
		if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return path
}

// source is a file as it was read.
type source struct {
	text string
	sum  [32]byte
}

// maxFile is the largest script, in bytes.
const maxFile = 1 << 20

func readSource(path string) (source, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return source{}, err
	case !info.Mode().IsRegular():
		return source{}, fmt.Errorf("%s is no regular file", path)
	case info.Size() > maxFile:
		return source{}, fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return source{}, err
	}
	return source{string(text), sum(text)}, nil
}
