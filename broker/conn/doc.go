// Package conn is where the engine meets packet and session: it is the
// engine's Handler for one network connection, decodes what arrives, asks the
// hooks, routes, and writes what the session's machine has encoded.
//
// The one lock it uses is that of its client (registry.Client); before the
// client is known, its own. No hook, store wait or routing happens under it.
// Work of one read is one batch: one store commit, one flush per receiver.
// on_deliver is asked after a flush, without the lock: by whoever flushed, or by
// one worker of the receiver if a plugin may wait (vet.go).
//
// Spec: MQTT 5.0 §3, §4; ARCHITECTURE's route of a PUBLISH.
// Read first: conn.go, then publish.go.
package conn
