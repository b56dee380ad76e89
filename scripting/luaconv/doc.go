// Package luaconv translates between hooks and Lua: the arguments of a hook
// become one table, what the script returned becomes a verdict with modifiers.
//
// It decides nothing: names, shapes and the permitted modifiers are those of
// VerneMQ's Lua plugin (reference 1.7, 1.8, 2.3, 2.4), and an answer that holds
// an unknown modifier, or one of the wrong type, is an error as a whole.
//
// Read first: args.go, then results.go.
package luaconv
