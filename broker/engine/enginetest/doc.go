// Package enginetest is the suite that every engine.Engine passes: over TCP
// and Unix sockets of this machine, TLS, and net.Pipe in simulated time. It
// knows no engine, and of MQTT nothing.
// Read first: enginetest.go; the tests are in input.go, output.go, deadline.go
// and ending.go.
package enginetest
