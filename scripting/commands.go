package scripting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/lunemq/lunemq/broker/admin"
	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/scripting/sandbox"
)

// columns of script show.
var columns = []string{"script", "status", "hook", "calls", "average_us", "accepted", "refused", "next", "errors", "breaches", "runs", "states", "loaded", "problem"}

// Commands are the commands about scripts; running returns the engine, nil
// while the plugin is off.
//
// Reference 4.3.
func Commands(running func() *Engine) []admin.Command {
	path := []admin.Arg{{Name: "path", Doc: "file of the script, or its name as script show prints it", Required: true}}
	on := func() (*Engine, error) {
		if e := running(); e != nil {
			return e, nil
		}
		return nil, errors.New("the plugin lua is off: plugin enable --name=lua switches it on")
	}
	with := func(f func(e *Engine, c *admin.Call) (admin.Result, error)) func(context.Context, *admin.Call) (admin.Result, error) {
		return func(_ context.Context, c *admin.Call) (admin.Result, error) {
			e, err := on()
			if err != nil {
				return nil, err
			}
			return f(e, c)
		}
	}
	change := func(f func(*Engine, string) error, done string) func(context.Context, *admin.Call) (admin.Result, error) {
		return with(func(e *Engine, c *admin.Call) (admin.Result, error) {
			if err := f(e, c.Arg("path")); err != nil {
				return nil, err
			}
			return admin.Text("successfully " + done + " " + c.Arg("path")), nil
		})
	}
	return []admin.Command{
		{Path: "script show", Doc: "Show the scripts in the order they are asked, with their hooks and how they do", Columns: columns,
			Run: with(func(e *Engine, _ *admin.Call) (admin.Result, error) { return e.show(), nil })},
		{Path: "script load", Doc: "Load a script behind all others, or one that was unloaded\n\nForgotten at the next restart: scripts of script.script_dir are loaded by\nthemselves.", Args: path, Changes: true, Run: change((*Engine).Load, "loaded")},
		{Path: "script reload", Doc: "Read a script again, whether it has changed or not\n\nChanged files are read by themselves. With an error the version before stays in force.", Args: path, Changes: true, Run: change((*Engine).Reload, "reloaded")},
		{Path: "script unload", Doc: "Take a script out until it is loaded again or the broker restarts", Args: path, Changes: true, Run: change((*Engine).Unload, "unloaded")},
		recordCommand(path, on),
	}
}

// show is one row per hook of each script.
func (e *Engine) show() admin.Table {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := admin.Table{Columns: columns}
	for _, s := range *e.scripts.Load() {
		v := s.current.Load()
		status, problem := "loaded", ""
		if s.failed != nil {
			problem = s.failed.Error()
			if status = "failed"; v != nil {
				status = "old version"
			}
		}
		if v == nil && s.bars.Load() {
			problem = "all deciding hooks refuse until it loads: " + problem
		}
		if v == nil {
			t.Rows = append(t.Rows, []any{s.name, status, "", 0, 0, 0, 0, 0, 0, 0, "", 0, "", problem})
			continue
		}
		hooks := hookNames(v)
		if len(hooks) == 0 {
			hooks = []string{""}
		}
		where, loaded := "loop", s.loaded.Format(time.RFC3339)
		if v.workers.Load() {
			where = "workers: " + v.why
		}
		for _, name := range hooks {
			row := []any{s.name, status, name, 0, 0, 0, 0, 0, 0, 0, where, v.made(), loaded, problem}
			if k, ok := slotsByName[name]; ok {
				st := s.stats[k]
				d := st.Latency.Distribution()
				copy(row[3:], []any{st.Calls.Count(), d.Sum / max(1, d.Count()), st.Accepted.Count(), st.Refused.Count(), st.Next.Count(), st.Errors.Count(), st.Breaches.Count()})
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// script returns the script with a name or path, nil if there is none.
func (e *Engine) script(name string) *Script {
	abs, _ := filepath.Abs(name)
	for _, s := range *e.scripts.Load() {
		p, _ := filepath.Abs(s.path)
		if s.name == name || s.path == name || p == abs {
			return s
		}
	}
	return nil
}

// Load loads a script by hand, behind all others, or one that was unloaded.
func (e *Engine) Load(path string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.script(path) != nil {
		return fmt.Errorf("scripting: %s is loaded already; script reload reads it again", path)
	}
	cfg := e.cfg.Load()
	if !filepath.IsAbs(path) {
		if _, err := readSource(path); err != nil {
			path = filepath.Join(cfg.Dir, path)
		}
	}
	delete(e.unloaded, path)
	s := e.newScript(cfg, path)
	if err := e.update(cfg, s, true); err != nil {
		return fmt.Errorf("scripting: not loaded: %w", err)
	}
	s.byHand = true
	list := append(slices.Clone(*e.scripts.Load()), s)
	e.scripts.Store(&list)
	e.watch.follow(cfg, list)
	e.announce()
	return nil
}

// errUnknown is the answer to names that no script has.
func errUnknown(name string) error {
	return fmt.Errorf("scripting: there is no script %q; script show lists them", name)
}

// Reload reads a script again. On an error the version before stays in force.
func (e *Engine) Reload(name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.script(name)
	if s == nil {
		return errUnknown(name)
	}
	cfg := e.cfg.Load()
	err := e.update(cfg, s, true)
	e.watch.follow(cfg, *e.scripts.Load())
	e.announce()
	if err != nil {
		e.report(s, err)
		return errors.Join(errors.New("scripting: not reloaded, the version before stays in force"), err)
	}
	return nil
}

// Lines returns the lines with statements, ascending, of a script and of each
// module it has loaded, by file name; nil if it is not loaded.
func (e *Engine) Lines(name string) map[string][]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.script(name); s != nil {
		if v := s.current.Load(); v != nil {
			return v.lines()
		}
	}
	return nil
}

// Problem returns why a script could not be loaded, nil if it was.
func (e *Engine) Problem(name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.script(name)
	if s == nil {
		return errUnknown(name)
	}
	return s.failed
}

// Check compiles the scripts that cfg names and returns what is wrong with
// them. Nothing is run.
func Check(cfg *Config) (bad []error) {
	e := &Engine{unloaded: map[string]bool{}}
	e.scripts.Store(&[]*Script{})
	keys := map[string]string{}
	for name, f := range cfg.Files {
		keys[f.File] = "script." + name + ".file"
	}
	paths, _, err := e.wanted(cfg)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // serve makes a missing one
		bad = append(bad, &value.KeyError{Key: "script.script_dir", Err: err})
	}
	for _, path := range paths {
		f, err := readSource(path)
		if err == nil {
			_, err = sandbox.Compile(path, f.text)
		}
		if err != nil {
			bad = append(bad, &value.KeyError{Key: cmp.Or(keys[path], "script.script_dir"), Err: err})
		}
	}
	return bad
}

// Unload takes a script out until it is loaded by hand or the broker restarts.
func (e *Engine) Unload(name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.script(name)
	if s == nil {
		return errUnknown(name)
	}
	e.unloaded[s.path] = true
	s.byHand = false
	e.refresh(false)
	return nil
}
