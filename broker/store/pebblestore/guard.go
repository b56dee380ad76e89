package pebblestore

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// guard is the file system below the database. It learns of errors of the log
// before the database does, and keeps it from its only answer to some of them,
// which is to end the process: the committer, changing to the next log file, is
// parked for good instead, and the store fails. While there are no file
// descriptors, it has whoever wants one wait. Safe for concurrent use.
type guard struct {
	vfs.FS
	fail   func(error)
	armed  atomic.Bool // between Open and Close
	once   sync.Once
	parked chan struct{} // closed when the committer was parked

	stop    <-chan struct{} // closed when nobody shall wait any longer
	stalled func(error)     // is told of shortages, and nil of their end
	mu      sync.Mutex      // guards waiting, and the order of those calls
	waiting int             // for a descriptor
}

func newGuard(fs vfs.FS, stop <-chan struct{}, stalled func(error)) *guard {
	return &guard{FS: fs, parked: make(chan struct{}), stop: stop, stalled: stalled}
}

// arm begins to guard: fail is told the first and every further error.
func (g *guard) arm(fail func(error)) {
	g.fail = fail
	g.armed.Store(true)
}

func (g *guard) disarm() { g.armed.Store(false) }

// note tells the store of an error of the log.
func (g *guard) note(err error) error {
	if err != nil && g.armed.Load() {
		g.fail(fmt.Errorf("pebblestore: writing the log: %w", err))
	}
	return err
}

// park never returns while the store is open.
func (g *guard) park(err error) error {
	if err == nil || !g.armed.Load() {
		return err
	}
	g.note(err)
	g.once.Do(func() { close(g.parked) })
	select {}
}

func isLog(name string) bool { return strings.HasSuffix(name, ".log") }

// again is how long the guard waits for a file descriptor between two trials.
const again = 50 * time.Millisecond

// short reports whether err says that there are too few file descriptors, which
// passes: nothing is lost by waiting, and an error would be for good.
func short(err error) bool { return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) }

// patiently opens something, and waits while the system has no descriptor for
// it. Whoever needs the file waits too, and commits with him at last.
func patiently[T any](g *guard, open func() (T, error)) (T, error) {
	f, err := open()
	if !short(err) || !g.armed.Load() {
		return f, err
	}
	g.wait(1, err)
	defer func() { g.wait(-1, err) }()
	for short(err) {
		select {
		case <-g.stop: // the store must end without
			return f, g.note(err)
		case <-time.After(again):
			f, err = open()
		}
	}
	return f, err
}

// wait counts who waits and tells of the first and of the last.
func (g *guard) wait(n int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch g.waiting += n; {
	case n > 0 && g.waiting == 1:
		g.stalled(fmt.Errorf("pebblestore: the store waits for file descriptors: %w", err))
	case g.waiting == 0:
		g.stalled(nil)
	}
}

// Open implements vfs.FS.
func (g *guard) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	return patiently(g, func() (vfs.File, error) { return g.FS.Open(name, opts...) })
}

// OpenReadWrite implements vfs.FS.
func (g *guard) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return patiently(g, func() (vfs.File, error) { return g.FS.OpenReadWrite(name, c, opts...) })
}

// OpenDir implements vfs.FS.
func (g *guard) OpenDir(name string) (vfs.File, error) {
	return patiently(g, func() (vfs.File, error) { return g.FS.OpenDir(name) })
}

// List implements vfs.FS.
func (g *guard) List(dir string) ([]string, error) {
	return patiently(g, func() ([]string, error) { return g.FS.List(dir) })
}

// Create implements vfs.FS.
func (g *guard) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := patiently(g, func() (vfs.File, error) { return g.FS.Create(name, c) })
	if !isLog(name) {
		return f, err
	}
	if err != nil {
		return nil, g.park(err)
	}
	return &logFile{File: f, g: g}, nil
}

// ReuseForWrite implements vfs.FS.
func (g *guard) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := patiently(g, func() (vfs.File, error) { return g.FS.ReuseForWrite(oldname, newname, c) })
	if !isLog(newname) {
		return f, err
	}
	if err != nil {
		return nil, g.park(err)
	}
	return &logFile{File: f, g: g}, nil
}

// Unwrap implements vfs.FS.
func (g *guard) Unwrap() vfs.FS { return g.FS }

// logFile is one file of the log. Written by one goroutine of the database.
type logFile struct {
	vfs.File
	g   *guard
	err atomic.Pointer[error] // the first
}

func (f *logFile) note(err error) error {
	if err != nil {
		f.err.CompareAndSwap(nil, &err)
	}
	return f.g.note(err)
}

// Write implements vfs.File.
func (f *logFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.note(err)
}

// Sync implements vfs.File.
func (f *logFile) Sync() error { return f.note(f.File.Sync()) }

// SyncData implements vfs.File.
func (f *logFile) SyncData() error { return f.note(f.File.SyncData()) }

// SyncTo implements vfs.File.
func (f *logFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.note(err)
}

// Close implements vfs.File. It is how a change of log files ends; with an
// error, the database would end the process.
func (f *logFile) Close() error {
	if e := f.err.Load(); e != nil {
		f.g.park(*e)
	}
	return f.g.park(f.File.Close())
}

// logger passes on what the database says. Its Fatalf must not return.
type logger struct {
	log *slog.Logger
}

// Infof implements pebble.Logger.
func (l logger) Infof(format string, args ...any) {
	l.log.Debug("store: " + fmt.Sprintf(format, args...))
}

// Errorf implements pebble.Logger.
func (l logger) Errorf(format string, args ...any) {
	l.log.Warn("store: " + fmt.Sprintf(format, args...))
}

// Fatalf implements pebble.Logger: the committer recovers from it; elsewhere
// it means a broken invariant.
func (l logger) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// listener tells the store of what fails in the background.
func listener(fail func(error)) *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if !short(err) {
				fail(err)
			}
		},
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			fail(fmt.Errorf("pebblestore: the store is damaged: %s: %w", i.Path, i.Details))
		},
	}
}
