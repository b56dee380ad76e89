package scripting

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
)

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
