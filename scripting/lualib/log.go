package lualib

import (
	"context"
	"log/slog"

	lua "github.com/yuin/gopher-lua"
)

// maxLogLine is the longest line a script may log, in bytes.
const maxLogLine = 4096

func logFunction(name, doc string) Function {
	return Function{Name: name, Doc: doc, Params: []Param{{"message", "string", "the line"}}}
}

var logModule = Module{
	Name: "log", Doc: "Writes to the broker's log, with the script's name.",
	Functions: []Function{
		logFunction("info", "Logs at level info."), logFunction("warning", "Logs at level warning."),
		logFunction("error", "Logs at level error."), logFunction("debug", "Logs at level debug."),
	},
	open: func(b *binding) map[string]lua.LGFunction {
		at := func(level slog.Level) lua.LGFunction {
			return func(L *lua.LState) int {
				text := L.CheckString(1)
				if len(text) > maxLogLine {
					text = text[:maxLogLine] + "..."
				}
				b.state.Spend(L, 100)
				b.state.Charge(L, 8*len(text)) // it is cut, and written with escapes
				b.Log.Log(context.Background(), level, text, "script", b.script)
				return 0
			}
		}
		return map[string]lua.LGFunction{
			"info": at(slog.LevelInfo), "warning": at(slog.LevelWarn), "error": at(slog.LevelError), "debug": at(slog.LevelDebug),
		}
	},
}
