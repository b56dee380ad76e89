package alarm

import (
	"context"
	"log/slog"
	"time"
)

// Log returns an observer that writes one line when an alarm is raised, when
// its text changes and when it is cleared, then with how long it lasted.
func Log(to *slog.Logger) func(Event) {
	return func(e Event) {
		level := slog.LevelWarn
		if e.Alarm.Name.Entry().Severity == Critical {
			level = slog.LevelError
		}
		attrs := []slog.Attr{slog.String("alarm", e.Alarm.Name.String())}
		if e.Alarm.Subject != "" {
			attrs = append(attrs, slog.String("subject", e.Alarm.Subject))
		}
		msg := "alarm raised"
		switch e.Change {
		case Altered:
			msg = "alarm changed"
		case Cleared:
			level, msg = slog.LevelInfo, "alarm cleared"
			attrs = append(attrs, slog.Duration("lasted", e.At.Sub(e.Alarm.Since).Round(time.Millisecond)))
		}
		if e.Change != Cleared {
			attrs = append(attrs, slog.String("text", e.Alarm.Text))
		}
		to.LogAttrs(context.Background(), level, msg, attrs...)
	}
}
