package scripting

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lunemq/lunemq/telemetry/alarm"
)

// readable returns an error if the folder of scripts cannot be read: what it
// forbids is not known then.
func readable(cfg *Config, onlyFiles bool) error {
	if onlyFiles {
		return nil
	}
	if _, err := inFolder(cfg); err != nil {
		return fmt.Errorf("scripting: script.script_dir: %w; name a folder that can be read", err)
	}
	return nil
}

// makeFolder makes the folder of scripts at a start if it is missing, and says so:
// it may have been there the last time.
func makeFolder(cfg *Config, log *slog.Logger) error {
	if _, err := os.Stat(cfg.Dir); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.MkdirAll(cfg.Dir, 0o750); err != nil {
		return fmt.Errorf("scripting: script.script_dir: %w; name a folder that exists or can be made", err)
	}
	log.Warn("there was no folder of scripts: an empty one was made, no script is loaded from it", "folder", cfg.Dir)
	return nil
}

// inFolder returns the paths of the scripts in Config.Dir, by name.
func inFolder(cfg *Config) (paths []string, err error) {
	found, err := os.ReadDir(cfg.Dir)
	for _, f := range found {
		// Names that begin with a dot are editors' files.
		if name := f.Name(); strings.HasSuffix(name, ".lua") && !strings.HasSuffix(name, "_test.lua") && !strings.HasPrefix(name, ".") {
			paths = append(paths, filepath.Join(cfg.Dir, name))
		}
	}
	return paths, err
}

// wanted returns the paths of all scripts in load order. kept are scripts whose
// folder cannot be read, which is the error: they stay as they are.
//
// Reference 2.2.
func (e *Engine) wanted(cfg *Config) (paths []string, kept map[string]bool, err error) {
	if !e.deps.OnlyFiles {
		if paths, err = inFolder(cfg); err != nil {
			paths, kept = nil, map[string]bool{}
			for _, s := range *e.scripts.Load() {
				if filepath.Dir(s.path) == filepath.Clean(cfg.Dir) {
					paths, kept[s.path] = append(paths, s.path), true
				}
			}
		}
	}
	var names []string
	for n, f := range cfg.Files {
		if f.File != "" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		paths = append(paths, cfg.Files[n].File)
	}
	paths = append(paths, cfg.Auth.Paths(cfg.BundledDir)...)
	for _, s := range *e.scripts.Load() {
		if s.byHand && !slices.Contains(paths, s.path) {
			paths = append(paths, s.path)
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(paths, func(p string) bool {
		was := seen[p] || e.unloaded[p]
		seen[p] = true
		return was
	}), kept, err
}

// folder reports a folder of scripts that cannot be read, or can be again. Called
// with mu held.
func (e *Engine) folder(cfg *Config, err error) {
	was := e.unread
	e.unread = err != nil
	switch {
	case err == nil && was:
		e.deps.Alarms.Clear(alarm.ScriptFailed, cfg.Dir)
		e.deps.Log.Info("the folder of scripts can be read again", "folder", cfg.Dir)
	case err != nil:
		if !was {
			e.deps.Alarms.Raise(alarm.ScriptFailed, cfg.Dir, err.Error())
			e.deps.Log.Error("the folder of scripts cannot be read, its scripts stay as they are", "folder", cfg.Dir, "error", err,
				"remedy", "put it back, or name another one as script.script_dir")
		}
		e.watch.look(time.Second)
	}
}
