// Package goroutine serves each connection with one goroutine that reads, on
// every system and for any net.Conn. A second goroutine per connection exists
// only while the peer takes less than it is sent.
//
// A connection that has SyscallConn (TCP, Unix sockets) waits for input
// without a buffer and is written to without a copy. Others (TLS, WebSocket,
// net.Pipe) wait with a buffer of 512 bytes, and what is written to them is
// copied. A type that changes the bytes of a socket below it must therefore
// not have that method. It must not know MQTT.
// Read first: conn.go, then loop.go and write.go.
package goroutine
