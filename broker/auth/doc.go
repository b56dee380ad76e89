// Package auth holds the two plugins that decide by a file: acl, who may
// publish and subscribe to what, and passwd, who may connect. Both files are
// those of VerneMQ and Mosquitto.
//
// A file is read at start, again when it has changed, and on demand. What was
// read is swapped in as a whole; a file with a bad line changes nothing, and
// every bad line is reported with its number and a remedy. A change counts for
// what is asked after it: messages and subscriptions at once, passwords with
// the next connection.
//
// The package knows hooks, not connections or packets. It holds no lock: each
// plugin has one goroutine, which owns its file, and one atomic pointer, which
// the hooks read.
//
// Spec: MQTT 5.0 §4.7 (topic filters), §5.4.1, §5.4.2 (authentication and
// authorisation).
// Read first: acl.go, then rules.go for the grammar and tree.go for matching.
package auth
