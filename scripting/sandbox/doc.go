// Package sandbox runs Lua that nobody has to trust: no file, process,
// environment or bytecode access, and a budget of time, instructions and memory
// for each call that no pcall, coroutine or metamethod can swallow.
//
// A chunk is parsed and its syntax tree rewritten before it is compiled, lines
// kept: `..`, table constructors, closures and stores into tables go through
// functions that charge the account of the call (see Account), and remember
// what they overwrite (see journal), so that a State is as it was before the
// call once Reset returns. Library functions that make strings or tables charge
// the same account and are bounded in steps.
//
// It knows no MQTT and no hook: package scripting decides what is called when.
//
// Source: Lua 5.1 Reference Manual; 5.2 and 5.3 for the library functions that
// scripts written for newer engines expect.
// Read first: state.go, then rewrite.go.
package sandbox
