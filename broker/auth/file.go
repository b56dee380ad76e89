package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"github.com/lunemq/lunemq/conf/value"
	"github.com/lunemq/lunemq/telemetry/alarm"
)

// file keeps the parsed content of a file up to date. Its goroutine owns all
// fields but current, which anybody may read.
type file[T any] struct {
	what    string // "access control file"
	missing string // remedy when it cannot be read, with %s for its path
	key     string // of the configuration, that names the file
	alarm   alarm.Name
	parse   func(path, text string) (*T, error)
	deps    Deps

	current  atomic.Pointer[T] // never nil once started
	source   source
	interval time.Duration
	failed   string // what was last reported, so that it is reported once

	requests chan request
	stop     context.CancelFunc
	done     chan struct{} // closed when the goroutine has ended
}

// request asks the goroutine to read a file now, another one if path is set.
type request struct {
	path     string
	interval time.Duration
	answer   chan error // room for one
}

// source is a file on disk as it was last read.
type source struct {
	path string
	info fs.FileInfo // nil before the first reading and after a failed one
	read time.Time
	sum  [sha256.Size]byte
	err  error // what came of it
}

// start reads path and begins to watch it.
func (f *file[T]) start(ctx context.Context, path string, interval time.Duration) error {
	f.source, f.interval = source{path: path}, interval
	parsed, _, err := f.load(&f.source, true)
	if err != nil {
		return f.keyed(err)
	}
	f.current.Store(parsed)
	ctx, f.stop = context.WithCancel(ctx)
	f.requests, f.done = make(chan request), make(chan struct{})
	go f.run(ctx)
	return nil
}

// Close ends the watching and waits for it. What was read stays in force.
func (f *file[T]) Close() {
	f.stop()
	<-f.done
	f.deps.Alarms.Clear(f.alarm, f.source.path)
}

// Reload reads the file now, and puts it in force if it says something new. On
// an error, which is for the caller to report, what was in force stays.
func (f *file[T]) Reload() error { return f.ask(request{}) }

func (f *file[T]) ask(r request) error {
	r.answer = make(chan error, 1)
	select {
	case f.requests <- r:
		return f.keyed(<-r.answer)
	case <-f.done:
		return fmt.Errorf("auth: the %s is no longer watched, the plugin was closed", f.what)
	}
}

// keyed says which key led to an error.
func (f *file[T]) keyed(err error) error {
	if err == nil {
		return nil
	}
	return &value.KeyError{Key: f.key, Err: err}
}

func (f *file[T]) run(ctx context.Context) {
	defer close(f.done)
	for {
		var tick <-chan time.Time
		if f.interval > 0 {
			tick = time.After(f.interval)
		}
		select {
		case <-ctx.Done():
			return
		case r := <-f.requests:
			r.answer <- f.reload(r)
		case <-tick:
			f.poll()
		}
	}
}

// reload serves a request.
func (f *file[T]) reload(r request) error {
	next := f.source
	if r.path != "" && r.path != next.path {
		next = source{path: r.path}
	}
	parsed, read, err := f.load(&next, true)
	if err != nil && next.path != f.source.path {
		f.deps.Errors.Inc(1)
		return err // and the file before is still watched
	}
	if next.path != f.source.path {
		f.deps.Alarms.Clear(f.alarm, f.source.path)
	}
	f.source = next
	if r.path != "" {
		f.interval = r.interval
	}
	if read || err != nil {
		f.took(parsed, err)
	}
	if r.path != "" && err != nil { // of the file in force: not what was asked about
		f.log(err)
		return nil
	}
	return err
}

// poll reads the file if it has changed. What goes wrong has no caller to be
// told, so it is logged, once until it changes.
func (f *file[T]) poll() {
	parsed, read, err := f.load(&f.source, false)
	if read || err != nil && err.Error() != f.failed {
		f.took(parsed, err)
		f.log(err)
	}
}

// took puts a loaded value into force and counts it.
func (f *file[T]) took(parsed *T, err error) {
	if err != nil {
		f.failed = err.Error()
		f.deps.Errors.Inc(1)
		f.deps.Alarms.Raise(f.alarm, f.source.path, "what was read before stays in force: "+brief(err))
		return
	}
	f.failed = ""
	f.deps.Alarms.Clear(f.alarm, f.source.path)
	f.current.Store(parsed)
	f.deps.Reloads.Inc(1)
	f.deps.Log.Info("reloaded the "+f.what, "file", f.source.path)
}

// brief returns the first of joined errors and how many more there are.
func brief(err error) string {
	var all interface{ Unwrap() []error }
	if errors.As(err, &all) {
		if list := all.Unwrap(); len(list) > 1 {
			return fmt.Sprintf("%s (and %d more)", list[0], len(list)-1)
		}
	}
	return err.Error()
}

// log reports each bad line by itself.
func (f *file[T]) log(err error) {
	var all interface{ Unwrap() []error }
	switch {
	case err == nil:
	case errors.As(err, &all):
		for _, e := range all.Unwrap() {
			f.log(e)
		}
	default:
		attrs := []any{"file", f.source.path, "error", err}
		if bad := (*LineError)(nil); errors.As(err, &bad) {
			attrs = []any{"file", fmt.Sprintf("%s:%d", bad.File, bad.Line), "problem", bad.Problem, "text", bad.Text, "remedy", bad.Remedy}
		}
		f.deps.Log.Error("the "+f.what+" was not reloaded, what was in force stays", attrs...)
	}
}

// settled is how much older than its reading a file must be to be trusted by
// its times: clocks of file systems tick slowly, and within one tick a file
// may be written twice.
const settled = 2 * time.Second

// load parses s if its content has changed; otherwise read is false and err
// that of the last time. Unless forced it trusts the times of the file about
// that, as far as they can be trusted.
func (f *file[T]) load(s *source, force bool) (parsed *T, read bool, err error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return nil, false, f.lost(s, err)
	}
	if !force && s.info != nil && os.SameFile(s.info, info) && s.info.Size() == info.Size() &&
		s.info.ModTime().Equal(info.ModTime()) && s.read.Sub(info.ModTime()) > settled {
		return nil, false, s.err
	}
	now := time.Now()
	data, err := os.ReadFile(s.path)
	if err != nil {
		return nil, false, f.lost(s, err)
	}
	sum := sha256.Sum256(data)
	same := s.info != nil && sum == s.sum
	s.info, s.read, s.sum = info, now, sum
	if same {
		return nil, false, s.err
	}
	parsed, s.err = f.parse(s.path, string(data))
	return parsed, true, s.err
}

// lost forgets s, so that it is read anew once it is back.
func (f *file[T]) lost(s *source, err error) error {
	s.info = nil
	s.err = fmt.Errorf("auth: the %s cannot be read: %w; %s", f.what, err, fmt.Sprintf(f.missing, s.path))
	return s.err
}
