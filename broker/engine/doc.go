// Package engine owns sockets, read buffers, deadlines and wake-ups of network
// connections. It knows no MQTT: what the bytes mean is the Handler's affair.
//
// Two implementations share one test suite (enginetest): goroutine, for any
// net.Conn and every system, and epoll, for plain sockets on Linux.
// An idle connection holds no read buffer.
// Read first: engine.go.
package engine
