package scripting

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/broker/hook"
	"github.com/lunemq/lunemq/scripting/lualib"
	"github.com/lunemq/lunemq/scripting/sandbox"
	"github.com/lunemq/lunemq/telemetry/alarm"
	"github.com/lunemq/lunemq/telemetry/metric"
)

// Deps are what the engine needs from its surroundings.
type Deps struct {
	Log     *slog.Logger
	Metrics *metric.Broker
	Alarms  *alarm.List // nil = none
	Host    *lualib.Host
	// Inline: observing hooks are called at once, also of scripts that may wait.
	Inline bool
	// OnlyFiles: the scripts of Config.Files are loaded, not those of Config.Dir.
	OnlyFiles bool
	// Now is the clock that scripts see, nil = the system's. Line, unless it is
	// nil, is told each line that a script runs.
	Now  func() time.Time
	Line func(file string, line int)
	// Changed is called when the plugin takes part in other hooks than before,
	// or may wait in others: the chain must be made anew, from Plugin. It must
	// not block.
	Changed func()
}

// Engine loads scripts and calls them. Safe for concurrent use.
type Engine struct {
	deps Deps
	host *lualib.Host
	// shared is the memory that all calls in progress may take together.
	shared *sandbox.Memory

	scripts   atomic.Pointer[[]*Script] // in the order they are asked; immutable
	cfg       atomic.Pointer[Config]
	mask      atomic.Pointer[[slots]where] // what the chain was told last
	observers observers
	dropped   logLimit // lines about dropped news

	mu       sync.Mutex
	unread   bool            // the folder of scripts could not be read
	unloaded map[string]bool // by hand, although their files are there
	watch    *watch
}

// where says whether some script has a hook, and whether one of those may wait.
type where struct{ has, waits bool }

// Start loads all scripts and begins to watch their files. A script that does
// not load is reported and skipped.
func Start(cfg *Config, d Deps) (*Engine, error) {
	e := &Engine{deps: d, host: d.Host, shared: sandbox.NewMemory(int64(cfg.TotalMemory)), unloaded: map[string]bool{}}
	e.scripts.Store(&[]*Script{})
	e.mask.Store(&[slots]where{})
	e.cfg.Store(cfg)
	if err := makeFolder(cfg, d.Log); err != nil {
		return nil, err
	}
	if err := readable(cfg, d.OnlyFiles); err != nil {
		return nil, err
	}
	e.observers.init(e)
	w, err := newWatch(e.changed, d.Log)
	if err != nil {
		return nil, err
	}
	e.watch = w
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refresh(true)
	return e, nil
}

// Close stops watching and waits for observers; calls in flight finish.
func (e *Engine) Close() {
	e.watch.close()
	e.observers.close()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range *e.scripts.Load() {
		e.deps.Alarms.Clear(alarm.ScriptFailed, s.name)
		s.retire()
	}
}

// Configure puts another configuration in force: all scripts are loaded anew.
func (e *Engine) Configure(cfg *Config) error {
	if err := readable(cfg, e.deps.OnlyFiles); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.cfg.Load()
	e.cfg.Store(cfg)
	e.shared.Resize(int64(cfg.TotalMemory))
	e.refresh(!same(old, cfg))
	return nil
}

func same(a, b *Config) bool {
	x, y := *a, *b
	if len(x.Files) != len(y.Files) {
		return false
	}
	for k, v := range x.Files {
		if y.Files[k] != v {
			return false
		}
	}
	return x.Auth == y.Auth && x.Dir == y.Dir && x.BundledDir == y.BundledDir && x.limits() == y.limits() && x.KeepState == y.KeepState &&
		x.States == y.States && x.MaxStates == y.MaxStates && x.OnError == y.OnError && x.MaxWaiting == y.MaxWaiting
}

// changed is called by the watch when something below the folders has changed.
func (e *Engine) changed() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refresh(false)
}

