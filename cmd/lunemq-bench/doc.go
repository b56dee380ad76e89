// Command lunemq-bench loads any MQTT broker and says what that costs the
// broker: rate, latency, CPU time per message, memory, losses and duplicates.
//
//	lunemq-bench SCENARIO [--url tcp://127.0.0.1:1883] [--pid PID | --pidfile FILE] [flags]
//
// One goroutine serves all connections of a scenario over epoll, from encoded
// packets and without an allocation per message, so that little of a small
// machine is taken from the broker. Latency is told by a time stamp in the
// payload: publishers and subscribers are this one process. CPU time and
// memory are read from /proc, so the broker runs on the same machine.
//
// It knows no broker; package broker/packet encodes what is sent at the start
// of a connection, and what is sent in numbers is cut and patched in wire.go.
//
// Exit status: 0 done, 1 failed, 2 called wrongly. Read first: run.go, then
// traffic.go.
package main
