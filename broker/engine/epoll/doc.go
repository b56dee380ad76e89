// Package epoll serves plain TCP and Unix sockets on Linux with as many loops
// as there are processors, each a goroutine with an epoll descriptor of its
// own. A connection has neither a goroutine nor a buffer nor a timer. Whatever
// else it is given, and everything on other systems, goes to another engine.
//
// The epoll descriptor is registered with the poller of the Go runtime, so a
// loop with nothing to do is parked like any goroutine and blocks no thread.
// Sockets are registered with no poller but the loop's: one event wakes one
// goroutine, and other connections that are ready are served by the same
// wake-up.
//
// Sockets are watched edge-triggered. A connection that is parked, or that has
// used up its share of a turn, then costs no system call to be left alone, as
// it would level-triggered; in return the loop remembers who has more to read.
// It must not know MQTT.
//
// Read first: conn_linux.go, then serve_linux.go and loop_linux.go.
package epoll
