// Package scripttest runs the hooks of a script outside the broker, on written
// or recorded events and with virtual time: it is `lunemq script test`.
//
// The script runs in the same engine as in the broker, so limits, answers and
// their checks are the same. Events come from a file, one JSON object per line,
// or from a test in Lua, FILE_test.lua, that calls hooks and asserts what comes
// back.
//
// Read first: runner.go, then event.go.
package scripttest
