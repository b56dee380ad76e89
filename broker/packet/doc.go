// Package packet encodes and decodes the control packets of MQTT 3.1, 3.1.1
// and 5.0.
//
// It is pure: bytes in, structures out, and back. It knows no connection, no
// session and no order of packets; whether a packet may arrive now is decided
// by package session.
//
// Decoded slices and strings of PUBLISH point into the caller's bytes (valid
// until those are reused); all other packets own their memory. Encoding
// appends to the caller's slice and allocates nothing.
//
// Spec: MQTT 5.0 §2, §3; MQTT 3.1.1 §2, §3; MQTT 3.1.
// Read first: decoder.go, then publish.go.
package packet
