// Package lualib is the host's libraries for hook scripts: json, http, kv, log,
// bcrypt, crypto, obf, auth_cache, vmq_api (also as lunemq) and the databases,
// with the names and shapes of VerneMQ's Lua plugin (reference 2.5).
//
// Modules is the one list of them: which exist, which may wait, what their
// functions are called with. Each library has a file of its own here, each
// database driver a package below that registers nothing but is handed to Open
// by Host.
//
// Read first: module.go.
package lualib
