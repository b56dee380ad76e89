package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/lunemq/lunemq/broker"
)

// logging is the log and where it goes. Safe for concurrent use.
type logging struct {
	*slog.Logger
	level slog.LevelVar
	file  *logFile // nil without one
	lines *lineWriter
}

// levels are VerneMQ's severities.
var levels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "notice": slog.LevelInfo + 1, "warning": slog.LevelWarn,
	"error": slog.LevelError, "critical": slog.LevelError + 1, "alert": slog.LevelError + 2, "emergency": slog.LevelError + 3}

// openLog makes the log that the configuration asks for.
func openLog(c broker.LogConfig, stderr io.Writer) (*logging, error) {
	l := &logging{}
	l.level.Set(levels[c.Level])
	var to []io.Writer
	if c.Console == "console" || c.Console == "both" {
		to = append(to, stderr)
	}
	if c.Console == "file" || c.Console == "both" {
		l.file = &logFile{path: c.File}
		err := os.MkdirAll(filepath.Dir(c.File), 0o750)
		if err == nil {
			err = l.file.reopen()
		}
		if err != nil {
			return nil, fmt.Errorf("log.console.file: %w", err)
		}
		to = append(to, l.file)
	}
	o := &slog.HandlerOptions{Level: &l.level}
	l.lines = newLineWriter(io.MultiWriter(to...))
	var h slog.Handler = slog.NewTextHandler(l.lines, o)
	if c.Format == "json" {
		h = slog.NewJSONHandler(l.lines, o)
	}
	l.Logger = slog.New(urgentHandler{h, l.lines})
	return l, nil
}

// apply puts the live values in force and opens the file anew, for log
// rotation.
func (l *logging) apply(c broker.LogConfig) {
	l.level.Set(levels[c.Level])
	if l.file != nil {
		if err := l.file.reopen(); err != nil {
			l.Error("log file not opened anew, the old one stays in use", "err", err)
		}
	}
}

func (l *logging) close() {
	l.lines.close()
	if l.file != nil {
		l.file.close()
	}
}

// logFile is a file that can be opened anew while others write.
type logFile struct {
	path string
	mu   sync.Mutex
	f    *os.File
}

func (l *logFile) reopen() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		_ = l.f.Close()
	}
	l.f = f
	return nil
}

// Write implements io.Writer.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Write(p)
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.f.Close()
}
