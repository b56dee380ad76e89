// Package scripting runs hook scripts in Lua: it loads them from their folder,
// reloads them when their files change, asks them as one plugin of the broker's
// hook chain, and shows what they do.
//
// Files are the only truth about scripts. A changed file becomes a new version:
// compiled and initialised first, then put in force in one step, while calls of
// the old one finish. A file that does not compile or initialise changes
// nothing but the log, the metrics and `script show`.
//
// Each version has a pool of Lua states; a call takes one, and leaves it as it
// found it unless the script keeps its state. Where a call runs is known before
// it starts: a script that may wait, or that turned out to be slow, is called
// on workers (hook.Plugin.Blocks), others on the connection's loop.
//
// Locks: Engine.mu is held while scripts are loaded, never during a call of a
// hook; pool.mu is a leaf, for calls that wait for a state.
//
// Read first: engine.go, then version.go and decide.go.
package scripting
