// Package storetest is the suite that every store passes: what the interfaces
// of package store promise, shown from outside.
//
// It knows nothing of any implementation. What only some can do (be opened
// again, survive a crash) is asked for where the Opener says so; crashes are
// tested beside the store that survives them.
// Read first: suite.go.
package storetest
