// Package listener opens addresses, accepts network connections within limits
// and hands them on with what is known about the peer. It must not know MQTT,
// nor what becomes of a connection.
//
// Each transport is one file: tcp.go for TCP and Unix sockets. The Config of
// all listeners, those for HTTP included, which are served elsewhere, is in
// config.go. Read first: listener.go.
//
// Spec: MQTT 5.0 §4.2.
package listener
