// Package store declares what the broker keeps through a restart: durable
// sessions, their queues in order, packet identifiers, and retained messages.
//
// A session is an ordered log of appends and completions. Everything that one
// event changes goes into one Batch and is committed as one, so that a
// promise made to a client (an acknowledgement) rests on a single commit.
// Implementations run the suite in storetest.
// Read first: store.go.
package store
