// Package packet encodes and decodes the control packets of MQTT 3.1, 3.1.1
// and 5.0.
//
// It is pure: bytes in, structures out, and back. It knows no connection, no
// session and no order of packets; whether a packet may arrive now is decided
// by package session.
//
// Decoded slices and strings of PUBLISH point into the caller's bytes (valid
// until those are reused); strings and slices of all other packets own their
// memory. Encoding appends to the caller's slice and allocates nothing else;
// sizes are computed without encoding.
//
// Checked here is what a packet shows by itself: layout, reserved bits, UTF-8,
// properties, reason codes. Topic names and filters are left to package topic,
// and what depends on the side, the state or the configuration to package
// session: topic aliases, subscription identifiers from clients, an empty
// client identifier.
//
// Spec: MQTT 5.0 §2, §3; MQTT 3.1.1 §2, §3; MQTT 3.1.
// Read first: decoder.go, then publish.go.
package packet
