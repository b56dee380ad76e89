// Package authcache remembers, per client, the access rules that a script
// inserted when the client connected, and answers publish and subscribe
// questions from them without running Lua.
//
// A client with an entry may do what its rules permit and nothing else; a
// client without one is the scripts' affair. It knows no Lua: the library
// auth_cache fills it.
//
// Reference 2.6. Read first: cache.go.
package authcache
