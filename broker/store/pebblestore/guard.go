package pebblestore

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// guard is the file system below the database. It learns of errors of the log
// before the database does, and keeps it from its only answer to some of them,
// which is to end the process: the committer, changing to the next log file, is
// parked for good instead, and the store fails. Safe for concurrent use.
type guard struct {
	vfs.FS
	fail   func(error)
	armed  atomic.Bool // between Open and Close
	once   sync.Once
	parked chan struct{} // closed when the committer was parked
}

func newGuard(fs vfs.FS) *guard { return &guard{FS: fs, parked: make(chan struct{})} }

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

// Create implements vfs.FS.
func (g *guard) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := g.FS.Create(name, c)
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
	f, err := g.FS.ReuseForWrite(oldname, newname, c)
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
		BackgroundError: fail,
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			fail(fmt.Errorf("pebblestore: the store is damaged: %s: %w", i.Path, i.Details))
		},
	}
}
