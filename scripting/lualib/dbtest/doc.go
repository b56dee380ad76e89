// Package dbtest starts database servers for tests, on 127.0.0.1 and with their
// files in a temporary folder, and runs Lua against them. A server that is not
// installed is a failure; .ci/packages names Debian's packages.
//
// Read first: server.go.
package dbtest