// refresh brings the scripts up to date with their files; with all each is
// loaded anew. Called with mu held.
func (e *Engine) refresh(all bool) {
	cfg := e.cfg.Load()
	old := map[string]*Script{}
	for _, s := range *e.scripts.Load() {
		old[s.path] = s
	}
	list := []*Script{}
	paths, kept, err := e.wanted(cfg)
	e.folder(cfg, err)
	for _, path := range paths {
		s := old[path]
		if kept[path] {
			delete(old, path)
			s.missing = time.Time{}
			list = append(list, s)
			continue
		}
		isNew := s == nil
		if isNew {
			s = e.newScript(cfg, path)
		}
		delete(old, path)
		s.missing = time.Time{}
		list = append(list, s)
		if err := e.update(cfg, s, all || isNew); err != nil {
			e.report(s, err)
			if all && isNew { // at a start, or by another configuration
				s.bar()
			}
		}
	}
	var gone []*Script
	for _, s := range *e.scripts.Load() {
		if old[s.path] == nil {
			continue
		}
		if !e.unloaded[s.path] && !all && (e.watch.again(&s.missing) || slices.ContainsFunc(list, (*Script).broken)) {
			list = append(list, s) // editors take a file away before they put it back, perhaps under another name
			continue
		}
		gone = append(gone, s)
	}
	e.scripts.Store(&list)
	for _, s := range gone {
		s.retire()
		if !slices.ContainsFunc(list, func(o *Script) bool { return o.name == s.name }) {
			e.deps.Alarms.Clear(alarm.ScriptFailed, s.name)
		}
		e.deps.Log.Info("script unloaded", "script", s.name)
	}
	e.watch.follow(cfg, list)
	e.announce()
}

func (e *Engine) newScript(cfg *Config, path string) *Script {
	s := &Script{path: path, name: shortName(cfg, path)}
	for i := range s.stats {
		s.stats[i] = e.deps.Metrics.Scripts.Row(s.name, slot(i).name())
	}
	return s
}

// update loads a script if it or its modules have changed, or in any case.
// Called with mu held.
func (e *Engine) update(cfg *Config, s *Script, force bool) error {
	v := s.current.Load()
	f, err := readSource(s.path)
	if err == nil && f.text == "" && v != nil && e.watch.again(&s.emptied) {
		return nil // somebody is about to write it
	}
	s.emptied = time.Time{}
	if err == nil && strings.TrimSpace(f.text) == "" { // what a full disk leaves
		err = fmt.Errorf("%s is empty; delete the file if the script is not wanted", s.name)
	}
	if err == nil && !force && v != nil && v.sum == f.sum && !modulesChanged(v) {
		s.failed = nil // what is in force is what is there
		e.deps.Alarms.Clear(alarm.ScriptFailed, s.name)
		return nil
	}
	var next *version
	if err == nil {
		next, err = e.newVersion(cfg, s.name, f)
	}
	if err != nil {
		known := s.failed != nil && s.failed.Error() == err.Error() && !force
		if s.failed = err; known {
			return nil
		}
		return err
	}
	s.failed = nil
	e.deps.Alarms.Clear(alarm.ScriptFailed, s.name)
	s.slow.Store(0)
	s.current.Store(next)
	s.bars.Store(false)
	s.loaded = time.Now()
	if v != nil {
		s.reloads++
		v.retire()
		e.deps.Metrics.ScriptReloads.Inc(1)
	}
	e.deps.Log.Info("script loaded", "script", s.name, "hooks", strings.Join(hookNames(next), " "), "runs", next.runs())
	if lost := lostHooks(v, next); len(lost) > 0 {
		e.deps.Log.Warn("the script has no longer all hooks that its version before had", "script", s.name, "lost", strings.Join(lost, " "))
	}
	for _, name := range unknown(next) {
		e.deps.Log.Warn("the script has a function for a hook that does not exist", "script", s.name, "hook", name,
			"remedy", "correct the name in the table hooks; see lunemq-lua(7)")
	}
	return nil
}

func modulesChanged(v *version) bool {
	for path, was := range v.files() {
		if f, err := readSource(path); err != nil || f.sum != was {
			return true
		}
	}
	return false
}

