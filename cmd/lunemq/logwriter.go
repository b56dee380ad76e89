package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// logPause is how long lines are gathered between two writes, and logRoom how
// many bytes may wait before whoever logs waits as well.
const (
	logPause = 2 * time.Millisecond
	logRoom  = 1 << 20
)

// lineWriter writes log lines behind the back of those who log, many at a time:
// a system call per line costs more than a client's connection does otherwise.
// Safe for concurrent use.
type lineWriter struct {
	to   io.Writer
	wake chan struct{} // room for one
	stop chan struct{}
	done sync.WaitGroup

	writing sync.Mutex // one write at a time, in order; before mu
	mu      sync.Mutex
	lines   []byte
	spare   []byte
}

func newLineWriter(to io.Writer) *lineWriter {
	w := &lineWriter{to: to, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	w.done.Go(w.run)
	return w
}

// Write implements io.Writer: it takes whole lines.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.lines = append(w.lines, p...)
	full := len(w.lines) > logRoom
	w.mu.Unlock()
	if full {
		w.flush()
		return len(p), nil
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return len(p), nil
}

// flush writes what there is.
func (w *lineWriter) flush() {
	w.writing.Lock()
	defer w.writing.Unlock()
	w.mu.Lock()
	lines := w.lines
	w.lines = w.spare[:0]
	w.mu.Unlock()
	if len(lines) > 0 {
		_, _ = w.to.Write(lines) // there is nobody to tell
	}
	if cap(lines) > 64<<10 {
		lines = nil
	}
	w.spare = lines
}

func (w *lineWriter) run() {
	for {
		select {
		case <-w.wake:
		case <-w.stop:
			w.flush()
			return
		}
		w.flush()
		select {
		case <-time.After(logPause):
		case <-w.stop:
			w.flush()
			return
		}
	}
}

// close writes what is left.
func (w *lineWriter) close() {
	close(w.stop)
	w.done.Wait()
}

// urgentHandler writes warnings and what is worse at once.
type urgentHandler struct {
	slog.Handler
	w *lineWriter
}

// Handle implements slog.Handler.
func (h urgentHandler) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		h.w.flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (h urgentHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return urgentHandler{h.Handler.WithAttrs(a), h.w}
}

// WithGroup implements slog.Handler.
func (h urgentHandler) WithGroup(name string) slog.Handler {
	return urgentHandler{h.Handler.WithGroup(name), h.w}
}
