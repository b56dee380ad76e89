// Package router brings a message to everybody who wants it: it keeps the
// retained message, matches the topic, makes one copy per subscriber and one
// per share group.
//
// Subscriber is all it knows of a receiver; a peer node is one like any other.
// It takes one receiver's lock at a time, through Deliver, and holds none
// itself.
//
// Spec: MQTT 5.0 §3.3.4, §3.3.1.3, §4.7, §4.8.2.
// Read first: publish.go.
package router
