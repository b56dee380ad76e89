// Package listener opens addresses, accepts network connections within limits
// and hands them on with what is known about the peer. It must not know MQTT,
// nor what becomes of a connection.
//
// Each transport is one file: tcp.go for TCP and Unix sockets, tls.go for TLS
// with its files (certs.go, key.go, crl.go, suites.go), websocket.go for
// WebSocket (frames.go, wsconn.go, forwarded.go),
// proxy.go for PROXY headers. What stands around a
// client's bytes is taken off by handshake.go, in a goroutine of each
// connection's own. The Config of all listeners, those for HTTP included, which
// are served elsewhere (web.go), is in config.go. Read first: listener.go.
//
// Locks: Listener.mu, Limits.mu, certs.mu, entry.mu and wsConn.mu; none is held while another is
// taken. Callbacks are called with none of them held but certs.mu (Reloaded).
//
// Spec: MQTT 5.0 §4.2; RFC 8446; RFC 6455.
package listener