func unknown(v *version) []string {
	in := v.pool.grab()
	if in == nil {
		return nil
	}
	defer v.pool.put(in)
	return in.unknownHooks()
}

// runs says where a version's hooks are called.
func (v *version) runs() string {
	if v.workers.Load() {
		return "on workers: " + v.why
	}
	return "on the connection's loop"
}

func hookNames(v *version) (names []string) {
	for i, has := range v.has {
		if has {
			names = append(names, slot(i).name())
		}
	}
	return names
}

// lostHooks returns the hooks of v, which may be nil, that next lacks.
func lostHooks(v, next *version) (names []string) {
	for i := range next.has {
		if v != nil && v.has[i] && !next.has[i] {
			names = append(names, slot(i).name())
		}
	}
	return names
}

// report tells of a script that could not be loaded. Called with mu held.
func (e *Engine) report(s *Script, err error) {
	e.deps.Metrics.ScriptLoadErrors.Inc(1)
	e.deps.Alarms.Raise(alarm.ScriptFailed, s.name, err.Error())
	attrs := []any{"script", s.path, "error", err}
	var syntax *sandbox.SyntaxError
	var inLua *sandbox.ScriptError
	if errors.As(err, &syntax) {
		attrs = []any{"script", s.path, "at", fmt.Sprintf("%s:%d", syntax.File, syntax.Line), "problem", syntax.Problem}
		if syntax.Remedy != "" {
			attrs = append(attrs, "remedy", syntax.Remedy)
		}
	} else if errors.As(err, &inLua) && inLua.Stack != "" {
		attrs = append(attrs, "stack", inLua.Stack)
	}
	text := "the script was not loaded"
	if s.current.Load() != nil {
		text = "the script was not reloaded, the version before stays in force"
	}
	e.deps.Log.Error(text, attrs...)
}

// announce tells the chain if the plugin takes part in other hooks than it
// knows. Called with mu held.
func (e *Engine) announce() {
	var now [slots]where
	for _, s := range *e.scripts.Load() {
		if v := s.current.Load(); v != nil {
			for i, has := range v.has {
				now[i].has = now[i].has || has
				now[i].waits = now[i].waits || has && v.workers.Load()
			}
		}
		for i := range now {
			now[i].has = now[i].has || s.barred(slot(i))
		}
	}
	if *e.mask.Load() == now {
		return
	}
	e.mask.Store(&now)
	if e.deps.Changed != nil {
		e.deps.Changed()
	}
}

// moveToWorkers has the hooks of a version called outside of loops from now on.
func (e *Engine) moveToWorkers(v *version, why string) {
	if !v.workers.CompareAndSwap(false, true) {
		return
	}
	e.deps.Log.Warn("the script's hooks are called on workers from now on", "script", v.name, "reason", why)
	go func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		v.why = why
		e.announce()
	}()
}

// largePayload is the size of a payload, in bytes, from which calls about it run
// on workers: json.decode, patterns and comparisons take as long as it is.
const largePayload = 32 << 10

// Plugin is the engine as a plugin of the hook chain.
func (e *Engine) Plugin() hook.Plugin {
	mask := *e.mask.Load()
	at := func(point string) where {
		i := slices.Index(pointNames[:], point)
		if i < 0 {
			return where{}
		}
		a, b := mask[2*i], mask[2*i+1]
		w := where{a.has || b.has, a.waits || b.waits}
		switch slot(2 * i) {
		case authOnPublish, authOnSubscribe, onClientOffline, onClientGone, onSessionExpired:
			w.has = true // the cache of access rules decides, whatever hooks scripts have, and follows the clients' lives
		}
		return w
	}
	return hook.Plugin{
		Name: "lua", Hooks: (*Hooks)(e),
		Has:    func(point string) bool { return at(point).has },
		Blocks: func(point string) bool { return at(point).waits },
		Large:  largePayload,
	}
}

func sum(text []byte) [32]byte { return sha256.Sum256(text) }
