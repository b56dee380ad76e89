package scripting

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long the folders must be quiet before files are read, and
// grace how long a file may be gone or empty before that counts: editors take a
// file away and put it back, or empty it and write.
const (
	settle = 50 * time.Millisecond
	grace  = 400 * time.Millisecond
	// longest is how long a change may wait while others keep coming.
	longest = 500 * time.Millisecond
)

// watch reports changes below the folders of scripts. Its goroutine calls
// changed, never twice at a time.
type watch struct {
	log     *slog.Logger
	changed func()
	fs      *fsnotify.Watcher
	nudges  chan time.Duration // look again after so long
	done    chan struct{}
	stop    chan struct{}
	once    sync.Once

	dirs []string // watched; owned by the holder of Engine.mu
}

func newWatch(changed func(), log *slog.Logger) (*watch, error) {
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("scripting: folders cannot be watched: %w", err)
	}
	w := &watch{log: log, changed: changed, fs: fs, nudges: make(chan time.Duration, 16), done: make(chan struct{}), stop: make(chan struct{})}
	go w.run()
	return w, nil
}

func (w *watch) close() {
	w.once.Do(func() { close(w.stop) })
	<-w.done
}

func (w *watch) run() {
	defer close(w.done)
	defer w.fs.Close()
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	var first time.Time // of the changes not yet looked at
	soon := func(d time.Duration) {
		now := time.Now()
		if first.IsZero() {
			first = now
		}
		timer.Reset(max(0, min(d, first.Add(max(longest, d)).Sub(now))))
	}
	for {
		select {
		case <-w.stop:
			return
		case ev, ok := <-w.fs.Events:
			if !ok {
				return
			}
			if ev.Op != fsnotify.Chmod {
				soon(settle)
			}
		case err, ok := <-w.fs.Errors:
			if !ok {
				return
			}
			w.log.Warn("watching the folders of scripts: events may be lost, all files are looked at", "err", err)
			soon(settle)
		case d := <-w.nudges:
			soon(d)
		case <-timer.C:
			first = time.Time{}
			w.changed()
		}
	}
}

// again reports whether something that is missing should be given more time,
// counted from its first call for it.
func (w *watch) again(since *time.Time) bool {
	now := time.Now()
	if since.IsZero() {
		*since = now
	}
	left := since.Add(grace).Sub(now)
	if left <= 0 {
		return false
	}
	w.look(left + time.Millisecond)
	return true
}

// look has the folders looked at after some time.
func (w *watch) look(after time.Duration) {
	select {
	case w.nudges <- after:
	default: // there are nudges enough
	}
}

// follow watches all folders that the scripts and their modules lie in, and
// those that symbolic links on the way lie in.
func (w *watch) follow(cfg *Config, scripts []*Script) {
	want := map[string]bool{}
	add := func(path string) {
		for _, dir := range linkDirs(path) {
			// One name per folder: the system knows it by its inode.
			// One that is not there is waited for by what it will lie in.
			for ; ; dir = filepath.Dir(dir) {
				if real, err := filepath.EvalSymlinks(dir); err == nil {
					want[real] = true
					break
				}
				if dir == filepath.Dir(dir) {
					break
				}
			}
		}
	}
	add(filepath.Join(cfg.Dir, "x"))
	for _, s := range scripts {
		add(s.path)
		if v := s.current.Load(); v != nil {
			for path := range v.files() {
				add(path)
			}
		}
	}
	for _, dir := range w.dirs {
		if !want[dir] {
			w.forget(dir)
		}
	}
	w.dirs = w.dirs[:0]
	known := w.fs.WatchList()
	for dir := range want {
		if !slices.Contains(known, dir) { // what came before we watch is looked for once more
			w.look(settle)
		}
		if err := w.fs.Add(dir); err != nil {
			w.log.Warn("a folder of scripts cannot be watched; script reload reads its files", "folder", dir, "err", err)
			continue
		}
		w.dirs = append(w.dirs, dir)
	}
	slices.Sort(w.dirs)
}

// forget ends the watching of a folder, which may be gone already. The library
// panics for one that it knows under two names, as bind mounts make.
func (w *watch) forget(dir string) {
	defer func() { _ = recover() }()
	_ = w.fs.Remove(dir)
}

// maxLinks bounds chains of symbolic links.
const maxLinks = 40

// linkDirs returns the folders in which something must change for path to
// lead to another file: its own, and those of each symbolic link on the way.
func linkDirs(path string) (dirs []string) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	for range maxLinks {
		dirs = append(dirs, filepath.Dir(path))
		next := ""
		for p := path; p != filepath.Dir(p); p = filepath.Dir(p) {
			target, err := os.Readlink(p)
			if err != nil {
				continue
			}
			dirs = append(dirs, filepath.Dir(p))
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(p), target)
			}
			rest, _ := filepath.Rel(p, path)
			next = filepath.Join(target, rest)
			break
		}
		if next == "" {
			break
		}
		path = next
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
