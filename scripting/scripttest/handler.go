package scripttest

import (
	"context"
	"log/slog"
	"strings"
)

// handler takes the log lines of the engine and of the scripts.
type handler struct {
	r     *runner
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (*handler) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (h *handler) Handle(_ context.Context, rec slog.Record) error {
	problem, stack := "", ""
	rec.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "error", "problem":
			problem = a.Value.String()
		case "stack":
			stack = a.Value.String()
		}
		return true
	})
	if rec.Message == "a hook of the script failed" {
		h.r.err = problem
		if stack != "" {
			h.r.err += "\n    " + strings.ReplaceAll(stack, "\n", "\n    ")
		}
		return nil
	}
	if strings.HasPrefix(rec.Message, "script ") && problem == "" { // loaded, unloaded
		return nil
	}
	line := strings.ToLower(rec.Level.String()) + ": " + rec.Message
	if problem != "" {
		line += ": " + problem
	}
	h.r.logged = append(h.r.logged, line)
	return nil
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(a []slog.Attr) slog.Handler { return &handler{h.r, append(h.attrs, a...)} }

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(string) slog.Handler { return h }
