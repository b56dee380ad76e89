// Package lualib is the host's libraries for hook scripts: json, http, kv, log,
// bcrypt, crypto, obf, auth_cache, vmq_api (also as lunemq) and the databases,
// with the names and shapes of VerneMQ's Lua plugin (reference 2.5).
//
// Modules is the one list of them: which exist, which may wait, what their
// functions are called with; arguments are checked against it before a function
// runs. Each library has a file of its own here, each database driver a package
// below that registers nothing but is handed to Open by Host.
//
// What a script hands over is copied: no Lua value outlives its call, or is
// seen by another state. Locks here are leaves, and none is held while Lua is
// touched, since that may raise an error.
//
// Read first: module.go.
package lualib
